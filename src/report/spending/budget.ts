import { randomUUID } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { updateRecords } from '../../store/record-store.ts';
import type { RecordStore } from '../../store/record-store.ts';
import { microOf, openAccount, reservedMicro, settled, usdOf, withHold, withoutExpired } from './account.ts';
import type { Account, Hold, ServiceUsage } from './account.ts';
import { accountKeys, CAPS, limitOf, refusal } from './caps.ts';
import type { Cap, CapReached } from './caps.ts';
import type { BudgetConfig } from './config.ts';
import { llmCalls, llmCost, llmRefusals, llmTokens } from './metrics.ts';

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

function checkedMicro(usd: number): number {
  const micro = microOf(usd);
  if (Number.isSafeInteger(micro) && micro >= 0) return micro;
  throw new HeliosError('invalid_argument', `cannot book ${usd} USD: an amount from 0 up is needed`);
}

type Keys = Readonly<Record<Cap, string>>;
type Accounts = Record<Cap, Account>;

function accountsOf(keys: Keys, values: ReadonlyMap<string, unknown>, nowMs: number): Accounts {
  const of = (cap: Cap): Account => withoutExpired(openAccount(values.get(keys[cap])), nowMs);
  const day = { services: {}, ...openAccount(values.get(keys.day)) };
  return { incident: of('incident'), day: withoutExpired(day, nowMs), month: of('month') };
}

class RecordBudget implements Budget {
  readonly #options: Required<BudgetOptions>;
  #latest: Promise<unknown> = Promise.resolve();

  constructor(options: Required<BudgetOptions>) {
    this.#options = options;
  }

  async reserve({ incidentId, service, usd }: ReserveRequest): Promise<{ ok: true; reservation: Reservation } | CapReached> {
    const { config, clock, metrics } = this.#options;
    const nowMs = clock.nowMs();
    const hold: Hold = { micro: checkedMicro(usd), untilMs: nowMs + config.hold, service };
    const keys = accountKeys(incidentId, nowMs);
    const id = randomUUID();
    const refused = await this.#update(keys, (accounts) => {
      const reached = this.#reachedBy(hold.micro, accounts);
      if (reached) return reached;
      for (const cap of CAPS) accounts[cap] = withHold(accounts[cap], id, hold);
      accounts.incident.atMs = nowMs;
      return null;
    });
    if (refused === null) return { ok: true, reservation: this.#reservation(keys, id, hold) };
    metrics.add(llmRefusals, 1, { cap: refused.cap });
    return refused;
  }

  #reachedBy(micro: number, accounts: Accounts): CapReached | null {
    const { config } = this.#options;
    // A cap of 0 is somebody's decision, and the reason whatever else is reached.
    for (const cap of CAPS.toSorted((a, b) => Number(limitOf(config, b) === 0) - Number(limitOf(config, a) === 0))) {
      const limit = limitOf(config, cap);
      const taken = accounts[cap].spentMicro + reservedMicro(accounts[cap]);
      if (limit !== null && (limit === 0 || taken + micro > limit)) return refusal(cap, limit, taken, micro);
    }
    return null;
  }

  #reservation(keys: Keys, id: string, hold: Hold): Reservation {
    let isClosed = false;
    const close = async (usage: ServiceUsage | null): Promise<boolean> => {
      if (isClosed) return false;
      isClosed = true;
      try {
        await this.#update(keys, (accounts) => {
          for (const cap of CAPS) accounts[cap] = settled(accounts[cap], id, hold, usage);
          return null;
        });
      } catch (error) {
        isClosed = false;
        throw error;
      }
      return true;
    };
    return {
      settle: async ({ usd, inputTokens, outputTokens }) => {
        const usage = { calls: 1, inputTokens, outputTokens, micro: checkedMicro(usd) };
        if (await close(usage)) this.#count(usage);
      },
      release: async () => {
        await close(null);
      },
    };
  }

  #count({ inputTokens, outputTokens, micro }: ServiceUsage): void {
    const { metrics } = this.#options;
    metrics.add(llmCalls, 1);
    metrics.add(llmTokens, inputTokens, { direction: 'input' });
    metrics.add(llmTokens, outputTokens, { direction: 'output' });
    metrics.add(llmCost, usdOf(micro));
  }

  /** Writes what `change` makes of the accounts, unless it refuses. One change after the other in this process: only others are raced with. */
  #update(keys: Keys, change: (accounts: Accounts) => CapReached | null): Promise<CapReached | null> {
    const { records, clock } = this.#options;
    const run = (): Promise<CapReached | null> =>
      updateRecords(records, Object.values(keys), (values) => {
        const accounts = accountsOf(keys, values, clock.nowMs());
        const answer = change(accounts);
        return { values: new Map(answer ? [] : CAPS.map((cap) => [keys[cap], accounts[cap]])), answer };
      });
    const next = this.#latest.then(run, run);
    this.#latest = next;
    return next;
  }
}

/** The caps on what language models may cost, kept in records that all processes share. */
export function createBudget(options: BudgetOptions): Budget {
  return new RecordBudget({ metrics: silentMetrics, ...options });
}

/** USD that an incident has cost so far, whichever processes spent it; what is set aside and has not run out is not among it. */
export async function spentOn(records: RecordStore, incidentId: string, nowMs: number): Promise<number> {
  const [kept] = await records.get([accountKeys(incidentId, nowMs).incident]);
  return usdOf(withoutExpired(openAccount(kept?.value), nowMs).spentMicro);
}
