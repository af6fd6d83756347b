import type { Config } from '../config/config.ts';
import type { ConsoleDependencies, Control, SlackAction } from '../console/dependencies.ts';
import type { DetectorCommand } from '../detect/detector.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Redactor } from '../lib/redaction/redactor.ts';
import type { FeedbackService } from '../model/feedback.ts';
import type { Incident } from '../model/incident.ts';
import { readSecret } from '../report/notify/secret.ts';
import { createSpendingReader } from '../report/spending/costs.ts';
import type { Store } from '../store/store.ts';
import { openFeedback } from './feedback-service.ts';
import { createSlackActions } from './slack-actions.ts';

export interface ResponsesOptions {
  config: Config;
  store: Store;
  control: Control;
  command: (command: DetectorCommand) => Promise<Incident | undefined>;
  /** Event time when the clock follows the data. */
  clock: Clock;
  wallClock: Clock;
  metrics: Metrics;
  logger: Logger;
  redactor: Redactor;
  /** Called when an incident may be another, for those who are told of it. */
  onChange: (incidentId: string) => void;
}

/** Read at every call: a secret that was changed in its file is the one that counts. */
function signingSecrets({ notify }: Config): string[] {
  const apps = notify.receivers.filter(({ type }) => type === 'slack');
  return apps.map((app) => readSecret(app, 'signing_secret')).filter((secret) => secret !== undefined);
}

/** What people do to incidents beside the API of incidents itself: feedback, buttons in chat, MCP. */
export function openResponses(
  options: ResponsesOptions,
  scope: AsyncDisposableStack,
): Required<Pick<ConsoleDependencies, 'feedback' | 'slack' | 'spending' | 'mcp' | 'wallClock'>> {
  const { config, control, onChange, redactor, wallClock } = options;
  const service = scope.use(
    openFeedback({
      ...options,
      gapMs: config.anomaly_detection.incident_gap,
      previewWindowMs: config.report.feedback.preview_window,
    }),
  );
  const label: FeedbackService['label'] = async (incidentId, request) => {
    const answer = await service.label(incidentId, request);
    onChange(incidentId);
    return answer;
  };
  const act = createSlackActions({ control, feedback: { label }, logger: options.logger });
  const onAction = async (action: SlackAction): Promise<void> => {
    await act(action);
    onChange(action.incidentId);
  };
  const takeBack: FeedbackService['takeBack'] = async (id, by) => {
    const taken = await service.takeBack(id, by);
    if (taken?.incidentId) onChange(taken.incidentId);
    return taken;
  };
  const spending = createSpendingReader({ records: options.store.records, config: config.report.budget, clock: wallClock });
  return {
    spending,
    feedback: {
      label,
      preview: (incidentId, request) => service.preview(incidentId, request),
      missed: (request) => service.missed(request),
      takeBack,
      list: (query) => service.list(query),
      quality: () => service.quality(),
    },
    slack: { signingSecrets: () => signingSecrets(config), onAction },
    mcp: { config: config.mcp, redactor },
    wallClock,
  };
}
