// Sealing: what a closed segment costs to convert and takes on disk, for lines of every shape that doors write.
// node bench/seal.ts [lines]
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import type { Metrics } from '../src/lib/metrics.ts';
import { logConfigSchema } from '../src/log/config.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import { LOG_METRICS } from '../src/log/metrics.ts';
import { sampleRecords, type SampleRecord } from './sample-events.ts';
import { metricRecords, spanRecords } from './sample-telemetry.ts';

const IN_FLIGHT = 64;

async function measure(shape: string, records: readonly SampleRecord[], repeat: number) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'helios-bench-'));
  let sealSeconds = 0;
  const metrics: Metrics = {
    add({ name }, value) {
      if (name === LOG_METRICS.sealCpuSeconds.name) sealSeconds += value;
    },
    set() {},
    observe() {},
  };
  try {
    await using log = await openEmbeddedLog({
      dir,
      config: logConfigSchema.parse({}),
      clock: systemClock,
      logger: silentLogger,
      metrics,
      idempotency: { windowMs: 86_400_000, maxKeys: 1_000_000 },
    });
    let [lines, bytes] = [0, 0];
    for (let round = 0; round < repeat; round++) {
      for (let i = 0; i < records.length; i += IN_FLIGHT) {
        const some = records.slice(i, i + IN_FLIGHT);
        await Promise.all(
          some.map(({ bytes, count, timestampMs }) => {
            const times = { minTimestampMs: timestampMs, maxTimestampMs: timestampMs, receivedAtMs: systemClock.nowMs() };
            return log.append({ bytes, count, ...times, clientId: 'bench' });
          }),
        );
        for (const record of some) [lines, bytes] = [lines + record.count, bytes + record.bytes.length];
      }
    }
    await log.seal();
    return {
      lines: shape,
      'raw bytes/line': (bytes / lines).toFixed(0),
      'sealed bytes/line': (log.status().bytes / lines).toFixed(2),
      ratio: (bytes / log.status().bytes).toFixed(1),
      'CPU us/line': ((sealSeconds * 1e6) / lines).toFixed(2),
    };
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

const lines = Number(process.argv[2] ?? 500_000);
const repeat = 2;
const once = Math.round(lines / repeat / 100) * 100;
console.table([
  await measure('native events, 100 a record', sampleRecords(once, 100), repeat),
  await measure('native events, 1 a record', sampleRecords(Math.round(once / 5), 1), repeat),
  await measure('spans of OTLP, attributes vary', spanRecords(once, 100), repeat),
  await measure('metrics, 1 point a line', metricRecords(once, 100), repeat),
]);
