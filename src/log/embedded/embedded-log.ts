import fs from 'node:fs';
import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { LogConfig } from '../config.ts';
import type {
  AppendRecord,
  Damage,
  EventLog,
  KnownRequest,
  LogStatus,
  LogSupport,
  Position,
  RetentionLimits,
} from '../event-log.ts';
import { LOG_METRICS, labelled } from '../metrics.ts';
import { ActiveSegment } from './active-segment.ts';
import { CommitQueue } from './commit-queue.ts';
import type { FrameBatch } from './frame-batch.ts';
import { lockDataDir, unusable } from './data-dir-lock.ts';
import { IdempotencyIndex, type IdempotencyLimits } from '../idempotency-index.ts';
import { isDiskFull, nodeLogFiles, type LogFiles } from './log-files.ts';
import { recoverSegments, type Recovered } from './recovery.ts';
import { planRetention } from './retention.ts';
import { SealWorker } from './seal-worker.ts';
import { Sealer } from './sealer.ts';
import { emptySegment, type Segment } from './segment.ts';
import { logDirectory, rawPath, type LogName } from './segment-file.ts';
import { SyncPolicy } from './sync-policy.ts';
import { probeSyncMs } from './sync-probe.ts';

export interface EmbeddedLogOptions {
  /** The data directory; made when it does not exist. */
  dir: string;
  /** Which of its logs; `log` unless given. */
  name?: LogName;
  /** The sealing thread, when several logs share one; a log ends only a thread that it made itself. */
  sealWorker?: SealWorker;
  config: LogConfig;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  idempotency: IdempotencyLimits;
  /**
   * A reader has stored what it made of every record below: a log that ends before has lost its end. That is named among the
   * damages, and the lost offsets are not given out again.
   */
  expectedOffset?: number;
  /** Names of readers that retention waits for; each starts at the first offset until it acknowledges. */
  readers?: readonly string[];
  /** The disk can no longer be trusted (EIO): every append from now on is refused and the process should end. */
  onFatal?: (error: Error) => void;
  files?: LogFiles;
}

/** Rolling by age is looked at this often at least. */
const MAX_AGE_CHECK_MS = 10_000;

/**
 * Opens a log in `dir` and takes its lock: that of the event log is the data directory's. Throws `data_dir_locked`, `data_dir_unusable`, `disk_full`, `corrupt_data`
 * (a newer format).
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const { name = 'log' } = options;
  const directory = logDirectory(options.dir, name);
  const lock = lockDataDir(name === 'log' ? options.dir : directory);
  try {
    const files = options.files ?? nodeLogFiles;
    fs.mkdirSync(directory, { recursive: true });
    files.syncDirectory(options.dir);
    const { idempotency, clock, logger } = options;
    const metrics = labelled(options.metrics, { log: name });
    const index = new IdempotencyIndex(idempotency, (count) => metrics.add(LOG_METRICS.evictedKeys, count));
    const nowMs = clock.nowMs();
    const recovered = recoverSegments({
      directory,
      files,
      logger,
      maxKeys: idempotency.maxKeys,
      onKey: (key, count, receivedAtMs) => index.restore(key, count, receivedAtMs, nowMs),
      expectKeys: (count) => index.reserve(count),
      nowMs,
      expectedOffset: options.expectedOffset ?? 0,
    });
    const { sync: mode } = options.config;
    const sync = new SyncPolicy(mode, mode === 'auto' ? probeSyncMs(files, directory, clock) : 0);
    return new EmbeddedLog({ ...options, metrics, files, directory, index, recovered, lock, sync });
  } catch (error) {
    lock[Symbol.dispose]();
    if (error instanceof HeliosError) throw error;
    if (isDiskFull(error))
      throw new HeliosError('disk_full', `cannot open the log in ${options.dir}: the disk is full`, { cause: error });
    throw unusable(options.dir, error);
  }
}

interface OpenedLog extends EmbeddedLogOptions {
  files: LogFiles;
  directory: string;
  index: IdempotencyIndex;
  recovered: Recovered;
  lock: Disposable;
  sync: SyncPolicy;
}

export class EmbeddedLog implements EventLog {
  readonly supports: LogSupport = { wholeRecords: true, retention: true };
  readonly #options: OpenedLog;
  readonly #segments: Segment[];
  readonly #damages: Damage[];
  readonly #queue: CommitQueue;
  readonly #sealer: Sealer;
  readonly #ownSealWorker: SealWorker | null;
  readonly #acknowledged: Map<string, number>;
  readonly #listeners = new Set<(nextOffset: number) => void>();
  readonly #stopAgeCheck: () => void;
  #active: ActiveSegment;
  /** Monotonic, so that a wall clock that was put back does not keep a segment open. */
  #activeSinceMs: number;
  #refusal: HeliosError | null = null;
  #warnedUnread: Segment | null = null;

  constructor(options: OpenedLog) {
    const { recovered, config, clock, files, directory } = options;
    this.#options = options;
    this.#segments = recovered.segments;
    this.#damages = recovered.damages;
    this.#acknowledged = new Map((options.readers ?? []).map((reader) => [reader, 0]));
    this.#queue = new CommitQueue(config.max_pending, (batch) => this.#commit(batch));
    this.#ownSealWorker = options.sealWorker ? null : new SealWorker(config.seal_level);
    this.#sealer = new Sealer({
      worker: options.sealWorker ?? (this.#ownSealWorker as SealWorker),
      logger: options.logger,
      onSealed: (_, cpuMs) => this.#sealed(cpuMs),
    });
    const last = this.#segments.at(-1);
    this.#setLostEndAside(last);
    // A damaged segment is closed for good, so that nothing more can be lost with it.
    if (last && !last.sealed && !last.damaged) this.#active = ActiveSegment.open(last, files);
    else this.#active = this.#createActive(files, directory);
    this.#activeSinceMs = clock.monotonicMs();
    for (const segment of this.#segments.slice(0, -1)) this.#sealer.add(segment);
    const checkMs = Math.max(1, Math.min(MAX_AGE_CHECK_MS, config.segment_age / 4));
    this.#stopAgeCheck = clock.every(checkMs, () => this.#rollWhenOld());
    this.#setGauges();
  }

  append(record: AppendRecord): Promise<Position> {
    return this.#refusal ? Promise.reject(this.#refusal) : this.#queue.add(record);
  }

  findRequest(keyHash: string): KnownRequest | undefined {
    return this.#options.index.find(keyHash, this.#options.clock.nowMs());
  }

  committedOffset(): number {
    return this.#active.segment.nextOffset;
  }

  onCommit(listener: (nextOffset: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  acknowledge(reader: string, nextOffset: number): void {
    this.#acknowledged.set(reader, nextOffset);
  }

  async retain(limits: RetentionLimits, nowMs: number): Promise<number> {
    const { files, directory, logger, metrics } = this.#options;
    const { remove, unread } = planRetention(this.#segments, limits, nowMs, Math.min(Infinity, ...this.#acknowledged.values()));
    let freed = 0;
    for (const segment of remove) {
      if (this.#sealer.isSealing(segment)) break;
      this.#sealer.drop(segment);
      files.unlink(segment.path);
      this.#segments.shift();
      freed += segment.bytes;
    }
    if (freed > 0) files.syncDirectory(directory);
    if (unread && unread !== this.#warnedUnread) {
      this.#warnedUnread = unread;
      logger.warn('keeping a segment past its retention: a reader has not read it', {
        file: unread.path,
        nextOffset: unread.nextOffset,
        readers: Object.fromEntries(this.#acknowledged),
      });
    }
    metrics.add(LOG_METRICS.retainedBytes, freed);
    this.#setGauges();
    return freed;
  }

  status(): LogStatus {
    return {
      firstOffset: this.#segments[0]?.base ?? 0,
      nextOffset: this.committedOffset(),
      bytes: this.#segments.reduce((sum, segment) => sum + segment.bytes, 0),
      segments: this.#segments.length,
      sealedSegments: this.#segments.filter(({ sealed }) => sealed).length,
      damages: [...this.#damages],
    };
  }

  /** Closes the segment that is written to and resolves when every closed segment is sealed or known to be damaged. */
  async seal(): Promise<void> {
    await this.#queue.drained();
    if (this.#active.holdsRecords) this.#roll();
    await this.#sealer.idle();
  }

  /** Commits what was appended, refuses the rest, and gives the directory free. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#refusal ??= new HeliosError('shutting_down', 'cannot append: the log is closing', {
      details: { retryAfterSeconds: 5 },
    });
    this.#stopAgeCheck();
    await this.#queue.drained();
    await this.#sealer.close();
    await this.#ownSealWorker?.close();
    this.#trimActive();
    this.#active.close();
    this.#options.lock[Symbol.dispose]();
  }

  /** Makes the records durable and returns the first one's offset; throws what the appends reject with. */
  async #commit(batch: FrameBatch): Promise<number> {
    const { clock, sync, metrics, config } = this.#options;
    const startMs = clock.monotonicMs();
    try {
      if (this.#refusal?.code === 'log_unavailable') throw this.#refusal;
      if (this.#isDue()) this.#roll();
      const zeroFilling = this.#active.write(batch, config.segment_size);
      if (sync.next(zeroFilling) === 'async') await this.#active.syncDataAsync();
      else {
        const syncMs = clock.monotonicMs();
        this.#active.syncData();
        if (!zeroFilling) sync.measured(clock.monotonicMs() - syncMs);
      }
      const first = this.committedOffset();
      this.#active.advance(batch);
      this.#committed(batch, clock.monotonicMs() - startMs);
      return first;
    } catch (error) {
      const refusal = this.#recover(error);
      metrics.add(LOG_METRICS.failedAppends, batch.size, { code: refusal.code });
      throw refusal;
    }
  }

  #committed(batch: FrameBatch, tookMs: number): void {
    const { metrics, index, clock } = this.#options;
    const nowMs = clock.nowMs();
    for (const { key, count, receivedAtMs } of batch.keys) index.add(key, count, receivedAtMs, nowMs);
    metrics.add(LOG_METRICS.records, batch.size);
    metrics.add(LOG_METRICS.events, batch.events);
    metrics.add(LOG_METRICS.bytes, batch.payloadBytes);
    metrics.add(LOG_METRICS.commits, 1);
    metrics.set(LOG_METRICS.pendingBytes, this.#queue.bytes - batch.bytes);
    metrics.observe(LOG_METRICS.commitSeconds, tookMs / 1000);
    const next = this.committedOffset();
    for (const listener of this.#listeners) listener(next);
  }

  /**
   * Puts the file back to its last good frame after a failed commit. A full disk passes; after anything else nobody knows
   * what the kernel has kept of the pages it failed to write, so the log ends here.
   */
  #recover(error: unknown): HeliosError {
    if (error === this.#refusal) return this.#refusal as HeliosError;
    if (!isDiskFull(error)) return this.#fatal(error);
    try {
      this.#active.cut();
    } catch (second) {
      return this.#fatal(second);
    }
    return new HeliosError('disk_full', 'cannot append: the disk is full', { cause: error, details: { retryAfterSeconds: 10 } });
  }

  #fatal(error: unknown): HeliosError {
    const reason = (error as Error).message;
    this.#refusal = new HeliosError('log_unavailable', `cannot append: the log's disk failed: ${reason}`, { cause: error });
    this.#options.logger.error('the log cannot be written any more', { reason });
    this.#options.onFatal?.(error as Error);
    return this.#refusal;
  }

  #isDue(): boolean {
    const { config, clock } = this.#options;
    const { segment, holdsRecords } = this.#active;
    const ageMs = Math.max(clock.nowMs() - segment.createdAtMs, clock.monotonicMs() - this.#activeSinceMs);
    return holdsRecords && (ageMs >= config.segment_age || segment.bytes >= config.segment_size);
  }

  #rollWhenOld(): void {
    if (!this.#queue.idle || this.#refusal !== null || !this.#isDue()) return;
    try {
      this.#roll();
    } catch (error) {
      if (isDiskFull(error)) this.#options.logger.warn('cannot start a new segment: the disk is full');
      else this.#fatal(error);
    }
  }

  /** Everything in the old segment is durable already, commit by commit. */
  #roll(): void {
    const old = this.#active;
    assert(old.holdsRecords, 'an empty segment is never rolled');
    // Before the next file is there: only the newest one may end with zeros.
    old.trim();
    this.#active = this.#createActive(this.#options.files, this.#options.directory);
    this.#activeSinceMs = this.#options.clock.monotonicMs();
    old.close();
    this.#sealer.add(old.segment);
    this.#setGauges();
  }

  /** What cannot be trimmed is trimmed by the next start. */
  #trimActive(): void {
    if (this.#refusal?.code === 'log_unavailable') return;
    try {
      this.#active.trim();
    } catch (error) {
      this.#options.logger.warn('cannot trim the newest segment', { reason: (error as Error).message });
    }
  }

  #setLostEndAside(last: Segment | undefined): void {
    const { expectedOffset = 0, directory, logger } = this.#options;
    const end = last?.nextOffset ?? 0;
    if (end >= expectedOffset) return;
    const [file, at] = last ? [last.path, last.bytes] : [directory, 0];
    const damage = { file, fromByte: at, toByte: at, reason: `records ${end} to ${expectedOffset - 1} are missing at the end` };
    logger.error('the end of the log is lost; the rest is served', damage);
    this.#damages.push(damage);
    // Left as it is, not sealed and not written to.
    if (last && !last.sealed) last.damaged = true;
  }

  #createActive(files: LogFiles, directory: string): ActiveSegment {
    const last = this.#segments.at(-1);
    const base = last?.nextOffset ?? 0;
    // Only a damaged segment without a single frame has a successor of the same base; it yields one offset.
    const free = Math.max(base === last?.base ? base + 1 : base, this.#options.expectedOffset ?? 0);
    const segment = emptySegment(rawPath(directory, free), free, last?.nextEvent ?? 0, this.#options.clock.nowMs());
    const active = ActiveSegment.create(segment, files, directory);
    this.#segments.push(segment);
    return active;
  }

  #sealed(cpuMs: number): void {
    this.#options.metrics.add(LOG_METRICS.sealedSegments, 1);
    this.#options.metrics.add(LOG_METRICS.sealCpuSeconds, cpuMs / 1000);
    this.#setGauges();
  }

  #setGauges(): void {
    const { metrics } = this.#options;
    const { segments, sealedSegments, bytes, damages } = this.status();
    metrics.set(LOG_METRICS.segments, sealedSegments, { form: 'sealed' });
    metrics.set(LOG_METRICS.segments, segments - sealedSegments, { form: 'raw' });
    metrics.set(LOG_METRICS.storedBytes, bytes);
    metrics.set(LOG_METRICS.damages, damages.length);
  }
}
