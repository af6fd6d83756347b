import type { Control, SlackAction, SlackInteractions } from '../console/dependencies.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { FeedbackService } from '../model/feedback.ts';

export interface SlackActionsOptions {
  control: Pick<Control, 'acknowledge'>;
  feedback: Pick<FeedbackService, 'label'>;
  logger: Logger;
}

/** What buttons do. Who presses one has no form to narrow or force a rule in: where one is refused the label alone is kept. */
export function createSlackActions({ control, feedback, logger }: SlackActionsOptions): SlackInteractions['onAction'] {
  const label = async ({ incidentId, action, by }: SlackAction): Promise<unknown> => {
    if (action === 'acknowledge') return control.acknowledge(incidentId, by);
    try {
      return await feedback.label(incidentId, { label: action, by });
    } catch (error) {
      const isRule = action === 'expected' || action === 'false_alarm';
      if (!isRule || !(error instanceof HeliosError) || error.code !== 'conflict') throw error;
      logger.warn('the label of a button is kept without a rule', { incidentId, label: action, reason: error.message });
      return feedback.label(incidentId, { label: action, by, apply: false });
    }
  };
  return async (action) => {
    const known = await label(action);
    if (known === undefined)
      throw new HeliosError('not_found', `cannot ${action.action}: there is no incident ${action.incidentId}`);
  };
}
