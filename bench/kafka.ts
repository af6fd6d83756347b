// The producer alone: how many events a second a broker acknowledges, and what an event takes of the processor.
// HELIOS_TEST_KAFKA=host:port node bench/kafka.ts [seconds] [events per append] [appends in flight] [compression]
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import type { Metrics } from '../src/lib/metrics.ts';
import { kafkaConfigSchema } from '../src/log/kafka/config.ts';
import { openKafkaConnection } from '../src/log/kafka/connection.ts';
import { openKafkaLog } from '../src/log/kafka/kafka-log.ts';
import { ensureTopics } from '../src/log/kafka/topics.ts';
import { KAFKA_METRICS } from '../src/log/metrics.ts';
import type { EventBatch } from '../src/model/event-batch.ts';
import { createNames } from '../src/model/event-batch.ts';
import { NO_LIMITS } from '../src/model/scanner.ts';
import { createSimdScanner } from '../src/model/simd-scanner.ts';
import { serverAddress } from '../test/servers/server-address.fixture.ts';
import { sampleRecords } from './sample-events.ts';

const RUNS = 3;
const PARTITIONS = 10;
const [seconds = 5, perAppend = 500, inFlight = 128] = process.argv.slice(2, 5).map(Number);
const compression = process.argv[5] ?? 'lz4';

interface Sample {
  bytes: Uint8Array;
  count: number;
  timestampMs: number;
  batch: EventBatch;
}

/** Records with the columns that the doors have anyway: scanning is not what is measured here. */
function scannedSamples(): Sample[] {
  const scanner = createSimdScanner(createNames());
  return sampleRecords(perAppend * Math.ceil(50_000 / perAppend), perAppend).map(({ bytes, count, timestampMs }) => {
    const { batch } = scanner.scan(bytes, NO_LIMITS);
    const copy = structuredClone({ ...batch, bytes: new Uint8Array(0), names: null });
    return { bytes, count, timestampMs, batch: { ...copy, bytes, names: batch.names } };
  });
}

const brokers = serverAddress('kafka');
if (brokers === undefined) {
  process.stdout.write('skipped: HELIOS_TEST_KAFKA names no broker\n');
  process.exit(0);
}
const totals = new Map<string, number>();
const metrics: Metrics = {
  add: ({ name }, value) => void totals.set(name, (totals.get(name) ?? 0) + value),
  set() {},
  observe() {},
};
const topic = `bench-${process.pid}-${systemClock.nowMs()}`;
const config = kafkaConfigSchema.parse({
  brokers: brokers.split(','),
  partitions: PARTITIONS,
  replication: 1,
  compression,
  topic_events: topic,
});
await using connection = openKafkaConnection({ config, clientId: 'bench', logger: silentLogger, clock: systemClock, metrics });
await ensureTopics(connection, [{ topic, partitions: PARTITIONS, isCompacted: false }]);
const samples = scannedSamples();
const rates: number[] = [];
try {
  await using log = await openKafkaLog({
    connection,
    topic,
    kind: 'events',
    config,
    clock: systemClock,
    logger: silentLogger,
    metrics,
    idempotency: { windowMs: 86_400_000, maxKeys: 1_000_000 },
  });
  for (let run = 0; run <= RUNS; run++) {
    totals.clear();
    const latencies: number[] = [];
    const startMs = systemClock.monotonicMs();
    const startCpu = process.cpuUsage();
    let next = 0;
    const client = async (): Promise<void> => {
      while (systemClock.monotonicMs() - startMs < seconds * 1000) {
        const { timestampMs, ...sample } = samples[next++ % samples.length] as Sample;
        const times = { minTimestampMs: timestampMs, maxTimestampMs: timestampMs, receivedAtMs: systemClock.nowMs() };
        const from = systemClock.monotonicMs();
        await log.append({ ...sample, ...times, clientId: 'bench' });
        latencies.push(systemClock.monotonicMs() - from);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, client));
    const elapsed = (systemClock.monotonicMs() - startMs) / 1000;
    const used = process.cpuUsage(startCpu);
    const sorted = latencies.toSorted((a, b) => a - b);
    const quantile = (q: number): string => (sorted[Math.floor(q * (sorted.length - 1))] as number).toFixed(0);
    const events = next * perAppend;
    // The first run is there for the compiler.
    if (run > 0) rates.push(events / elapsed);
    const batches = totals.get(KAFKA_METRICS.batches.name) ?? 1;
    process.stdout.write(
      `${run === 0 ? 'warm-up' : `run ${run}  `} ${Math.round(events / elapsed)} events/s acknowledged, p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms, ` +
        `${((used.user + used.system) / events).toFixed(2)} us CPU an event, ${Math.round(events / batches)} events a batch\n`,
    );
  }
  const median = rates.toSorted((a, b) => a - b)[RUNS >> 1] as number;
  process.stdout.write(
    `median  ${Math.round(median)} events/s (${compression}, ${perAppend} events an append, ${inFlight} in flight)\n`,
  );
} finally {
  await connection.admin.deleteTopics({ topics: [topic] });
}
