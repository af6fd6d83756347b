import { HeliosError } from '../../lib/errors.ts';
import { connectionTo, testConfig } from './kafka.fixture.ts';
import { openPartitionGroup } from './partition-group.ts';

/** A process that is a member of a group until it is killed: writes "begin P" and "end P" as partitions come and go. */
const [brokers, topic, group] = process.argv.slice(2);
if (brokers === undefined || topic === undefined || group === undefined)
  throw new HeliosError('internal', 'cannot run: no arguments');

await openPartitionGroup({
  connection: connectionTo(testConfig(brokers)),
  group,
  topics: [topic],
  onUnreadable: () => Promise.resolve(),
  work: async (assigned) => {
    const { partition, signal, reader } = assigned;
    reader.seek(0);
    process.stdout.write(`begin ${partition}\n`);
    while (!signal.aborted) {
      const records = await reader.read(Infinity, 1_000_000);
      if (!records) await reader.wait(200);
      else assigned.committed(records.at(-1)!.position.offset + 1);
    }
    process.stdout.write(`end ${partition}\n`);
  },
});
