import { createHash } from 'node:crypto';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type {
  AlertMessage,
  ControlMessage,
  DecisionAnswer,
  DecisionRefusal,
  FiledAlert,
  FiledDocuments,
  IncidentDecision,
} from '../../model/alert.ts';
import type { Incident } from '../../model/incident.ts';
import { packCheckpoint, unpackCheckpoint } from '../checkpoint-codec.ts';
import { drainControl, enqueueControl, type SendControl } from './control-outbox.ts';
import type { Database, Session } from './database.ts';
import { putDocuments } from './document-writer.ts';
import { appendOutbox } from './outbox.ts';
import { eventTime, markSettled, saveAlerts, saveWatermarks, takeDue, type SettleOptions } from './pending-alerts.ts';
import { advanceAll } from './progress.ts';
import { scheduleReports } from './report-jobs.ts';

/** Makes incidents of alerts (detect/incident-book.ts). */
export interface LedgerBook {
  apply(messages: readonly FiledAlert[]): FiledDocuments;
  command(decision: IncidentDecision): DecisionAnswer;
  /** When something that is held back has to be let go, event time; Infinity when nothing is. */
  wakesAtMs(): number;
  wake(nowMs: number): FiledDocuments;
  snapshot(): Uint8Array;
  restore(payload: Uint8Array): void;
}

/** Where a consumer of the alerts stands, and to where what it hands over takes it. */
export interface AlertProgress {
  group: string;
  topic: string;
  partition: number;
  epoch: number;
  expectedOffset: number;
  nextOffset: number;
}

/** What one read of one partition of the alerts brought. */
export interface HandedAlerts {
  messages: readonly AlertMessage[];
  progress: AlertProgress;
}

export interface LedgerOptions {
  database: Database;
  /** Of this ledger alone. */
  book: LedgerBook;
  /** A report of an incident that changes is due at most this often. */
  reportIntervalMs: number;
  logger: Logger;
}

/**
 * The one incident desk of all processes: alerts are kept until all detectors are past them, and then made into incidents in the order of event
 * time, one process at a time, in the transaction that stores what comes of it. A repeat of an alert changes nothing. One that comes after a later
 * one was settled is settled as it comes.
 */
export interface IncidentLedger {
  /** Keeps what one read of the alerts brought, and moves the offset; `conflict` when the partition is another's now. */
  record(messages: readonly AlertMessage[], progress: AlertProgress): Promise<void>;
  /** Keeps alerts of a consumer whose offset is kept elsewhere; it may bring the same ones again. */
  keep(messages: readonly AlertMessage[]): Promise<void>;
  /**
   * Makes incidents of what is due; returns the number of alerts, 0 when none is left. What is handed over is recorded in the same
   * transaction: all of it or nothing, and `conflict` when one of the partitions is another's now.
   */
  settle(options: SettleOptions, handed?: readonly HandedAlerts[]): Promise<number>;
  /** Carries out a decision; the incident is undefined for a change that concerns none. */
  command(decision: IncidentDecision): Promise<{ incident: Incident | undefined } | { refusal: DecisionRefusal }>;
  /** Sends something to the detectors that concerns no incident, after all that was decided before. */
  tell(message: ControlMessage): Promise<void>;
  /** Sends decisions that wait, in order; returns how many. */
  drainControl(send: SendControl): Promise<number>;
  /** Forgets alerts that were settled so long ago that no repeat comes; returns how many. */
  trim(keepMs: number): Promise<number>;
}

export function createIncidentLedger(options: LedgerOptions): IncidentLedger {
  return new Ledger(options);
}

class Ledger implements IncidentLedger {
  readonly #database: Database;
  readonly #book: LedgerBook;
  readonly #reportIntervalMs: number;
  readonly #logger: Logger;
  readonly #empty: Uint8Array;
  /** SHA-256 of the stored state that the book is in; undefined when it may be in another. */
  #held: Uint8Array | undefined;
  /** The book is one: transactions of this process on it follow each other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor({ database, book, reportIntervalMs, logger }: LedgerOptions) {
    this.#database = database;
    this.#book = book;
    this.#reportIntervalMs = reportIntervalMs;
    this.#logger = logger;
    this.#empty = packCheckpoint(book.snapshot());
  }

  record(messages: readonly AlertMessage[], progress: AlertProgress): Promise<void> {
    return this.#database.transaction((session) => recordAll(session, [{ messages, progress }]));
  }

  keep(messages: readonly AlertMessage[]): Promise<void> {
    return this.#database.transaction((session) => saveAll(session, messages));
  }

  settle(options: SettleOptions, handed: readonly HandedAlerts[] = []): Promise<number> {
    return this.#atDesk(async (session) => {
      await recordAll(session, handed);
      const due = await takeDue(session, options);
      if (due.length === 0) return this.#wake(session, options);
      await this.#store(session, this.#book.apply(due));
      await this.#saveDesk(session);
      await markSettled(session, due);
      return due.length;
    });
  }

  command(decision: IncidentDecision): Promise<{ incident: Incident | undefined } | { refusal: DecisionRefusal }> {
    return this.#atDesk(async (session) => {
      const answer = this.#book.command(decision);
      if ('refusal' in answer) return answer;
      await this.#saveDesk(session);
      await enqueueControl(session, answer.control);
      await this.#store(session, answer);
      return { incident: answer.incident };
    });
  }

  tell(message: ControlMessage): Promise<void> {
    return this.#database.transaction((session) => enqueueControl(session, [message]));
  }

  drainControl(send: SendControl): Promise<number> {
    return drainControl(this.#database, send);
  }

  async trim(keepMs: number): Promise<number> {
    const { rowCount } = await this.#database.query(
      'DELETE FROM pending_alerts WHERE settled_at < now() - make_interval(secs => $1::float8 / 1000)',
      [keepMs],
    );
    return rowCount;
  }

  /** What people's rules hold back calls when its time is over, whether or not other alerts come. */
  async #wake(session: Session, options: SettleOptions): Promise<number> {
    const wakesAtMs = this.#book.wakesAtMs();
    if (wakesAtMs === Infinity) return 0;
    const nowMs = await eventTime(session, options);
    if (nowMs < wakesAtMs) return 0;
    const woken = this.#book.wake(nowMs);
    await this.#store(session, woken);
    await this.#saveDesk(session);
    return woken.anomalies.length;
  }

  /** Runs `work` while nobody else is at the desk, with the book as it is stored. */
  #atDesk<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const run = this.#last.then(async () => {
      let held: Uint8Array | undefined;
      const result = await this.#database.transaction(async (session) => {
        this.#open(await this.#lockDesk(session));
        const answer = await work(session);
        held = this.#held;
        this.#held = undefined;
        return answer;
      });
      // Only what is committed is known to be there.
      this.#held = held;
      return result;
    });
    this.#last = run.catch(() => {
      this.#held = undefined;
    });
    return run;
  }

  /** The stored state; null when it is the one that the book is in. */
  async #lockDesk(session: Session): Promise<Uint8Array | null> {
    const select =
      'SELECT CASE WHEN sha256(state) = $1 THEN NULL ELSE state END AS state FROM incident_desk WHERE single FOR UPDATE';
    const held = this.#held ?? new Uint8Array(0);
    let { rows } = await session.query(select, [held]);
    if (!rows[0]) {
      await session.query('INSERT INTO incident_desk (state) VALUES ($1) ON CONFLICT DO NOTHING', [this.#empty]);
      ({ rows } = await session.query(select, [held]));
    }
    return rows[0]?.['state'] as Uint8Array | null;
  }

  #open(state: Uint8Array | null): void {
    if (state === null) return;
    this.#held = undefined;
    try {
      this.#book.restore(unpackCheckpoint(state));
    } catch (error) {
      if (!(error instanceof HeliosError) || error.code !== 'corrupt_data') throw error;
      this.#logger.error('open incidents are forgotten: their state cannot be read', { reason: error.message });
      this.#book.restore(unpackCheckpoint(this.#empty));
    }
    this.#held = hashOf(state);
  }

  async #saveDesk(session: Session): Promise<void> {
    const state = packCheckpoint(this.#book.snapshot());
    await session.query('UPDATE incident_desk SET state = $1 WHERE single', [state]);
    this.#held = hashOf(state);
  }

  async #store(session: Session, { anomalies, incidents, changes }: FiledDocuments): Promise<void> {
    const { rows } = await session.query(
      `SELECT body FROM documents WHERE kind = 'incident' AND is_newest AND key = ANY($1::text[])`,
      [incidents.map(({ id }) => id)],
    );
    const before = new Map(rows.map(({ body }) => [(body as Incident).id, body as Incident]));
    await putDocuments(session, 'anomaly', anomalies);
    await putDocuments(session, 'incident', incidents);
    await putDocuments(session, 'change', changes);
    const news = incidents.map((incident) => ({ incident, before: before.get(incident.id) }));
    await scheduleReports(session, news, this.#reportIntervalMs);
    await appendOutbox(session, [
      ...changes.map((body) => ({ event: 'change' as const, body })),
      ...anomalies.map((body) => ({ event: 'anomaly' as const, body })),
      ...incidents.map((body) => ({ event: 'incident' as const, body })),
    ]);
  }
}

function hashOf(state: Uint8Array): Uint8Array {
  return createHash('sha256').update(state).digest();
}

/** Keeps alerts and watermarks with the offsets that they came from. */
async function recordAll(session: Session, handed: readonly HandedAlerts[]): Promise<void> {
  const moves = handed.map(({ progress: { epoch, expectedOffset, nextOffset, ...key } }) => {
    return { key, claim: { nextOffset: expectedOffset, epoch }, nextOffset };
  });
  await advanceAll(session, moves);
  await saveAll(
    session,
    handed.flatMap((each) => each.messages),
  );
}

async function saveAll(session: Session, messages: readonly AlertMessage[]): Promise<void> {
  await saveAlerts(session, messages);
  await saveWatermarks(session, messages);
}
