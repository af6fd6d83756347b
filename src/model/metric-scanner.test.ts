import assert from 'node:assert/strict';
import test from 'node:test';
import type { Prng } from '../lib/prng.ts';
import { createPrng } from '../lib/prng.ts';
import { metricLine } from './metric.fixture.ts';
import { parseMetricLine } from './metric-line.ts';
import type { MetricScanner } from './metric-scanner.ts';
import { createMetricScanner } from './metric-scanner.ts';

const MUTATIONS = Number(process.env['HELIOS_TEST_MUTATIONS'] ?? 30_000);
const ALPHABET = Buffer.from('{}[]",:\\0123456789.eE+-ntfuNI \t\x01\xc3\xa9\xff\nab', 'latin1');

function rowsOf(scanner: MetricScanner, bytes: Uint8Array): unknown[] {
  const { batch, skippedLines } = scanner.scan(bytes);
  const rows = Array.from({ length: batch.count }, (_, row) => {
    const [series, timestamp, value, start] = [batch.series, batch.timestamp, batch.value, batch.start].map((c) => c[row]);
    return [batch.heads[series as number], timestamp, value, start];
  });
  return [skippedLines, ...rows];
}

/** What the plain rules make of the same lines. */
function plainRowsOf(bytes: Buffer): unknown[] {
  const rows: unknown[] = [];
  let skippedLines = 0;
  for (let at = 0; at < bytes.length;) {
    const newline = bytes.indexOf(0x0a, at);
    const end = newline < 0 ? bytes.length : newline;
    const line = end > at ? parseMetricLine(bytes.subarray(at, end)) : undefined;
    if (line === null) skippedLines++;
    for (const point of line?.points ?? []) rows.push([line?.key, ...point]);
    at = end + 1;
  }
  return [skippedLines, ...rows];
}

function mutate(prng: Prng, source: Buffer): Buffer {
  const body = Buffer.from(source);
  for (let k = prng.below(3); k >= 0; k--) body[prng.below(body.length)] = ALPHABET[prng.below(ALPHABET.length)] as number;
  const at = prng.below(body.length);
  if (prng.below(4) > 0) return body;
  return Buffer.concat([body.subarray(0, at), body.subarray(at + prng.below(20))]);
}

test('points of every form become rows of the series that their line names', () => {
  const lines = [
    metricLine({ name: 'a' }, [
      [1731000000000.25, 12.5],
      [1731000001000, -3e-7],
    ]),
    metricLine({ name: 'b', kind: 'cumulative', labels: { x: '},"points":[[1,2]]', points: 'y"' } }, [[5, 6, 4.5]]),
    metricLine({ name: 'a' }, [
      [7, NaN],
      [8, Infinity],
      [9, -Infinity],
    ]),
  ];
  const scanner = createMetricScanner();
  const { batch, skippedLines } = scanner.scan(Buffer.from(lines.join('')));
  assert.equal(skippedLines, 0);
  assert.deepEqual([...batch.series.subarray(0, batch.count)], [1, 1, 2, 1, 1, 1]);
  assert.deepEqual([...batch.timestamp.subarray(0, batch.count)], [1731000000000.25, 1731000001000, 5, 7, 8, 9]);
  assert.deepEqual([...batch.value.subarray(0, batch.count)], [12.5, -3e-7, 6, NaN, Infinity, -Infinity]);
  assert.deepEqual([...batch.start.subarray(0, batch.count)], [NaN, NaN, 4.5, NaN, NaN, NaN]);
  assert.deepEqual(batch.heads[2]?.labels, { x: '},"points":[[1,2]]', points: 'y"' });
});

test('a malformed line is skipped and counted, and the lines around it are read', () => {
  const good = metricLine({}, [[1, 2]]);
  const bad = ['{}', 'x', good.slice(0, -10), good.replace('"gauge"', '"gouge"'), good.replace('[[1,2]]', '[[1,2],[1]]')];
  const text = bad.map((line) => `${good}${line.trimEnd()}\n`).join('');
  const { batch, skippedLines } = createMetricScanner().scan(Buffer.from(text));
  assert.deepEqual([batch.count, skippedLines], [bad.length, bad.length]);
});

test('a line in another order or with white space is the same series when it says the same', () => {
  const usual = metricLine({}, [[1, 2]]);
  const { points, labels, ...rest } = JSON.parse(usual) as Record<string, unknown>;
  const odd = `${JSON.stringify({ points, labels, ...rest }).replaceAll(',', ' , ')}\n`;
  const { batch, skippedLines } = createMetricScanner().scan(Buffer.from(usual + odd));
  assert.deepEqual([skippedLines, batch.count], [0, 2]);
  assert.deepEqual(batch.heads[batch.series[0] as number], batch.heads[batch.series[1] as number]);
});

test('heads keep their ids from scan to scan until the table is full, which starts a new one', () => {
  const scanner = createMetricScanner({ maxHeads: 100 });
  const text = (from: number): Buffer =>
    Buffer.from(Array.from({ length: 60 }, (_, i) => metricLine({ name: `m${from + i}` }, [[i, i]])).join(''));
  const first = scanner.scan(text(0)).batch.heads;
  const second = scanner.scan(text(60)).batch;
  assert.equal(second.heads, first);
  assert.equal(second.series[0], 61);
  const third = scanner.scan(text(0)).batch;
  assert.notEqual(third.heads, first);
  assert.deepEqual([third.series[0], third.heads[1]?.name, third.heads.length], [1, 'm0', 61]);
  assert.equal(first[1]?.name, 'm0');
});

test('more heads and points than fit at first are all read', () => {
  const lines = Array.from({ length: 3000 }, (_, i) =>
    metricLine({ labels: { id: String(i % 1500), pad: 'x'.repeat(60) } }, [[i, i]]),
  );
  const { batch } = createMetricScanner().scan(Buffer.from(lines.join('')));
  assert.deepEqual([batch.count, batch.heads.length], [3000, 1501]);
  for (let row = 0; row < 3000; row++) {
    assert.equal(batch.heads[batch.series[row] as number]?.labels['id'], String(row % 1500));
    assert.equal(batch.value[row], row);
  }
});

test(`${MUTATIONS} mutated bodies are read exactly as the plain rules read them`, () => {
  const seed = Number(process.env['HELIOS_TEST_SEED'] ?? 11);
  const prng = createPrng(seed);
  const sources = [
    metricLine({ name: 'é', labels: { a: '1', 'b"': '\u0001}' } }, [
      [1731000000000.25, 0.1],
      [1, 'NaN' as never, 3],
    ]),
    metricLine({}, [[1e300, 123456789012345680000]]) + metricLine({ name: 'b' }, [[0, -0]]) + metricLine({}, []),
  ].map((text) => Buffer.from(text));
  let scanner = createMetricScanner();
  for (let i = 0; i < MUTATIONS; i++) {
    if (i % 1000 === 0) scanner = createMetricScanner();
    const body = mutate(prng, sources[i % 2] as Buffer);
    assert.deepEqual(
      rowsOf(scanner, body),
      plainRowsOf(body),
      `seed ${seed}, mutation ${i}: ${JSON.stringify(body.toString('latin1'))}`,
    );
  }
});

test('numbers are those of JSON.parse, whatever their form', () => {
  const prng = createPrng(5);
  const texts = [
    '0',
    '-0',
    '0.0',
    '9007199254740993',
    '9007199254740991.5',
    '1e-7',
    '1E+22',
    '0.30000000000000004',
    '-1.5e308',
    '5e-324',
  ];
  for (let i = 0; i < 5000; i++) {
    texts.push(
      String(prng.normal() * 10 ** prng.below(20)),
      (prng.next() * 1e13).toFixed(prng.below(8)),
      String(prng.below(1e9)),
    );
  }
  const lines = texts.map((text) => metricLine({}, [[1, 2]]).replace('[1,2]', `[${text},${text},${text}]`));
  const { batch, skippedLines } = createMetricScanner().scan(Buffer.from(lines.join('')));
  assert.equal(skippedLines, 0);
  for (const [row, text] of texts.entries()) {
    const expected = JSON.parse(text) as number;
    for (const column of [batch.timestamp, batch.value, batch.start]) assert.ok(Object.is(column[row], expected), text);
  }
});
