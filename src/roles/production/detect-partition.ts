import type { Config } from '../../config/config.ts';
import { createDetector } from '../../detect/engine.ts';
import type { DetectorCommand } from '../../detect/detector.ts';
import type { PartitionMap } from '../../detect/partition-shares.ts';
import type { LogReader, LogRecord } from '../../log/event-log.ts';
import { encodePartialHeaders } from '../../log/kafka/record-codec.ts';
import { KAFKA_CONSUMER_METRICS } from '../../log/metrics.ts';
import type { AssignedPartition, PartitionReader } from '../../log/partition-log.ts';
import { NEVER_MS } from '../../model/alert.ts';
import { createMetricScanner } from '../../model/metric-scanner.ts';
import type { Scanner } from '../../model/scanner.ts';
import type { MetricStoreWriter } from '../../store/metric-store.ts';
import type { PartitionWriter } from '../../store/timescale/partition-writer.ts';
import type { CommitPatience } from '../disk-patience.ts';
import { MetricPipeline } from '../metric-pipeline.ts';
import { Pipeline } from '../pipeline.ts';
import type { PipelineOptions } from '../pipeline.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Engines } from './engines.ts';
import { commitPatiently } from './partition-commits.ts';
import { seekStored } from './stored-offset.ts';

/** Time between looks at the clock while no events come: how late silence may be seen. */
const TICK_MS = 200;
/** Any constant: detection must not depend on luck. */
const SEED = 1;

export interface DetectPartitionOptions {
  engines: Engines;
  writer: PartitionWriter;
  scanner: Scanner;
  /** Of this partition alone. */
  metrics: Metrics;
  /** Of the same partition of the metrics topic; null when that has fewer partitions. */
  points: PartitionReader | null;
  announce: NonNullable<PipelineOptions['announce']>;
  tell: NonNullable<PipelineOptions['tell']>;
  /** Where the events of services are. */
  map: PartitionMap;
  /** People's decisions: those of the past first, then what comes; returns how to end it. */
  listen: (onCommand: (command: DetectorCommand) => void) => () => void;
}

/** Records without the requests that the partition has had before; says what is lost between the stored offset and the log's start. */
function withoutRepeats({ topic, partition, reader }: AssignedPartition, writer: PartitionWriter, engines: Engines): LogReader {
  const { logger, metrics } = engines;
  return {
    async read(committedOffset, maxBytes) {
      const records = await reader.read(committedOffset, maxBytes);
      return records && records.map((record: LogRecord) => writer.filterParts(record));
    },
    seek: (offset) => seekStored(reader, offset, { topic, partition, logger, metrics }),
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

/** The store role keeps points; here they are only shown to the detector. */
function discardPoints(offset: number): MetricStoreWriter {
  return {
    offset: () => offset,
    isFull: () => false,
    observe() {},
    commit: () => Promise.resolve(),
    retain: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function pipelineOptions(config: Config, { clock, logger }: Engines, metrics: Metrics) {
  const { clock: clockMode, store } = config;
  return {
    clock,
    clockMode,
    logger,
    metrics,
    commitIntervalMs: store.commit_interval,
    checkpointIntervalMs: store.checkpoint_interval,
    onProgress: () => {},
  };
}

/** As a whole record, so that a retry is taken for what it was. */
async function putAside(
  { topic, partition }: AssignedPartition,
  { position, receivedAtMs, partial }: LogRecord,
  reason: string,
  { deadLetters, metrics }: Engines,
): Promise<void> {
  const headers = Object.entries(encodePartialHeaders(receivedAtMs)).map(([name, text]) => [name, Buffer.from(text)] as const);
  await deadLetters.put({ topic, partition, offset: position.offset, reason, value: partial as Uint8Array, headers });
  metrics.add(KAFKA_CONSUMER_METRICS.unreadable, 1, { topic });
}

/** Says that nobody needs to wait for a partition in which nothing happens, whenever that begins. */
function createIdleWord(source: number, { announce, tell, map }: Pick<DetectPartitionOptions, 'announce' | 'tell' | 'map'>) {
  let wasIdle = false;
  return async (isIdle: boolean): Promise<void> => {
    if (isIdle && !wasIdle) {
      await announce([{ type: 'watermark', partition: source, of: 'events', watermarkMs: NEVER_MS }]);
      const partial = { source, offset: -1, receivedAtMs: 0, part: 0, toMs: NEVER_MS, client: '', windows: [] };
      await tell(map.homesBefore(source).map((home) => ({ home, partial })));
    }
    wasIdle = isIdle;
  };
}

/** Detects in the events and metrics of one partition until it is taken away; its state is committed with the offset it belongs to. */
export async function detectPartition(assigned: AssignedPartition, options: DetectPartitionOptions): Promise<void> {
  const { engines, writer, scanner, metrics, points, announce, tell, map, listen } = options;
  const { config, clock, logger, prng } = engines;
  const { signal, reader } = assigned;
  const patience: CommitPatience = {
    commit: (commit) => commitPatiently(commit, { clock, logger, prng, signal }),
    stop: () => {},
    unlessBlocked: (work) => work(),
  };
  const common = pipelineOptions(config, engines, metrics);
  const pipeline = new Pipeline({
    ...common,
    reader: withoutRepeats(assigned, writer, engines),
    writer,
    detector: createDetector({
      config: config.anomaly_detection,
      clock: config.clock,
      seed: SEED,
      partition: assigned.partition,
      map,
    }),
    scanner,
    committedOffset: () => reader.endOffset(),
    isCurrent: () => reader.isCurrent(),
    patience,
    announce,
    tell,
    onUnreadable: (record, reason) => putAside(assigned, record, reason, engines),
  });
  const pointPipeline =
    points &&
    new MetricPipeline({
      ...common,
      reader: points,
      writer: discardPoints(pipeline.safeMetricOffset),
      scanner: createMetricScanner(),
      committedOffset: () => points.endOffset(),
      watchedOffset: pipeline.safeMetricOffset,
      watch: (batch, record) => pipeline.observeMetrics(batch, record),
      patience,
    });
  const commands: DetectorCommand[] = [];
  const stopListening = listen((command) => commands.push(command));
  try {
    let tickedMs = -Infinity;
    const sayIdle = createIdleWord(assigned.partition, options);
    while (!signal.aborted) {
      // A decision about an anomaly that the replay has not come to yet would be lost.
      while (commands.length > 0 && !pipeline.isReplaying) await pipeline.command(commands.shift() as DetectorCommand);
      const hadEvents = await pipeline.step();
      // What is found in points must not be taken for what the replay of events finds again.
      const hadPoints = !pipeline.isReplaying && ((await pointPipeline?.step()) ?? false);
      if (!hadEvents && (!hadPoints || clock.monotonicMs() - tickedMs >= TICK_MS)) {
        await pipeline.tick();
        tickedMs = clock.monotonicMs();
      }
      await sayIdle(pipeline.isIdle);
      assigned.committed(pipeline.nextOffset);
      if (!hadEvents && !hadPoints) await Promise.race([reader.wait(TICK_MS), ...(points ? [points.wait(TICK_MS)] : [])]);
    }
    await pipeline.commit(true);
    assigned.committed(pipeline.nextOffset);
  } finally {
    stopListening();
  }
}
