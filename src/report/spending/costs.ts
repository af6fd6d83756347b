import { isoTime } from '../../lib/clock.ts';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { CapStatus, CostQuery, CostReport, SpendingReader, Usage } from '../../model/spending.ts';
import type { RecordStore } from '../../store/record-store.ts';
import { openAccount, reservedMicro, usdOf, withoutExpired } from './account.ts';
import type { Account, ServiceUsage } from './account.ts';
import { accountKeys, ACCOUNTS, limitOf } from './caps.ts';
import type { Cap } from './caps.ts';
import type { BudgetConfig } from './config.ts';
import { createReceipts } from './receipts.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
const MAX_DAYS = 400;
const DAYS = `${ACCOUNTS}day/`;

export interface SpendingReaderOptions {
  records: RecordStore;
  config: BudgetConfig;
  /** The wall clock. */
  clock: Clock;
}

interface Sum extends ServiceUsage {
  key: string;
}

function dayOf(ms: number): string {
  return isoTime(ms).slice(0, 10);
}

function rangeOf({ fromMs, toMs }: CostQuery, nowMs: number): { from: string; to: string } {
  const endMs = toMs ?? nowMs;
  const startMs = fromMs ?? endMs - (DEFAULT_DAYS - 1) * DAY_MS;
  if (startMs > endMs || endMs - startMs > MAX_DAYS * DAY_MS) {
    throw new HeliosError('invalid_argument', `cannot sum up costs: from and to are not 0 to ${MAX_DAYS} days apart`, {
      details: { field: 'from' },
    });
  }
  return { from: dayOf(startMs), to: dayOf(endMs) };
}

function addTo(sums: Map<string, Sum>, key: string, usage: ServiceUsage): void {
  const sum = sums.get(key) ?? { key, calls: 0, inputTokens: 0, outputTokens: 0, micro: 0 };
  sums.set(key, {
    key,
    calls: sum.calls + usage.calls,
    inputTokens: sum.inputTokens + usage.inputTokens,
    outputTokens: sum.outputTokens + usage.outputTokens,
    micro: sum.micro + usage.micro,
  });
}

function usageOf({ calls, inputTokens, outputTokens, micro }: ServiceUsage): Usage {
  return { calls, inputTokens, outputTokens, costUsd: usdOf(micro) };
}

/** Reads the accounts of the budget and the receipts. */
export function createSpendingReader({ records, config, clock }: SpendingReaderOptions): SpendingReader {
  const receipts = createReceipts(records);
  /** Accounts of days in the range, oldest first. */
  const accountsOf = async (from: string, to: string): Promise<[day: string, account: Account][]> => {
    const nowMs = clock.nowMs();
    const found = await records.list({ prefix: DAYS, after: `${DAYS}${dayOf(Date.parse(from) - DAY_MS)}`, limit: MAX_DAYS + 2 });
    return found
      .map(({ key, value }) => [key.slice(DAYS.length), withoutExpired(openAccount(value), nowMs)] as [string, Account])
      .filter(([day]) => day >= from && day <= to);
  };
  const capStatus = (cap: Cap, account: Account): CapStatus => {
    const limit = limitOf(config, cap);
    const spent = withoutExpired(account, clock.nowMs());
    return {
      limitUsd: limit === null ? null : usdOf(limit),
      spentUsd: usdOf(spent.spentMicro),
      reservedUsd: usdOf(reservedMicro(spent)),
    };
  };
  const caps = async (): Promise<CostReport['caps']> => {
    const { day, month } = accountKeys('', clock.nowMs());
    const values = new Map((await records.get([day, month])).map(({ key, value }) => [key, value]));
    return { day: capStatus('day', openAccount(values.get(day))), month: capStatus('month', openAccount(values.get(month))) };
  };
  return {
    async costs(query) {
      const range = rangeOf(query, clock.nowMs());
      const sums = new Map<string, Sum>();
      const total = new Map<string, Sum>();
      for (const [day, { services = {} }] of await accountsOf(range.from, range.to)) {
        for (const [service, usage] of Object.entries(services)) {
          addTo(sums, query.by === 'day' ? day : service, usage);
          addTo(total, '', usage);
        }
      }
      const order = (a: Sum, b: Sum): number => (query.by === 'day' ? (a.key < b.key ? -1 : 1) : b.micro - a.micro);
      const items = [...sums.values()].toSorted(order).map((sum) => ({ key: sum.key, ...usageOf(sum) }));
      const none = { calls: 0, inputTokens: 0, outputTokens: 0, micro: 0 };
      return { ...range, items, total: usageOf(total.get('') ?? none), caps: await caps() };
    },
    receipts: (incidentId) => receipts.list(incidentId),
    receipt: (id) => receipts.get(id),
  };
}
