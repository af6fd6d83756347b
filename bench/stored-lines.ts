import { openLogReader } from '../src/log/embedded/segment-reader.ts';

const READ_BYTES = 4 * 2 ** 20;

/**
 * Every line of a log of a server that has ended, in order, parsed: events, or series with their points
 * (src/model/metric.ts).
 */
export async function* storedLines<T>(dataDir: string, name: 'log' | 'metrics'): AsyncGenerator<T> {
  await using reader = openLogReader({
    dir: dataDir,
    name,
    onDamage: ({ file, reason }) => {
      throw new Error(`${file} is damaged: ${reason}`);
    },
  });
  reader.seek(0);
  for (let records = await reader.read(Infinity, READ_BYTES); records; records = await reader.read(Infinity, READ_BYTES)) {
    for (const { bytes } of records) {
      for (const line of Buffer.from(bytes).toString().split('\n')) if (line !== '') yield JSON.parse(line) as T;
    }
  }
}
