import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A folder of files that is removed at the end of a test; names that end with .gz are compressed. */
export function writeFolder(files: Record<string, string>): { folder: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'helios-evaluate-'));
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  }
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

/** A quiet series with a level that a generator of small steps wanders around. */
export function wave(row: number): number {
  return 10 + Math.sin(row) + 0.3 * Math.sin(7.3 * row);
}

/** Rows of a server in the layout `t_seconds,split,m1,m2,label`; rows from `from` to `to` of the test part are faulty in m2. */
export function serverRows(train: number, test: number, [from, to]: readonly [number, number]): string {
  const lines = Array.from({ length: train + test }, (_, row) => {
    const at = row - train;
    const faulty = at >= from && at <= to;
    return `${row * 60},${at < 0 ? 'train' : 'test'},${wave(row)},${wave(row + 3) + (faulty ? 40 : 0)},${faulty ? 1 : 0}`;
  });
  return `t_seconds,split,m1,m2,label\n${lines.join('\n')}`;
}

const stamp = (ms: number): string => new Date(ms).toISOString();
const START_MS = Date.UTC(2031, 4, 5);

/** A windowed series with CRLF line ends and a repeated stamp, and its windows. */
export function windowedSeries(rows: number, [from, to]: readonly [number, number]): { csv: string; windows: string[][] } {
  const at = (row: number): string =>
    stamp(START_MS + row * 300_000)
      .slice(0, 19)
      .replace('T', ' ');
  const lines = Array.from({ length: rows }, (_, row) => `${at(row)},${wave(row) + (row >= from && row <= to ? 50 : 0)}`);
  lines.splice(2, 0, lines[1] as string);
  return { csv: `timestamp,value\r\n${lines.join('\r\n')}\r\n`, windows: [[`${at(from)}.000000`, `${at(to)}.000000`]] };
}

/** A labelled series, every cell quoted, with a byte order mark and an empty value. */
export function labelledSeries(rows: number, [from, to]: readonly [number, number]): string {
  const lines = Array.from({ length: rows }, (_, row) => {
    const faulty = row >= from && row <= to;
    const value = row === 1 ? '' : wave(row) + (faulty ? 50 : 0);
    return `"${stamp(START_MS + row * 60_000)}","${value}","${faulty ? 1 : 0}"`;
  });
  return `\u{feff}"TimeStamp","Value","Label"\r\n${lines.join('\r\n')}\r\n`;
}

export function featureRecords(rows: number, [from, to]: readonly [number, number]): { data: string; labels: string } {
  const records = Array.from({ length: rows }, (_, row) => ({
    timestamp: stamp(START_MS + row * 60_000),
    a: wave(row) + (row >= from && row <= to ? 50 : 0),
    b: wave(row + 1),
  }));
  return {
    data: JSON.stringify(records),
    labels: JSON.stringify([[stamp(START_MS + from * 60_000), stamp(START_MS + to * 60_000)]]),
  };
}

/** Metrics of two services a minute apart, one of them faulty from row `from` on for three minutes, and the truth. */
export function serviceMetrics(rows: number, from: number): { csv: string; faults: string } {
  const lines = ['till', 'stock'].flatMap((service, s) =>
    Array.from({ length: rows }, (_, row) => {
      const faulty = service === 'stock' && row >= from && row < from + 4;
      return `${stamp(START_MS + row * 60_000 + s * 7000)},${service},${wave(row) + (faulty ? 60 : 0)},${row === 0 ? 'NaN' : wave(row + s)}`;
    }),
  );
  const start = START_MS + from * 60_000;
  return {
    csv: `timestamp,service,Cpu(m),Latency(s)\n${lines.join('\n')}\n`,
    faults: JSON.stringify([{ start: stamp(start), end: stamp(start + 180_000), service: 'stock', type: 'cpu' }]),
  };
}

/** Events of one service at four a second. */
export function events(seconds: number): string {
  const lines = Array.from({ length: seconds * 4 }, (_, i) =>
    JSON.stringify({
      timestamp: stamp(START_MS + i * 250),
      service: 'till',
      level: 'INFO',
      message: 'sold',
      metadata: { latency_ms: 10 + (i % 7), endpoint: '/sale' },
    }),
  );
  return `${lines.join('\n')}\n`;
}

/** A graph of three components in which `front` calls `middle` calls `back`; `back` is slow in the issue. */
export function componentFiles(): Record<string, string> {
  const nodes = ['front', 'middle', 'back'];
  const statistics = ['Average', 'Sum'];
  const head = [
    ['microservice', ...nodes.flatMap((node) => [node, node])],
    ['metric', ...nodes.flatMap(() => ['latency', 'requests'])],
    ['statistic', ...nodes.flatMap(() => statistics)],
    ['unix_timestamp', ...nodes.flatMap(() => ['', ''])],
  ].map((cells) => cells.join(','));
  const rows = (count: number, startSeconds: number, slow: boolean): string => {
    const lines = Array.from({ length: count }, (_, row) => {
      const cells = nodes.flatMap((_, n) => [wave(row + n) / 100 + (slow && row > 0 && row < 4 ? 5 + n : 0), 100 + (row % 3)]);
      return `${startSeconds + row * 300}.0,${cells.join(',')}`;
    });
    return `${[...head, ...lines].join('\n')}\n`;
  };
  return {
    'calm/graph.csv': ',front,middle,back\nfront,0,1.0,0\nmiddle,0,0,1.0\nback,0,0,0\n',
    'calm/quiet/metrics.csv': rows(200, 1_900_000_000, false),
    'calm/broken/1/metrics.csv': rows(5, 1_800_000_000, true),
    'calm/broken/1/target.json': JSON.stringify({
      target: { node: 'front', metric: 'latency', agg: 'Average', timestamp: 1_800_000_310 },
      root_cause: { node: 'back', metric: null },
    }),
  };
}

/** Two services at one sample a second; in the faulty file, recorded earlier, the first one's cpu is high from the start. */
export function resourceCase(): { normal: string; anomalous: string } {
  const head = 'time,till_cpu,till_mem,stock_cpu,till_lat_50';
  const rows = (count: number, start: number, extra: number): string =>
    Array.from({ length: count }, (_, row) =>
      [start + row, wave(row) + extra, 1e6, wave(row + 2), wave(row + 4) / 100].join(','),
    ).join('\n');
  return { normal: `${head}\n${rows(120, 1_900_000_000, 0)}\n`, anomalous: `${head}\n${rows(60, 1_800_000_000, 80)}\n` };
}

export function tabularRows(): string {
  const lines = Array.from({ length: 300 }, (_, row) => `${wave(row)},${wave(row + 5)},0`);
  lines.push('90,90,1', '-70,95,1');
  return `x1,x2,label\n${lines.join('\n')}\n`;
}
