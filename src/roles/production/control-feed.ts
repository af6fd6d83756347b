import type { DetectorCommand } from '../../detect/detector.ts';
import type { Logger } from '../../lib/logger.ts';
import type { KafkaConnection } from '../../log/kafka/connection.ts';
import { openTopicTail } from '../../log/kafka/topic-tail.ts';
import { controlKey } from '../../model/alert.ts';
import type { ControlMessage } from '../../model/alert.ts';

/** Decisions that are remembered for partitions that come later; the oldest go first. */
const MAX_REMEMBERED = 10_000;

/** What a decision means to a detector that does not group. Undefined for what only concerns the incident. */
function commandOf(message: ControlMessage): DetectorCommand | undefined {
  if (message.type === 'change') return message;
  if (message.type === 'activate') {
    const payload = new Uint8Array(Buffer.from(message.payload, 'base64'));
    return { type: 'activate', model: { record: message.record, payload }, key: String(message.atMs) };
  }
  const { anomalyIds } = message.incident;
  if (message.type === 'resolve') return { type: 'mute', anomalyIds };
  if (message.type === 'new_normal') return { type: 'decide', anomalyIds, decision: message.decision };
  return undefined;
}

/** The control topic from its start, for every partition's detector of this process. */
export interface ControlFeed extends AsyncDisposable {
  /** Calls back with what was decided so far, then with what comes; returns how to end it. */
  listen(onCommand: (command: DetectorCommand) => void): () => void;
}

export async function openControlFeed(connection: KafkaConnection, topic: string, logger: Logger): Promise<ControlFeed> {
  const remembered = new Map<string, DetectorCommand>();
  const listeners = new Set<(command: DetectorCommand) => void>();
  const tail = await openTopicTail({
    connection,
    topic,
    fromStart: true,
    onMessage: ({ value }) => {
      let message: ControlMessage;
      try {
        message = JSON.parse(Buffer.from(value).toString('utf8')) as ControlMessage;
      } catch (error) {
        logger.error('a decision cannot be read: left out', { topic, reason: String(error) });
        return;
      }
      const command = commandOf(message);
      if (!command) return;
      const key = controlKey(message);
      remembered.delete(key);
      remembered.set(key, command);
      const oldest = remembered.keys().next();
      if (remembered.size > MAX_REMEMBERED && !oldest.done) remembered.delete(oldest.value);
      for (const listener of listeners) listener(command);
    },
  });
  await tail.caughtUp;
  return {
    listen(onCommand) {
      for (const command of remembered.values()) onCommand(command);
      listeners.add(onCommand);
      return () => listeners.delete(onCommand);
    },
    [Symbol.asyncDispose]: () => tail[Symbol.asyncDispose](),
  };
}
