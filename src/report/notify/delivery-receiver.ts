import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Prng } from '../../lib/prng.ts';
import { SEVERITIES } from '../../model/incident-labels.ts';
import type { LabelPatterns } from '../../model/incident-labels.ts';
import type { Incident } from '../../model/incident.ts';
import type { DeliveryConfig } from './config.ts';
import type { DeliveryBoard } from './delivery-board.ts';
import { ReceiverHealth } from './delivery-health.ts';
import { judge } from './delivery-judgement.ts';
import type { Situation, Verdict } from './delivery-judgement.ts';
import { DELIVERY_METRICS } from './delivery-metrics.ts';
import { blankRecord, isFinal, standingOf } from './delivery-record.ts';
import type { Closure } from './delivery-record.ts';
import type { DeliveryRecords } from './delivery-records.ts';
import type { DeliverySender } from './delivery-sender.ts';

const HOUR_MS = 3_600_000;
/** Waits that are no fault of the receiver. */
const HELD: ReadonlySet<string> = new Set(['muted', 'quiet', 'full']);

export interface ReceiverDeliveryOptions {
  name: string;
  canEdit: boolean;
  sender: DeliverySender;
  board: DeliveryBoard;
  records: DeliveryRecords;
  config: DeliveryConfig;
  clock: Clock;
  prng: Prng;
  logger: Logger;
  metrics: Metrics;
  /** Of leases. */
  owner: string;
  /** Called when something has changed that a look would see. */
  onProgress: () => void;
}

/** What a look at all incidents goes by. */
export interface View {
  nowMs: number;
  muted: readonly LabelPatterns[];
  isRouted: (incident: Incident) => boolean;
}

/** Brings one receiver to what it should have been told, one incident after the other, worst first. */
export class ReceiverDelivery {
  readonly #options: ReceiverDeliveryOptions;
  readonly #health: ReceiverHealth;
  /** When each was last held back by settings. */
  readonly #heldMs = new Map<string, number>();
  #view: View = { nowMs: 0, muted: [], isRouted: () => false };
  #queue: string[] = [];
  #running: Promise<void> | undefined;
  #sending: string | undefined;
  #isStopping = false;
  #waiting = { ids: new Set<string>(), carrier: undefined as string | undefined };

  constructor(options: ReceiverDeliveryOptions) {
    this.#options = options;
    this.#health = new ReceiverHealth(options.prng);
  }

  /** Judges what the board shows, closes what needs no message and sends the rest in the background; answers when to look again. Rejects as the store does. */
  async look(view: View): Promise<number> {
    const { board, records, name, metrics } = this.#options;
    this.#view = view;
    const { nowMs } = view;
    const ids = [...board.sightings.keys()];
    await records.read(ids.filter((id) => !this.#isSending(id)));
    const open = ids.filter((id) => !this.#isIdle(id, nowMs));
    await board.readReports(open, nowMs);
    const verdicts = this.#judgeAll(open, nowMs);
    let nextMs = Infinity;
    const ready: string[] = [];
    let pending = 0;
    for (const [id, verdict] of verdicts) {
      if (verdict.action === 'close') await this.#close(id, verdict.why);
      if (verdict.action === 'send') ready.push(id);
      if (verdict.action === 'wait') nextMs = Math.min(nextMs, verdict.untilMs);
      if (verdict.action === 'send' || (verdict.action === 'wait' && verdict.isPending)) pending++;
    }
    metrics.set(DELIVERY_METRICS.pending, pending, { receiver: name });
    for (const id of this.#heldMs.keys()) if (!board.sightings.has(id)) this.#heldMs.delete(id);
    // A message that fails by itself must not be the only one that is tried.
    const tries = (id: string): number => (this.#health.isFailing ? (records.known.get(id)?.record.attempts ?? 0) : 0);
    this.#queue = ready.toSorted((a, b) => tries(a) - tries(b));
    if (ready.length === 0) return nextMs;
    if (this.#health.pausedUntilMs > nowMs) return Math.min(nextMs, this.#health.pausedUntilMs);
    this.#start();
    return nextMs;
  }

  get isSending(): boolean {
    return this.#running !== undefined;
  }

  /** Sends nothing more; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#queue = [];
    await this.#running;
  }

  #isSending(id: string): boolean {
    return this.#sending === id;
  }

  /** Whether nothing about it can have to be told, without a look at its report. */
  #isIdle(id: string, nowMs: number): boolean {
    const { board, records } = this.#options;
    const { incident } = board.sightings.get(id) as { incident: Incident };
    const record = records.known.get(id)?.record;
    if (this.#isSending(id) || records.isHistory(incident, board.newestUpdate)) return true;
    if (!record) return !this.#view.isRouted(incident) && !isFinal(incident);
    if (record.closed?.standing === standingOf(incident)) return true;
    return record.dueMs === null && record.sent?.state === 'resolved' && isFinal(incident) && !board.isLively(id, nowMs);
  }

  #situation(id: string, nowMs: number, hasRoom: boolean): Situation | undefined {
    const { board, records, name, owner, canEdit } = this.#options;
    const sighting = board.sightings.get(id);
    if (!sighting) return undefined;
    return {
      ...sighting,
      record: records.known.get(id)?.record,
      nowMs,
      receiver: name,
      owner,
      isRouted: this.#view.isRouted(sighting.incident),
      muted: this.#view.muted,
      hasRoom,
      canEdit,
      heldMs: this.#heldMs.get(id) ?? 0,
      recoveredMs: this.#health.recoveredMs,
      grouped: this.#waiting.carrier === id ? this.#waiting.ids.size : 0,
    };
  }

  /** Worst first, of equals the oldest; first messages as far as the hour has room for them. */
  #judgeAll(ids: readonly string[], nowMs: number): Map<string, Verdict> {
    const { board, records, config } = this.#options;
    const rank = (id: string): number =>
      SEVERITIES.indexOf((board.sightings.get(id) as { incident: Incident }).incident.severity);
    const startOf = (id: string): string => (board.sightings.get(id) as { incident: Incident }).incident.startedAt;
    const sorted = ids.toSorted((a, b) => rank(b) - rank(a) || (startOf(a) < startOf(b) ? -1 : 1));
    const recent = [...records.known].filter(([, { record }]) => (record.firstSentMs ?? -Infinity) > nowMs - HOUR_MS);
    let room = config.max_messages_per_hour - recent.length;
    const waiting = new Set<string>();
    const judgeOne = (id: string): Verdict => judge(this.#situation(id, nowMs, room > 0) as Situation, config);
    const verdicts = new Map<string, Verdict>();
    for (const id of sorted) {
      const verdict = judgeOne(id);
      verdicts.set(id, verdict);
      const isFirst = (records.known.get(id)?.record.firstSentMs ?? null) === null;
      if (verdict.action === 'send' && isFirst) room--;
      if (verdict.action === 'wait' && verdict.why === 'full') waiting.add(id);
      if (verdict.action === 'wait' && HELD.has(verdict.why)) this.#heldMs.set(id, nowMs);
    }
    const newest = recent.toSorted((a, b) => (b[1].record.firstSentMs ?? 0) - (a[1].record.firstSentMs ?? 0))[0]?.[0];
    this.#waiting = { ids: waiting, carrier: newest };
    // Who says how many wait is known only now.
    if (newest !== undefined && verdicts.has(newest)) verdicts.set(newest, judgeOne(newest));
    return verdicts;
  }

  async #close(id: string, why: Closure): Promise<void> {
    const { board, records, name, logger, metrics, clock } = this.#options;
    const sighting = board.sightings.get(id);
    if (!sighting) return;
    const record = records.known.get(id)?.record ?? blankRecord(sighting.incident);
    const closed = { why, standing: standingOf(sighting.incident) };
    const isWritten = await records.claim(id, { ...record, closed, dueMs: null, lease: null, writtenMs: clock.nowMs() });
    if (!isWritten || why !== 'gave_up') return;
    metrics.add(DELIVERY_METRICS.notifications, 1, { receiver: name, outcome: why });
    logger.error('notification given up', { receiver: name, incidentId: id, attempts: record.attempts });
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      this.#options.onProgress();
    });
  }

  async #run(): Promise<void> {
    const { clock, logger, name } = this.#options;
    for (let id = this.#queue.shift(); id !== undefined && !this.#isStopping; id = this.#queue.shift()) {
      if (this.#health.pausedUntilMs > clock.nowMs()) return;
      this.#sending = id;
      try {
        await this.#deliver(id);
      } catch (error) {
        // The store is away: nothing can be claimed, and the next look tries again.
        logger.warn('notification not prepared', { receiver: name, incidentId: id, error: String(error) });
        return;
      } finally {
        this.#sending = undefined;
      }
    }
  }

  async #deliver(id: string): Promise<void> {
    const { board, records, config, clock, sender } = this.#options;
    await records.read([id]);
    const nowMs = clock.nowMs();
    const situation = this.#situation(id, nowMs, true);
    if (!situation) return;
    const verdict = judge(situation, config);
    if (verdict.action !== 'send') return;
    const outcome = await sender.deliver(situation, verdict.content);
    if (outcome === 'sent') this.#health.succeeded(clock.nowMs());
    else if (outcome !== 'none') this.#health.failed(outcome.error, clock.nowMs());
    board.expire(id);
  }
}
