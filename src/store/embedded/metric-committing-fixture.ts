/** A process that commits points record after record and prints each committed offset, until it is killed: `node FILE DIR`. */
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { createMetricScanner } from '../../model/metric-scanner.ts';
import { metricLine } from '../../model/metric.fixture.ts';
import { T0 } from '../contract/metric-fixture.ts';
import { openMetricWriter } from './metric-writer.ts';

const dir = process.argv[2] as string;
const options = { dir, config: { max_series: 100 }, clock: systemClock, logger: silentLogger, metrics: silentMetrics };
const writer = await openMetricWriter({ ...options, blockPoints: 25, blockTails: 4, mergePoints: 1 });
const scanner = createMetricScanner();
for (let offset = writer.offset(); ; offset++) {
  const lines = Array.from({ length: 1 + (offset % 7) }, (_, i) => metricLine({ name: `m${i}` }, [[T0 + offset * 1000, offset]]));
  writer.observe(scanner.scan(Buffer.from(lines.join(''))).batch, offset);
  await writer.commit(offset + 1);
  process.stdout.write(`${offset + 1}\n`);
}
