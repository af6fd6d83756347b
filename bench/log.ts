// Group commit: how many events a second the embedded log makes durable, and what it takes to seal them.
// node bench/log.ts [seconds] [events per record] [appends in flight]
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import type { Metrics } from '../src/lib/metrics.ts';
import { logConfigSchema } from '../src/log/config.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import { LOG_METRICS } from '../src/log/metrics.ts';
import { sampleRecords } from './sample-events.ts';

const [seconds = 3, perRecord = 100, inFlight = 64] = process.argv.slice(2).map(Number);
const totals = new Map<string, number>();
const metrics: Metrics = {
  add: ({ name }, value) => void totals.set(name, (totals.get(name) ?? 0) + value),
  set() {},
  observe() {},
};
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'helios-bench-'));
try {
  const samples = sampleRecords(perRecord * 500, perRecord);
  await using log = await openEmbeddedLog({
    dir,
    config: logConfigSchema.parse({ segment_size: '1GiB' }),
    clock: systemClock,
    logger: silentLogger,
    metrics,
    idempotency: { windowMs: 86_400_000, maxKeys: 1_000_000 },
  });
  const latencies: number[] = [];
  const startMs = systemClock.monotonicMs();
  const startCpu = process.cpuUsage();
  let next = 0;
  const client = async (): Promise<void> => {
    while (systemClock.monotonicMs() - startMs < seconds * 1000) {
      const number = next++;
      const { bytes, count, timestampMs } = samples[number % samples.length] as (typeof samples)[number];
      const times = { minTimestampMs: timestampMs, maxTimestampMs: timestampMs, receivedAtMs: systemClock.nowMs() };
      const keyHash = createHash('sha256').update(String(number)).digest('hex').slice(0, 32);
      const from = systemClock.monotonicMs();
      await log.append({
        bytes,
        count,
        ...times,
        clientId: 'bench',
        idempotency: { keyHash, bodyHash: keyHash.slice(16), answer: '' },
      });
      latencies.push(systemClock.monotonicMs() - from);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, client));
  const elapsed = (systemClock.monotonicMs() - startMs) / 1000;
  const used = process.cpuUsage(startCpu);
  const sorted = latencies.toSorted((a, b) => a - b);
  const quantile = (q: number): string => (sorted[Math.floor(q * (sorted.length - 1))] as number).toFixed(2);
  const events = next * perRecord;
  console.log(`append  ${Math.round(events / elapsed)} events/s durable, p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms`);
  const commits = totals.get(LOG_METRICS.commits.name) ?? 1;
  console.log(
    `        ${(next / commits).toFixed(1)} records a commit, ${((used.user + used.system) / events).toFixed(3)} us CPU an event`,
  );
  await log.seal();
  const cpu = (totals.get(LOG_METRICS.sealCpuSeconds.name) ?? 0) * 1e6;
  console.log(
    `seal    ${(cpu / events).toFixed(2)} us CPU an event, ${(log.status().bytes / events).toFixed(2)} bytes an event, everything included`,
  );
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
