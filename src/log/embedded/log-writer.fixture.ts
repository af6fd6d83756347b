// Opens the log in the directory given, appends without end, and prints every acknowledged offset; made to be killed.
import { systemClock } from '../../lib/clock.ts';
import { recordOf } from '../record.fixture.ts';
import { openFixtureLog } from './log.fixture.ts';

const dir = process.argv[2] as string;
await using log = await openFixtureLog(dir, { clock: systemClock, config: { segment_size: 200_000, sync: 'async' } });
for (;;) {
  const from = log.committedOffset();
  const appended = Array.from({ length: 20 }, (_, i) => log.append(recordOf(`record ${from + i}`, 1 + ((from + i) % 50))));
  for (const { offset } of await Promise.all(appended)) process.stdout.write(`${offset}\n`);
}
