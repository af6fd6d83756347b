import type { StreamHub } from '../../console/stream-hub.ts';
import type { StreamKind } from '../../console/stream-ring.ts';
import type { Outbox } from '../../store/timescale/outbox.ts';
import { RepeatedWork } from './repeated-work.ts';
import type { RepeatedWorkOptions } from './repeated-work.ts';

/** The database says when there is news; this is for when that is not heard. */
const POLL_MS = 250;
const PAGE = 500;

export interface OutboxTailOptions extends Pick<RepeatedWorkOptions, 'clock' | 'logger' | 'prng'> {
  outbox: Outbox;
  hub: StreamHub;
  onEvent: (event: Record<string, unknown>) => void;
}

/** Publishes what the reporters store, in its order, from now on. */
export async function openOutboxTail({ outbox, hub, onEvent, ...common }: OutboxTailOptions): Promise<AsyncDisposable> {
  let afterId = await outbox.newestId();

  async function publish(): Promise<boolean> {
    const rows = await outbox.read(afterId, PAGE);
    for (const { id, event, body } of rows) {
      hub.publish(event as StreamKind, body as never);
      onEvent({ [event]: body });
      afterId = id;
    }
    return rows.length === PAGE;
  }

  await using opening = new AsyncDisposableStack();
  const work = opening.use(new RepeatedWork({ ...common, name: 'follow what is stored', everyMs: POLL_MS, step: publish }));
  opening.use(outbox.listen(() => work.wake()));
  return opening.move();
}
