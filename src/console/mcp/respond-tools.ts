import { z } from 'zod';
import type { FeedbackRequest, FeedbackService } from '../../model/feedback.ts';
import { byField, feedbackBody } from '../feedback-schemas.ts';
import { found } from '../incident-routes.ts';
import { present } from '../parameters.ts';
import { idArgument } from './read-tools.ts';
import { defineTool } from './tool.ts';
import type { Tool } from './tool.ts';

const by = byField.optional().meta({ description: 'The person; absent: the name of the API key' });

const acknowledgeIncident = defineTool({
  name: 'acknowledge_incident',
  title: 'Acknowledge an incident',
  description: 'Says that someone looks after an incident. Only when a person asked for it.',
  role: 'respond',
  input: z.strictObject({ id: idArgument, by }),
  async call({ control, caller }, { id, by: person }) {
    const incident = found(await control.acknowledge(id, person ?? caller), 'incident', id);
    return { summary: `The incident is ${incident.status} now.`, data: { ...incident } };
  },
});

function labelIncident(feedback: FeedbackService): Tool {
  return defineTool({
    name: 'label_incident',
    title: 'Say what an incident was',
    description:
      'Says that an incident was real, expected, a false alarm, the new normal, or had another cause; with preview true it only answers what that would have changed. Only when a person asked for it.',
    role: 'respond',
    input: z.strictObject({ id: idArgument, ...feedbackBody.shape, by }),
    async call({ caller }, { id, preview, by: person, ...said }) {
      const request = { ...present(said), by: person ?? caller } as FeedbackRequest;
      const answer = found(await (preview ? feedback.preview(id, request) : feedback.label(id, request)), 'incident', id);
      return { summary: preview ? 'Nothing was changed.' : `The incident is labelled ${said.label}.`, data: { ...answer } };
    },
  });
}

/** What people do to incidents. Labels need someone who keeps them. */
export function respondTools(feedback: FeedbackService | undefined): Tool[] {
  return [acknowledgeIncident, ...(feedback ? [labelIncident(feedback)] : [])];
}
