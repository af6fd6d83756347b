import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Prng } from '../../lib/prng.ts';
import { labelsOf, SEVERITIES } from '../../model/incident-labels.ts';
import type { DeliveryConfig } from './config.ts';
import { retryDelayMs } from './delivery-health.ts';
import { dueSinceMs } from './delivery-judgement.ts';
import type { Situation } from './delivery-judgement.ts';
import { DELIVERY_METRICS } from './delivery-metrics.ts';
import { blankRecord, deliveryId, messageState, standingOf } from './delivery-record.ts';
import type { DeliveryRecord } from './delivery-record.ts';
import type { DeliveryRecords } from './delivery-records.ts';
import type { Message, Notifier, Sent } from './notifier.ts';

/** A lease outlives the longest send by so much, for the record of it to be written. */
const LEASE_MARGIN_MS = 5000;
/** Requests that one message may take as long as: looking for it, the message, its thread. */
const REQUESTS = 4;

export interface DeliverySenderOptions {
  name: string;
  notifier: Notifier;
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
}

/** `error`: the receiver does not answer as it should. */
export type Outcome = 'sent' | 'none' | { error: unknown };

/** Sends one message and records it: the intent before, the outcome after. */
export class DeliverySender {
  readonly #options: DeliverySenderOptions;

  constructor(options: DeliverySenderOptions) {
    this.#options = options;
  }

  /** 'none': another process was faster, or the fault is the message's own. Rejects when the store does before anything is sent. */
  async deliver(situation: Situation, content: string): Promise<Outcome> {
    const { records } = this.#options;
    const { incident } = situation;
    const claimed = this.#claimOf(situation, content);
    // Before anything is sent, so that whoever comes after a crash knows that there may be a message.
    if (!(await records.claim(incident.id, claimed))) return 'none';
    let sent: Sent;
    try {
      sent = await this.#send(this.#messageOf(situation, claimed), claimed.sent ?? undefined);
    } catch (error) {
      return this.#failed(claimed, situation, error);
    }
    await this.#succeeded(claimed, situation, sent);
    return 'sent';
  }

  #claimOf(situation: Situation, content: string): DeliveryRecord {
    const { config, owner } = this.#options;
    const { incident, nowMs } = situation;
    const known = situation.record ?? blankRecord(incident);
    return {
      ...known,
      revision: known.content === content ? known.revision : known.revision + 1,
      content,
      dueMs: dueSinceMs(situation),
      attempts: known.attempts + 1,
      lease: { owner, untilMs: nowMs + config.timeout * REQUESTS + LEASE_MARGIN_MS },
      closed: null,
      writtenMs: nowMs,
    };
  }

  #messageOf({ incident, report, grouped }: Situation, { revision, sent }: DeliveryRecord): Message {
    const { name, config } = this.#options;
    const state = messageState(incident, sent);
    const url = pageOf(config.public_url, incident.id);
    return { key: deliveryId(name, incident.id), revision, state, incident, report, url, labels: labelsOf(incident), grouped };
  }

  async #send(message: Message, previous: Sent | undefined): Promise<Sent> {
    const { notifier, config, clock, signal } = this.#options;
    const timeout = new AbortController();
    const late = (): void =>
      timeout.abort(new HeliosError('unavailable', `cannot send: not done within ${(config.timeout * REQUESTS) / 1000} s`));
    const cancel = clock.after(config.timeout * REQUESTS, late);
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

  async #succeeded(claimed: DeliveryRecord, { incident }: Situation, sent: Sent): Promise<void> {
    const { clock, metrics, logger, name } = this.#options;
    const nowMs = clock.nowMs();
    const fields = { receiver: name, incidentId: incident.id, state: sent.state, revision: sent.revision };
    metrics.add(DELIVERY_METRICS.notifications, 1, { receiver: name, outcome: 'sent' });
    metrics.observe(DELIVERY_METRICS.delay, Math.max(0, nowMs - (claimed.dueMs ?? nowMs)) / 1000, { receiver: name });
    logger.info('notification sent', fields);
    const isWorse = SEVERITIES.indexOf(incident.severity) > SEVERITIES.indexOf(claimed.severity);
    const isOurs = await this.#settle(incident.id, claimed, (record) => ({
      ...record,
      sent,
      sentContent: claimed.content,
      sentFeedback: incident.feedback?.id ?? null,
      severity: isWorse || record.sent === null ? incident.severity : record.severity,
      firstSentMs: record.firstSentMs ?? nowMs,
      sentMs: nowMs,
      dueMs: null,
      attempts: 0,
      nextMs: 0,
      lease: null,
      writtenMs: nowMs,
    }));
    if (!isOurs) logger.warn('another process took a notification over while it was sent', fields);
  }

  async #failed(claimed: DeliveryRecord, { incident }: Situation, error: unknown): Promise<Outcome> {
    const { clock, metrics, logger, name, prng, signal } = this.#options;
    const nowMs = clock.nowMs();
    const code = error instanceof HeliosError ? error.code : 'unavailable';
    const isOver = error instanceof HeliosError && !error.retryable && code !== 'invalid_config';
    const why = code === 'not_found' ? 'gone' : isOver ? 'refused' : null;
    metrics.add(DELIVERY_METRICS.notifications, 1, {
      receiver: name,
      outcome: why ?? (code === 'invalid_config' ? 'refused' : 'failed'),
    });
    const fields = { receiver: name, incidentId: incident.id, attempts: claimed.attempts, error: String(error) };
    if (code === 'invalid_config') logger.error('receiver refuses all messages until its configuration is another', fields);
    else if (why !== null) logger.error('notification cannot be sent', fields);
    else logger.warn('notification failed, will be retried', fields);
    const nextMs = signal.aborted || code === 'invalid_config' ? 0 : nowMs + retryDelayMs(claimed.attempts, prng);
    await this.#settle(incident.id, claimed, (record) => ({
      ...record,
      nextMs,
      lease: null,
      writtenMs: nowMs,
      ...(why !== null && { closed: { why, standing: standingOf(incident) }, dueMs: null }),
    }));
    return why !== null || signal.aborted ? 'none' : { error };
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
        await clock.sleep(retryDelayMs(tries, prng), signal);
      }
    }
  }
}

function pageOf(publicUrl: string | undefined, incidentId: string): string | null {
  if (publicUrl === undefined) return null;
  return `${publicUrl.replace(/\/+$/, '')}/api/v1/incidents/${encodeURIComponent(incidentId)}/report?format=markdown`;
}
