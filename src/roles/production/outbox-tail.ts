import type { StreamHub } from '../../console/stream-hub.ts';
import type { StreamKind } from '../../console/stream-ring.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Outbox } from '../../store/timescale/outbox.ts';

/** How late an open stream hears of an incident at most, while the database answers. */
const POLL_MS = 100;
const PAGE = 500;

export interface OutboxTailOptions {
  outbox: Outbox;
  hub: StreamHub;
  clock: Clock;
  logger: Logger;
  onEvent: (event: Record<string, unknown>) => void;
}

/** Publishes what the reporters store, in its order, from now on. */
export async function openOutboxTail({ outbox, hub, clock, logger, onEvent }: OutboxTailOptions): Promise<AsyncDisposable> {
  const stopping = new AbortController();
  let afterId = await outbox.newestId();
  let isFailing = false;

  async function poll(): Promise<boolean> {
    const rows = await outbox.read(afterId, PAGE);
    for (const { id, event, body } of rows) {
      hub.publish(event as StreamKind, body as never);
      onEvent({ [event]: body });
      afterId = id;
    }
    return rows.length === PAGE;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      let hasMore = false;
      try {
        hasMore = await poll();
        isFailing = false;
      } catch (error) {
        if (!isFailing) logger.warn('cannot follow what is stored: trying again', { reason: String(error) });
        isFailing = true;
      }
      if (!hasMore) await clock.sleep(POLL_MS, stopping.signal).catch(() => {});
    }
  }

  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}
