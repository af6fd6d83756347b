import type { ControlMessage } from '../model/alert.ts';
import type { DetectorCommand } from './detector.ts';

/** What a decision means for a detector that does not group; undefined when it means nothing there. */
export function commandOf(message: ControlMessage): DetectorCommand | undefined {
  switch (message.type) {
    case 'resolve':
      return { type: 'mute', anomalyIds: message.incident.anomalyIds };
    case 'new_normal':
      return { type: 'decide', anomalyIds: message.incident.anomalyIds, decision: message.decision };
    case 'change':
      return message;
    case 'activate': {
      const { record, payload, atMs } = message;
      const model = { record, payload: Uint8Array.from(Buffer.from(payload, 'base64')) };
      return { type: 'activate', model, key: `${record.version} ${atMs}` };
    }
    default:
      return undefined;
  }
}
