import type { Clock } from '../../lib/clock.ts';
import { isoTime } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RecordStore, StoredRecord } from '../../store/record-store.ts';
import type { Account } from './account.ts';
import { ACCOUNTS } from './caps.ts';
import { createReceipts } from './receipts.ts';

const PERIOD_MS = 6 * 3_600_000;
const SOON_MS = 10 * 60_000;
/** Days and months are small, and asked for by those who pay. */
const KEEP_SUMS_MS = 800 * 86_400_000;
const PAGE = 200;

export interface SpendingRetentionOptions {
  records: RecordStore;
  /** Of receipts and of what incidents have cost, milliseconds; Infinity for ever. */
  keepMs: number;
  /** The wall clock. */
  clock: Clock;
  logger: Logger;
}

/** Removes records that `isOld` says; a writer that is faster keeps its own. */
async function removeWhere(records: RecordStore, prefix: string, isOld: (record: StoredRecord) => boolean): Promise<number> {
  let removed = 0;
  let after: string | undefined;
  for (;;) {
    const page = await records.list({ prefix, limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { key, revision } of page.filter(isOld)) {
      if (await records.write([{ key, value: undefined, revision }])) removed++;
    }
    after = page.at(-1)?.key;
    if (page.length < PAGE) return removed;
  }
}

/** Receipts, accounts of incidents and sums of days that are past their retention; how many records went. */
export async function removeOldSpending(
  records: RecordStore,
  { keepMs, nowMs }: { keepMs: number; nowMs: number },
): Promise<number> {
  const beforeMs = nowMs - keepMs;
  const lastDay = isoTime(nowMs - KEEP_SUMS_MS).slice(0, 10);
  const removed = [
    await createReceipts(records).remove(beforeMs),
    await removeWhere(records, `${ACCOUNTS}incident/`, ({ value }) => ((value as Account).atMs ?? nowMs) < beforeMs),
    await removeWhere(records, `${ACCOUNTS}day/`, ({ key }) => key.slice(`${ACCOUNTS}day/`.length) < lastDay),
    await removeWhere(records, `${ACCOUNTS}month/`, ({ key }) => key.slice(`${ACCOUNTS}month/`.length) < lastDay.slice(0, 7)),
  ];
  return removed.reduce((sum, count) => sum + count, 0);
}

/** Does so now and then; any number of processes may. */
export function openSpendingRetention({ records, keepMs, clock, logger }: SpendingRetentionOptions): AsyncDisposable {
  let isClosed = false;
  let stop = (): void => {};
  let running: Promise<void> = Promise.resolve();
  const plan = (delayMs: number): void => {
    if (isClosed || keepMs === Infinity) return;
    stop = clock.after(delayMs, () => {
      running = removeOldSpending(records, { keepMs, nowMs: clock.nowMs() }).then(
        (removed) => {
          if (removed > 0) logger.info('removed receipts and costs that are past their retention', { removed });
          plan(PERIOD_MS);
        },
        (error: unknown) => {
          logger.warn('old receipts not removed, will be tried again', { error: String(error) });
          plan(SOON_MS);
        },
      );
    });
  };
  plan(SOON_MS);
  return {
    async [Symbol.asyncDispose]() {
      isClosed = true;
      stop();
      await running;
    },
  };
}
