import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Report } from '../../model/report.ts';
import type { Store } from '../../store/store.ts';
import type { ArchiveWriter } from './archive-writer.ts';

/** How far back what is missing is looked for. */
const LOOKBACK_MS = 24 * 3_600_000;
const AFTER_START_MS = 60_000;
const PERIOD_MS = 3_600_000;
/** Reports are tens of kilobytes each. */
const PAGE = 10;

export interface ArchiveCatchUpOptions {
  store: Pick<Store, 'list' | 'get'>;
  archive: ArchiveWriter;
  /** The one that reports are dated by. */
  clock: Clock;
  logger: Logger;
}

/**
 * Archives what the store has of the last day and an archive lacks: once after the start, for what an earlier process did not come to,
 * and every hour after which reports were given up. Any number of processes may do it.
 */
export function openArchiveCatchUp({ store, archive, clock, logger }: ArchiveCatchUpOptions): AsyncDisposable {
  const closing = new AbortController();
  let lost = -1;
  let stop = (): void => {};
  let running = Promise.resolve();

  /** Newest first: where one version takes the place of others, the older ones have nothing to do then. */
  const fill = async (newest: Report): Promise<void> => {
    const { incidentId } = newest;
    const incident = await store.get('incident', incidentId);
    if (!incident) return;
    for (let version = newest.version; version > 0 && !closing.signal.aborted; version--) {
      const report = version === newest.version ? newest : await store.get('report', incidentId, version);
      if (report) await archive.write(report, incident, { onlyMissing: true });
    }
  };
  const run = async (): Promise<void> => {
    if (archive.lost === lost) return;
    const lostBefore = archive.lost;
    const fromMs = clock.nowMs() - LOOKBACK_MS;
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof listPage>> = await listPage(fromMs, cursor);
      for (const report of page.items) if (!closing.signal.aborted) await fill(report);
      cursor = page.nextCursor;
    } while (cursor !== null && !closing.signal.aborted);
    lost = lostBefore;
  };
  const listPage = (fromMs: number, cursor: string | null) =>
    store.list('report', { fromMs, limit: PAGE, ...(cursor !== null && { cursor }) });
  const plan = (delayMs: number): void => {
    if (closing.signal.aborted) return;
    stop = clock.after(delayMs, () => {
      running = run()
        .catch((error: unknown) => logger.warn('archives not caught up, will be tried again', { error: String(error) }))
        .then(() => plan(PERIOD_MS));
    });
  };
  plan(AFTER_START_MS);
  return {
    async [Symbol.asyncDispose]() {
      closing.abort();
      stop();
      await running;
    },
  };
}
