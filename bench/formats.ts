// Sealed segments: the columnar form against plain zstd and against Parquet written by DuckDB, on the same events.
// node bench/formats.ts [events] [file.ndjson]
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { systemClock } from '../src/lib/clock.ts';
import { ByteWriter } from '../src/log/embedded/byte-stream.ts';
import { decodeLines, LinesEncoder } from '../src/log/embedded/lines-codec.ts';
import { sampleRecords } from './sample-events.ts';

const BLOCK_EVENTS = 8192;
const SEARCHED = 'order 4821';
const SERVICE = 'cart-api';
const IDS = `trace_id: 'VARCHAR', span_id: 'VARCHAR', parent_span_id: 'VARCHAR'`;

interface Format {
  name: string;
  /** Bytes on disk. */
  write: () => Promise<number>;
  /** Number of events found. */
  search: () => Promise<number>;
  readService: () => Promise<number>;
}

function splitBlocks(lines: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  let [start, events] = [0, 0];
  for (let end = lines.indexOf(10); end >= 0; end = lines.indexOf(10, end + 1)) {
    if (++events % BLOCK_EVENTS !== 0 && end < lines.length - 1) continue;
    blocks.push(lines.subarray(start, end + 1));
    start = end + 1;
  }
  return blocks;
}

function countLines(block: Buffer, needle: Buffer): number {
  let found = 0;
  for (let at = block.indexOf(needle); at >= 0; at = block.indexOf(needle, block.indexOf(10, at) + 1)) found++;
  return found;
}

/** A format of independent blocks: everything is found by decoding all of them. */
function blockFormat(
  name: string,
  blocks: Buffer[],
  encode: (block: Buffer) => Buffer,
  decode: (bytes: Buffer, size: number) => Buffer,
): Format {
  let stored: Buffer[] = [];
  const count = async (needle: string): Promise<number> =>
    stored.reduce((sum, bytes, i) => sum + countLines(decode(bytes, (blocks[i] as Buffer).length), Buffer.from(needle)), 0);
  return {
    name,
    async write() {
      stored = blocks.map(encode);
      return stored.reduce((sum, { length }) => sum + length, 0);
    },
    search: () => count(SEARCHED),
    readService: () => count(`"service":"${SERVICE}"`),
  };
}

function columnar(blocks: Buffer[], level: number): Format {
  const encoder = new LinesEncoder(level);
  const out = new ByteWriter();
  const encode = (block: Buffer): Buffer => {
    out.reset();
    encoder.encode(block, out);
    return Buffer.from(out.view());
  };
  return blockFormat(`columns, zstd-${level}`, blocks, encode, decodeLines);
}

function plainZstd(blocks: Buffer[], level: number): Format {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  return blockFormat(
    `NDJSON, zstd-${level}`,
    blocks,
    (block) => zstdCompressSync(block, { params }),
    (bytes) => zstdDecompressSync(bytes),
  );
}

function parquet(connection: DuckDBConnection, dir: string, lines: Buffer): Format {
  const [source, target] = [path.join(dir, 'events.ndjson'), path.join(dir, 'events.parquet')];
  fs.writeFileSync(source, lines);
  const columns = `{timestamp: 'VARCHAR', service: 'VARCHAR', level: 'VARCHAR', message: 'VARCHAR', metadata: 'JSON', ${IDS}}`;
  const rows = async (where: string): Promise<number> => {
    const result = await connection.runAndReadAll(`SELECT * FROM read_parquet('${target}') WHERE ${where}`);
    return result.currentRowCount;
  };
  return {
    name: 'Parquet by DuckDB, zstd',
    async write() {
      const events = `SELECT * FROM read_json('${source}', format = 'newline_delimited', columns = ${columns})`;
      await connection.run(`COPY (${events}) TO '${target}' (FORMAT parquet, COMPRESSION zstd)`);
      return fs.statSync(target).size;
    },
    search: () => rows(`message LIKE '%${SEARCHED}%'`),
    readService: () => rows(`service = '${SERVICE}'`),
  };
}

async function timed<T>(run: () => Promise<T>): Promise<{ value: T; ms: number; cpuMs: number }> {
  const start = systemClock.monotonicMs();
  const cpu = process.cpuUsage();
  const value = await run();
  const used = process.cpuUsage(cpu);
  return { value, ms: systemClock.monotonicMs() - start, cpuMs: (used.user + used.system) / 1000 };
}

async function measure(format: Format, events: number) {
  await format.write();
  const written = await timed(format.write);
  const search = await timed(format.search);
  const service = await timed(format.readService);
  return {
    format: format.name,
    'bytes/event': (written.value / events).toFixed(2),
    'CPU s/M events': ((written.cpuMs / events) * 1000).toFixed(2),
    'text search ms': search.ms.toFixed(0),
    found: search.value,
    'one service ms': service.ms.toFixed(0),
    read: service.value,
  };
}

const count = Number(process.argv[2] ?? 500_000);
const file = process.argv[3];
const lines = file ? fs.readFileSync(file) : Buffer.concat(sampleRecords(count, 100).map(({ bytes }) => bytes));
const events = countLines(lines, Buffer.from('\n'));
const blocks = splitBlocks(lines);
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'helios-bench-'));
try {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const formats = [
    plainZstd(blocks, 1),
    plainZstd(blocks, 6),
    columnar(blocks, 1),
    columnar(blocks, 3),
    parquet(connection, dir, lines),
  ];
  const rows = [];
  for (const format of formats) rows.push(await measure(format, events));
  console.log(`${events} events of ${(lines.length / events).toFixed(0)} bytes`);
  console.table(rows);
  connection.closeSync();
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
