/** A process that commits record after record and prints each committed offset, until it is killed: `node FILE DIR`. */
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { createNames } from '../../model/event-batch.ts';
import { storeConfigSchema } from '../config.ts';
import { batchOf, eventAt } from '../contract/event-fixture.ts';
import { NO_UPDATE, T0 } from '../contract/store-fixture.ts';
import { openStoreWriter } from './store-writer.ts';

const dir = process.argv[2] as string;
const options = { dir, config: storeConfigSchema.parse({}), clock: systemClock, logger: silentLogger, metrics: silentMetrics };
const writer = await openStoreWriter(options);
const names = createNames();
for (let offset = writer.offset(); ; offset++) {
  const events = Array.from({ length: 3 }, (_, i) =>
    eventAt(T0 + ((offset * 7 + i) % 3600) * 1000, { metadata: { latency_ms: i } }),
  );
  writer.observe(batchOf(names, events), offset);
  const template = { entity: 'cart', templateId: 't', template: 'x', minuteMs: T0, count: 1, example: 'x' };
  await writer.commit({ ...NO_UPDATE, templates: [template], checkpoint: Buffer.from(String(offset + 1)) }, offset + 1);
  process.stdout.write(`${offset + 1}\n`);
}
