import { randomUUID } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import { isoTime } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { updateRecords } from '../../store/record-store.ts';
import type { RecordStore } from '../../store/record-store.ts';
import { microOf, openAccount, reservedMicro, settled, usdOf, withHold, withoutExpired } from './account.ts';
import type { Account, Hold, ServiceUsage } from './account.ts';
import type { BudgetConfig } from './config.ts';
import { llmCalls, llmCost, llmRefusals, llmTokens } from './metrics.ts';

export type Cap = 'incident' | 'day' | 'month';

export interface ReserveRequest {
  incidentId: string;
  service: string;
  /** The most that the request can cost. */
  usd: number;
}

export interface Spending {
  usd: number;
  inputTokens: number;
  outputTokens: number;
  model: string;
}

/** Money set aside for one request: settled or released once; a second time changes nothing. */
export interface Reservation {
  settle(spending: Spending): Promise<void>;
  /** Nothing was sent, or nothing is billed. */
  release(): Promise<void>;
}

export interface CapReached {
  ok: false;
  cap: Cap;
  limitUsd: number;
  /** With what is set aside for requests under way. */
  spentUsd: number;
  /** For people, in the report. */
  sentence: string;
}

export interface Budget {
  /**
   * Sets money aside, or says which cap is reached; processes over one store share the caps. Rejects when the store does: then nothing may
   * be sent.
   */
  reserve(request: ReserveRequest): Promise<{ ok: true; reservation: Reservation } | CapReached>;
}

export interface BudgetOptions {
  records: RecordStore;
  config: BudgetConfig;
  /** The wall clock: caps are of days and months in UTC. */
  clock: Clock;
  metrics?: Metrics;
}

export const ACCOUNTS = 'spending/';

/** Keys of the accounts that a request at `nowMs` is booked to. */
export function accountKeys(incidentId: string, nowMs: number): Record<Cap, string> {
  const at = isoTime(nowMs);
  return {
    incident: `${ACCOUNTS}incident/${incidentId}`,
    day: `${ACCOUNTS}day/${at.slice(0, 10)}`,
    month: `${ACCOUNTS}month/${at.slice(0, 7)}`,
  };
}

export const CAPS: readonly Cap[] = ['incident', 'day', 'month'];

/** Millionths of a USD, rounded down; null: no cap. */
export function limitOf(config: BudgetConfig, cap: Cap): number | null {
  const usd = { incident: config.per_incident, day: config.per_day, month: config.per_month }[cap];
  return usd === 'unlimited' ? null : Math.floor(Number((usd * 1e6).toFixed(3)));
}

const AGAIN: Readonly<Record<Cap, string>> = {
  incident: '',
  day: ' The next day begins at 00:00 UTC.',
  month: ' The next month begins on its first day, UTC.',
};

function refusal(cap: Cap, limit: number, spent: number): CapReached {
  const limitUsd = usdOf(limit);
  const spentUsd = usdOf(spent);
  const sentence =
    limit === 0
      ? `No language model was asked: the budget for ${cap === 'incident' ? 'an incident' : `a ${cap}`} is 0 USD.`
      : `No language model was asked: of the ${limitUsd} USD for ${cap === 'incident' ? 'this incident' : `this ${cap}`}, ${spentUsd} USD are spent or set aside.${AGAIN[cap]}`;
  return { ok: false, cap, limitUsd, spentUsd, sentence };
}

function checkedMicro(usd: number): number {
  const micro = microOf(usd);
  if (Number.isSafeInteger(micro) && micro >= 0) return micro;
  throw new HeliosError('invalid_argument', `cannot book ${usd} USD: an amount from 0 up is needed`);
}

/** The caps on what language models may cost, kept in records that all processes share. */
export function createBudget({ records, config, clock, metrics = silentMetrics }: BudgetOptions): Budget {
  let latest: Promise<unknown> = Promise.resolve();
  /** One change after the other in this process: only other processes are raced with. */
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const next = latest.then(run, run);
    latest = next.catch(() => {
      // Whoever asked has been told.
    });
    return next;
  };
  const accountsOf = (keys: Record<Cap, string>, values: ReadonlyMap<string, unknown>): Record<Cap, Account> => {
    const nowMs = clock.nowMs();
    const of = (cap: Cap): Account => withoutExpired(openAccount(values.get(keys[cap])), nowMs);
    const day = openAccount(values.get(keys.day));
    return { incident: of('incident'), day: withoutExpired({ services: {}, ...day }, nowMs), month: of('month') };
  };
  const valuesOf = (keys: Record<Cap, string>, accounts: Record<Cap, Account>): Map<string, unknown> =>
    new Map(CAPS.map((cap) => [keys[cap], accounts[cap]]));

  const close = async (keys: Record<Cap, string>, id: string, hold: Hold, usage: ServiceUsage | null): Promise<void> => {
    await updateRecords(records, Object.values(keys), (values) => {
      const accounts = accountsOf(keys, values);
      for (const cap of CAPS) accounts[cap] = settled(accounts[cap], id, hold, usage);
      return { values: valuesOf(keys, accounts), answer: undefined };
    });
  };

  function reservationOf(keys: Record<Cap, string>, id: string, hold: Hold): Reservation {
    let isClosed = false;
    const closeOnce = async (usage: ServiceUsage | null): Promise<boolean> => {
      if (isClosed) return false;
      await close(keys, id, hold, usage);
      isClosed = true;
      return true;
    };
    return {
      async settle({ usd, inputTokens, outputTokens }) {
        const usage = { calls: 1, inputTokens, outputTokens, micro: checkedMicro(usd) };
        if (!(await inTurn(() => closeOnce(usage)))) return;
        metrics.add(llmCalls, 1);
        metrics.add(llmTokens, inputTokens, { direction: 'input' });
        metrics.add(llmTokens, outputTokens, { direction: 'output' });
        metrics.add(llmCost, usdOf(usage.micro));
      },
      async release() {
        await inTurn(() => closeOnce(null));
      },
    };
  }

  return {
    async reserve({ incidentId, service, usd }) {
      const nowMs = clock.nowMs();
      const hold: Hold = { micro: checkedMicro(usd), untilMs: nowMs + config.hold, service };
      const keys = accountKeys(incidentId, nowMs);
      const id = randomUUID();
      const change = (values: ReadonlyMap<string, unknown>) => {
        const accounts = accountsOf(keys, values);
        for (const cap of CAPS) {
          const limit = limitOf(config, cap);
          const taken = accounts[cap].spentMicro + reservedMicro(accounts[cap]);
          if (limit !== null && (limit === 0 || taken + hold.micro > limit)) {
            return { values: new Map<string, unknown>(), answer: refusal(cap, limit, taken) };
          }
        }
        for (const cap of CAPS) accounts[cap] = withHold(accounts[cap], id, hold);
        return { values: valuesOf(keys, accounts), answer: null };
      };
      const refused = await inTurn(() => updateRecords(records, Object.values(keys), change));
      if (refused === null) return { ok: true, reservation: reservationOf(keys, id, hold) };
      metrics.add(llmRefusals, 1, { cap: refused.cap });
      return refused;
    },
  };
}
