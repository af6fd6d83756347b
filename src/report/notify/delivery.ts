import { Backoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Prng } from '../../lib/prng.ts';
import type { Store } from '../../store/store.ts';
import type { DeliveryConfig } from './config.ts';
import { DeliveryBoard } from './delivery-board.ts';
import { ReceiverDelivery } from './delivery-receiver.ts';
import { DeliverySender } from './delivery-sender.ts';
import { DeliveryRecords } from './delivery-records.ts';
import { maintainedLabels } from './maintenance.ts';
import type { Notifier } from './notifier.ts';
import { receiversOf } from './routes.ts';
import { silencedLabels } from './silences.ts';

/** What other processes changed is seen within this time, and so is the end of a silence. */
const LOOK_EVERY_MS = 5000;
/** Wakes that come together are one look. */
const GATHER_MS = 50;
const SWEEP_EVERY_MS = 60_000;
/** How long a send under way may take to end when the process stops. */
const STOP_AFTER_MS = 3000;

export interface DeliveryOptions {
  store: Store;
  /** By name of the receiver. */
  notifiers: ReadonlyMap<string, Notifier>;
  config: DeliveryConfig;
  /** Real time: leases, quiet hours and maintenance go by it. */
  clock: Clock;
  prng: Prng;
  logger: Logger;
  metrics: Metrics;
  /** Of leases. One that a process that takes over after a crash has too goes on at once, where no other process can be running. */
  owner: string;
}

export interface Delivery extends AsyncDisposable {
  /** Says that an incident or its report may be another; without an id, that any may be. Never throws, and need not be called: all are looked at every 5 s. */
  wake(incidentId?: string): void;
  /** Resolves when nothing is being sent and nothing comes due within `graceMs`: a process that is about to be paused has no more to do. */
  settled(graceMs: number): Promise<void>;
}

/**
 * Brings every receiver to what it should know of every incident, whatever was sent before, by whichever process. What is wanted follows from the
 * stored incident, its newest report and the configuration; what was sent stands in the record store. At least once; where the notifier
 * `supports.dedup`, once.
 */
class LevelTriggeredDelivery implements Delivery {
  readonly #options: DeliveryOptions;
  readonly #board: DeliveryBoard;
  readonly #receivers: { delivery: ReceiverDelivery; records: DeliveryRecords; name: string }[];
  readonly #abort = new AbortController();
  readonly #backoff: Backoff;
  #looking: Promise<void> | undefined;
  #isWoken = false;
  #sweptMs = -Infinity;
  #cancelTimer: (() => void) | undefined;
  #dueMs = 0;
  /** When something comes due, as the last look has seen it. */
  #nextMs = Infinity;
  #isDisposed = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    const { store, notifiers, ...common } = options;
    this.#board = new DeliveryBoard(store);
    this.#backoff = new Backoff({ firstMs: 500, longestMs: 30_000 }, options.prng);
    const shared = { ...common, board: this.#board, signal: this.#abort.signal, onProgress: () => this.#soon(GATHER_MS) };
    this.#receivers = [...notifiers].map(([name, notifier]) => {
      const own = { ...shared, name, records: new DeliveryRecords(store.records, name) };
      const sender = new DeliverySender({ ...own, notifier });
      return { ...own, delivery: new ReceiverDelivery({ ...own, sender, canEdit: notifier.supports.edit }) };
    });
    this.#soon(0);
  }

  wake(incidentId?: string): void {
    this.#board.expire(incidentId);
    this.#soon(GATHER_MS);
  }

  async settled(graceMs: number): Promise<void> {
    while (!this.#isDisposed && this.#isBusy(graceMs))
      await this.#options.clock.sleep(GATHER_MS, this.#abort.signal).catch(() => {});
  }

  #isBusy(graceMs: number): boolean {
    const nowMs = this.#options.clock.nowMs();
    const isLookNear = this.#cancelTimer !== undefined && this.#dueMs <= nowMs + GATHER_MS;
    const isSending = this.#receivers.some(({ delivery }) => delivery.isSending);
    return this.#looking !== undefined || isLookNear || isSending || this.#nextMs <= nowMs + graceMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#cancelTimer?.();
    const giveUp = this.#options.clock.after(STOP_AFTER_MS, () =>
      this.#abort.abort(new DOMException('the process stops', 'AbortError')),
    );
    await this.#looking;
    await Promise.allSettled(this.#receivers.map(({ delivery }) => delivery.stop()));
    giveUp();
  }

  /** Looks at the latest after `delayMs`; a look under way is followed by another. */
  #soon(delayMs: number): void {
    if (this.#isDisposed || this.#receivers.length === 0) return;
    if (this.#looking) {
      this.#isWoken = true;
      return;
    }
    this.#schedule(delayMs);
  }

  /** Does not put off a look that is due earlier. */
  #schedule(delayMs: number): void {
    const dueMs = this.#options.clock.nowMs() + delayMs;
    if (this.#cancelTimer && this.#dueMs <= dueMs) return;
    this.#cancelTimer?.();
    this.#dueMs = dueMs;
    this.#cancelTimer = this.#options.clock.after(delayMs, () => {
      this.#cancelTimer = undefined;
      this.#looking = this.#lookAndSchedule();
    });
  }

  async #lookAndSchedule(): Promise<void> {
    const { clock, logger } = this.#options;
    this.#isWoken = false;
    let delayMs: number;
    this.#nextMs = Infinity;
    try {
      const nextMs = await this.#look();
      this.#nextMs = nextMs;
      this.#backoff.reset();
      delayMs = Math.min(LOOK_EVERY_MS, Math.max(GATHER_MS, nextMs - clock.nowMs()));
    } catch (error) {
      delayMs = this.#backoff.nextMs();
      logger.warn('notifications wait for the store', { error: String(error) });
    }
    this.#looking = undefined;
    if (!this.#isDisposed) this.#schedule(this.#isWoken ? Math.min(delayMs, GATHER_MS) : delayMs);
  }

  /** Answers when something is due next. */
  async #look(): Promise<number> {
    const { store, notifiers, config, clock } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs - this.#sweptMs >= SWEEP_EVERY_MS) {
      // The first sweep knows of no incident that it could tell old records by.
      const looked = this.#sweptMs === -Infinity ? { has: () => true } : this.#board.sightings;
      await Promise.all(this.#receivers.map(({ records }) => records.sweep(nowMs, looked)));
      this.#board.expire();
      this.#sweptMs = nowMs;
    }
    const unfinished = this.#receivers.map(({ records }) => records.unfinished());
    const found = await this.#board.refresh(new Set(unfinished.flat()), nowMs);
    const [silenced] = await Promise.all([
      silencedLabels(store.records, nowMs),
      ...this.#receivers.map(async ({ records }, index) => {
        await records.begin(this.#board.newestUpdate);
        for (const id of unfinished[index] as string[]) if (!found.has(id)) await records.remove(id);
      }),
    ]);
    const muted = [...silenced, ...maintainedLabels(config.maintenance, nowMs)];
    const everybody = [...notifiers.keys()];
    const next = await Promise.all(
      this.#receivers.map(({ delivery, name }) =>
        delivery.look({ nowMs, muted, isRouted: (incident) => receiversOf(config.routes, everybody, incident).has(name) }),
      ),
    );
    return Math.min(...next);
  }
}

/** Starts at once; disposing it ends what is being sent within 3 s and sends nothing more. */
export function createDelivery(options: DeliveryOptions): Delivery {
  return new LevelTriggeredDelivery(options);
}
