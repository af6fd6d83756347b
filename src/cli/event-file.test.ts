import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { createPrng } from '../lib/prng.ts';
import { EventBodyBuilder, readLines } from './event-body.ts';
import { openEventFile } from './event-file.ts';
import { readJsonValues } from './json-values.ts';

async function eventsOf(name: string, content: string | Buffer): Promise<string[]> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'helios-event-file-'));
  try {
    fs.writeFileSync(path.join(dir, name), content);
    await using file = await openEventFile(path.join(dir, name));
    return (await Array.fromAsync(file.events())).map(String);
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

async function* inPieces(text: string, sizes: () => number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) {
    const size = sizes();
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

test('NDJSON may lack its last newline, end lines with CRLF and hold blank lines', async () => {
  assert.deepEqual(await eventsOf('a.ndjson', '{"a":1}\r\n\r\n  \n{"a":2}\n\n{"a":3}'), ['{"a":1}', '{"a":2}', '{"a":3}']);
  assert.deepEqual(await eventsOf('empty.ndjson', ''), []);
});

test('gzip and zstd are told by their first bytes, not by the name', async () => {
  const text = '{"a":1}\n{"a":2}\n';
  assert.deepEqual(await eventsOf('a', gzipSync(text)), ['{"a":1}', '{"a":2}']);
  assert.deepEqual(await eventsOf('a.log', zstdCompressSync(text)), ['{"a":1}', '{"a":2}']);
});

test('a JSON array gives one line per element, whatever its layout', async () => {
  const value = [{ a: '],[{"\\' }, { b: [1, [2], { c: {} }] }, 7, 'x'];
  for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2), `\n ${JSON.stringify(value, null, '\t')}\n`]) {
    const events = await eventsOf('a.txt', text);
    assert.deepEqual(
      events.map((event) => JSON.parse(event)),
      value,
    );
    assert.ok(events.every((event) => !event.includes('\n')));
  }
  assert.deepEqual(await eventsOf('a.json.gz', gzipSync('[]')), []);
});

test('a .json file may hold one object over several lines, or objects one after the other', async () => {
  assert.deepEqual(await eventsOf('a.json', '{\n"a": 1\n}\n'), ['{ "a": 1 }']);
  assert.deepEqual(await eventsOf('a.json', '{"a":1}\n{"a":2}'), ['{"a":1}', '{"a":2}']);
});

test('values and lines do not depend on how the bytes arrive', async () => {
  const prng = createPrng(4);
  const values = Array.from({ length: 60 }, (_, i) => ({ i, text: '"\\é]}'.repeat(prng.below(5)), list: [i, { x: [] }] }));
  for (let round = 0; round < 30; round++) {
    const sizes = (): number => 1 + prng.below(40);
    const array = await Array.fromAsync(readJsonValues(inPieces(JSON.stringify(values, null, 1), sizes)));
    assert.deepEqual(
      array.map((value) => JSON.parse(value.toString())),
      values,
    );
    const lines = await Array.fromAsync(readLines(inPieces(values.map((value) => JSON.stringify(value)).join('\r\n'), sizes)));
    assert.deepEqual(
      lines.map((line) => JSON.parse(line.toString())),
      values,
    );
  }
});

test('a file that cannot be read says why in one sentence', async () => {
  await assert.rejects(openEventFile('/nonexistent/a.ndjson'), { message: 'cannot read /nonexistent/a.ndjson: no such file' });
  await assert.rejects(openEventFile(os.tmpdir()), /cannot read .*: it is a directory/);
  const whole = gzipSync('{"a":1}\n'.repeat(1000));
  await assert.rejects(
    eventsOf('cut.gz', whole.subarray(0, whole.length - 12)),
    /cannot read .*cut\.gz: the compressed data is cut short/,
  );
  const damaged = Buffer.from(whole);
  damaged.fill(255, 12, 30);
  await assert.rejects(eventsOf('bad.gz', damaged), /cannot read .*bad\.gz: the compressed data is damaged/);
});

test('bodies hold at most the asked number of events and stay far below the body limit', () => {
  const builder = new EventBodyBuilder(2);
  assert.equal(builder.add(Buffer.from('{"a":1}')), undefined);
  assert.equal(builder.add(Buffer.from('{"a":2}'))?.bytes.toString(), '{"a":1}\n{"a":2}\n');
  assert.equal(builder.flush(), undefined);
  builder.add(Buffer.from('{"a":3}'));
  assert.deepEqual(builder.flush(), { bytes: Buffer.from('{"a":3}\n'), count: 1 });
  const large = new EventBodyBuilder(1_000_000);
  const event = Buffer.alloc(60_000, 'x');
  let added = 1;
  while (large.add(event) === undefined) added++;
  assert.ok(added * 60_000 < 5e6 && added > 10);
});
