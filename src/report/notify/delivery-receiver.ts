import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Prng } from '../../lib/prng.ts';
import { labelsOf, SEVERITIES } from '../../model/incident-labels.ts';
import type { LabelPatterns } from '../../model/incident-labels.ts';
import type { Incident } from '../../model/incident.ts';
import type { DeliveryConfig } from './config.ts';
import type { DeliveryBoard } from './delivery-board.ts';
import { ReceiverHealth, retryDelayMs } from './delivery-health.ts';
import { dueSinceMs, judge } from './delivery-judgement.ts';
import type { Situation, Verdict } from './delivery-judgement.ts';
import { DELIVERY_METRICS } from './delivery-metrics.ts';
import { deliveryId, isFinal, messageState, standingOf } from './delivery-record.ts';
import type { Closure, DeliveryRecord } from './delivery-record.ts';
import type { DeliveryRecords } from './delivery-records.ts';
import type { Message, Notifier, Sent } from './notifier.ts';

const HOUR_MS = 3_600_000;
/** A lease outlives the longest send by so much, for the record of it to be written. */
const LEASE_MARGIN_MS = 5000;

export interface ReceiverDeliveryOptions {
  name: string;
  notifier: Notifier;
  board: DeliveryBoard;
  records: DeliveryRecords;
  config: DeliveryConfig;
  clock: Clock;
  prng: Prng;
  logger: Logger;
  metrics: Metrics;
  /** Of leases: one that no other process has. */
  owner: string;
  /** Aborted when a send under way has to end. */
  signal: AbortSignal;
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
    this.#queue = ready;
    if (ready.length === 0) return nextMs;
    if (this.#health.pausedUntilMs > nowMs) return Math.min(nextMs, this.#health.pausedUntilMs);
    this.#start();
    return nextMs;
  }

  /** Sends nothing more; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#queue = [];
    await this.#running;
  }

  #sending: string | undefined;

  #isSending(id: string): boolean {
    return this.#sending === id;
  }

  /** Whether nothing about it can have to be told, without a look at its report. */
  #isIdle(id: string, nowMs: number): boolean {
    const { board, records } = this.#options;
    const { incident } = board.sightings.get(id) as { incident: Incident };
    const record = records.known.get(id)?.record;
    if (this.#isSending(id) || records.isHistory(incident)) return true;
    if (!record) return !this.#view.isRouted(incident) && !isFinal(incident);
    if (record.closed?.standing === standingOf(incident)) return true;
    return record.dueMs === null && record.sent?.state === 'resolved' && isFinal(incident) && !board.isLively(id, nowMs);
  }

  #situation(id: string, nowMs: number, hasRoom: boolean): Situation | undefined {
    const { board, records, name, owner, notifier } = this.#options;
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
      canEdit: notifier.supports.edit,
      heldMs: this.#heldMs.get(id) ?? 0,
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
      if (verdict.action === 'wait' && !verdict.isPending && verdict.why !== 'interval') this.#heldMs.set(id, nowMs);
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
    const { board, records, config, clock, owner } = this.#options;
    await records.read([id]);
    const nowMs = clock.nowMs();
    const situation = this.#situation(id, nowMs, true);
    const verdict = situation && judge(situation, config);
    if (verdict?.action !== 'send') return;
    const { incident, report } = situation;
    const known = situation.record ?? blankRecord(incident);
    const revision = known.content === verdict.content ? known.revision : known.revision + 1;
    const claimed: DeliveryRecord = {
      ...known,
      revision,
      content: verdict.content,
      dueMs: dueSinceMs(situation),
      attempts: known.attempts + 1,
      lease: { owner, untilMs: nowMs + config.timeout + LEASE_MARGIN_MS },
      closed: null,
      writtenMs: nowMs,
    };
    // Before anything is sent, so that whoever comes after a crash knows that there may be a message.
    if (!(await records.claim(id, claimed))) return;
    const message: Message = {
      key: deliveryId(this.#options.name, id),
      revision,
      state: messageState(incident, known.sent),
      incident,
      report,
      url: pageOf(config.public_url, id),
      labels: labelsOf(incident),
      grouped: situation.grouped,
    };
    let sent: Sent;
    try {
      sent = await this.#send(message, known.sent ?? undefined);
    } catch (error) {
      await this.#failed(id, claimed, { error, standing: standingOf(incident) });
      return;
    }
    board.expire(id);
    await this.#succeeded(id, claimed, { sent, incident });
  }

  async #send(message: Message, previous: Sent | undefined): Promise<Sent> {
    const { notifier, config, clock, signal } = this.#options;
    const timeout = new AbortController();
    const late = (): void =>
      timeout.abort(new HeliosError('unavailable', `cannot send: no answer within ${config.timeout / 1000} s`));
    const cancel = clock.after(config.timeout, late);
    const both = AbortSignal.any([timeout.signal, signal]);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(both.reason as Error);
    both.addEventListener('abort', onAbort, { once: true });
    if (both.aborted) onAbort();
    try {
      // A notifier that does not heed the signal holds nobody up either.
      return await Promise.race([notifier.send(message, previous, both), aborted]);
    } finally {
      cancel();
      both.removeEventListener('abort', onAbort);
    }
  }

  async #succeeded(id: string, claimed: DeliveryRecord, { sent, incident }: { sent: Sent; incident: Incident }): Promise<void> {
    const { clock, metrics, logger, name, owner } = this.#options;
    const nowMs = clock.nowMs();
    this.#health.succeeded();
    metrics.add(DELIVERY_METRICS.notifications, 1, { receiver: name, outcome: 'sent' });
    metrics.observe(DELIVERY_METRICS.delay, Math.max(0, nowMs - (claimed.dueMs ?? nowMs)) / 1000, { receiver: name });
    logger.info('notification sent', { receiver: name, incidentId: id, state: sent.state, revision: sent.revision });
    const worse = SEVERITIES.indexOf(incident.severity) > SEVERITIES.indexOf(claimed.severity);
    const isOurs = await this.#settle(id, claimed, (record) => ({
      ...record,
      sent,
      sentContent: claimed.content,
      severity: worse || record.sent === null ? incident.severity : record.severity,
      firstSentMs: record.firstSentMs ?? nowMs,
      sentMs: nowMs,
      dueMs: null,
      attempts: 0,
      nextMs: 0,
      lease: null,
      writtenMs: nowMs,
    }));
    if (!isOurs)
      logger.warn('another process took a notification over while it was sent', { receiver: name, incidentId: id, owner });
  }

  async #failed(id: string, claimed: DeliveryRecord, { error, standing }: { error: unknown; standing: string }): Promise<void> {
    const { clock, metrics, logger, name, prng, signal } = this.#options;
    const nowMs = clock.nowMs();
    const code = error instanceof HeliosError ? error.code : undefined;
    const isRefused = error instanceof HeliosError && !error.retryable && code !== 'invalid_config' && code !== 'not_found';
    const why = code === 'not_found' ? 'gone' : isRefused ? 'refused' : null;
    if (!signal.aborted && why === null) this.#health.failed(error, nowMs);
    const outcome = why ?? (code === 'invalid_config' ? 'refused' : 'failed');
    metrics.add(DELIVERY_METRICS.notifications, 1, { receiver: name, outcome });
    const fields = { receiver: name, incidentId: id, attempts: claimed.attempts, error: String(error) };
    if (code === 'invalid_config') logger.error('receiver refuses all messages until its configuration is another', fields);
    else if (why !== null) logger.error('notification cannot be sent', fields);
    else logger.warn('notification failed, will be retried', fields);
    const nextMs = signal.aborted || code === 'invalid_config' ? 0 : nowMs + retryDelayMs(claimed.attempts, prng);
    await this.#settle(id, claimed, (record) => ({
      ...record,
      nextMs,
      lease: null,
      writtenMs: nowMs,
      ...(why !== null && { closed: { why, standing }, dueMs: null }),
    }));
  }

  /** As `DeliveryRecords.settle`, as often as it takes: what was sent and is not recorded would be sent again. */
  async #settle(id: string, claimed: DeliveryRecord, change: (record: DeliveryRecord) => DeliveryRecord): Promise<boolean> {
    const { records, clock, prng, logger, name, signal } = this.#options;
    for (let tries = 1; ; tries++) {
      try {
        return await records.settle(id, claimed, change);
      } catch (error) {
        logger.warn('notification not recorded', { receiver: name, incidentId: id, tries, error: String(error) });
        if (signal.aborted) throw error;
        await clock.sleep(retryDelayMs(tries, prng));
      }
    }
  }
}

function blankRecord(incident: Incident): DeliveryRecord {
  const nothing = { sent: null, sentContent: null, firstSentMs: null, sentMs: null, dueMs: null, lease: null, closed: null };
  return { revision: 0, content: '', severity: incident.severity, attempts: 0, nextMs: 0, writtenMs: 0, ...nothing };
}

function pageOf(publicUrl: string | undefined, incidentId: string): string | null {
  if (publicUrl === undefined) return null;
  return `${publicUrl.replace(/\/+$/, '')}/api/v1/incidents/${encodeURIComponent(incidentId)}/report?format=markdown`;
}
