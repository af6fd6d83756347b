import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../lib/errors.ts';
import { createNames, type EventBatch } from '../model/event-batch.ts';
import { createJsonScanner } from '../model/json-scanner.ts';
import { NO_LIMITS } from '../model/scanner.ts';
import { createTemplateMiner } from './message-template.ts';

const START = '2025-10-08T10:30:00Z';
const START_MS = Date.parse(START);

interface Line {
  message: string;
  level?: string;
  service?: string;
  afterMs?: number;
}

function batchOf(lines: Line[], scanner = createJsonScanner(createNames())): EventBatch {
  const body = lines.map(({ message, level = 'ERROR', service = 'cart', afterMs = 0 }) =>
    JSON.stringify({ timestamp: new Date(START_MS + afterMs).toISOString(), service, level, message }),
  );
  const { batch } = scanner.scan(Buffer.from(body.join('\n')), NO_LIMITS);
  assert.equal(batch.count, lines.length);
  return batch;
}

test('only errors are counted, by entity, template and minute', () => {
  const miner = createTemplateMiner();
  miner.observe(
    batchOf([
      { message: 'order 1 failed' },
      { message: 'order 2 failed', level: 'CRITICAL', afterMs: 59_999 },
      { message: 'order 3 failed', level: 'WARN' },
      { message: 'order 4 failed', afterMs: 60_000 },
      { message: 'order 5 failed', service: 'checkout' },
      { message: 'out of stock' },
    ]),
  );
  const counts = miner.drain();
  assert.deepEqual(
    counts.map(({ entity, template, minuteMs, count, example }) => [
      entity,
      template,
      (minuteMs - START_MS) / 60_000,
      count,
      example,
    ]),
    [
      ['cart', 'order <*> failed', 0, 2, 'order 1 failed'],
      ['cart', 'order <*> failed', 1, 1, 'order 4 failed'],
      ['checkout', 'order <*> failed', 0, 1, 'order 5 failed'],
      ['cart', 'out of stock', 0, 1, 'out of stock'],
    ],
  );
  assert.equal(new Set(counts.map(({ templateId }) => templateId)).size, 2);
});

test('draining clears, and what comes later in the same minute is counted anew', () => {
  const miner = createTemplateMiner();
  miner.observe(batchOf([{ message: 'boom' }, { message: 'boom' }]));
  assert.equal(miner.drain()[0]?.count, 2);
  assert.deepEqual(miner.drain(), []);
  const scanner = createJsonScanner(createNames());
  miner.observe(batchOf([{ message: 'boom' }], scanner));
  miner.observe(batchOf([{ message: 'boom' }], scanner));
  const [drained] = miner.drain();
  assert.equal(drained?.count, 2);
  miner.observe(batchOf([{ message: 'boom' }], scanner));
  assert.equal(drained?.count, 2, 'what was handed out does not change any more');
});

test('escaped and plain spellings of a message share a template and show decoded', () => {
  const line = (raw: string): string => `{"timestamp":"${START}","service":"cart","level":"ERROR","message":"${raw}"}`;
  const body = Buffer.from([line('caf\u00e9 7'), line(String.raw`caf\u00e9 7`), line(String.raw`caf\u00e9 8`)].join('\n'));
  const miner = createTemplateMiner();
  miner.observe(createJsonScanner(createNames()).scan(body, NO_LIMITS).batch);
  assert.deepEqual(
    miner.drain().map(({ template, count, example }) => [template, count, example]),
    [['caf\u00e9 <*>', 3, 'caf\u00e9 7']],
  );
});

test('a template id is the same in another process, another batch and after other messages', () => {
  const first = createTemplateMiner();
  first.observe(batchOf([{ message: 'user 1 gone' }]));
  const second = createTemplateMiner();
  second.observe(batchOf([{ message: 'something else' }, { message: 'user 2 gone', service: 'b' }]));
  assert.equal(first.drain()[0]?.templateId, second.drain()[1]?.templateId);
});

test('entities keep their counts apart when another scanner numbers them differently', () => {
  const miner = createTemplateMiner();
  miner.observe(batchOf([{ message: 'a', service: 'one' }]));
  miner.observe(
    batchOf([
      { message: 'a', service: 'two' },
      { message: 'a', service: 'one' },
    ]),
  );
  assert.deepEqual(
    miner.drain().map(({ entity, count }) => [entity, count]),
    [
      ['one', 2],
      ['two', 1],
    ],
  );
});

test('an example is not cut within a word, which may be a key', () => {
  const miner = createTemplateMiner();
  miner.observe(batchOf([{ message: `failed ${'again '.repeat(48)}ghp_${'a1B2'.repeat(9)}` }]));
  assert.equal(miner.drain()[0]?.example, `failed ${'again '.repeat(48)}`.trimEnd());
});

test('long messages are judged by their start, and the example is cut to 300 characters', () => {
  const miner = createTemplateMiner();
  const long = (id: string): string => `failed ${id}: ${'stack frame; '.repeat(400)}${id}`;
  miner.observe(batchOf([{ message: long('77') }, { message: long('1234567890') }, { message: '\u{1f600}'.repeat(400) }]));
  const [first, faces] = miner.drain();
  assert.equal(first?.count, 2);
  assert.equal(first?.template.length, 300);
  assert.ok(first.template.startsWith('failed <*>: stack frame; '));
  assert.match(first.example, /^failed 77: .*stack frame;$/);
  assert.ok(first.example.length <= 300);
  assert.ok(faces?.example.isWellFormed() && faces.template.isWellFormed());
});

test('beyond its share of templates in an hour an entity counts as <other>, and starts over in the next', () => {
  const words = ['alpha', 'beta', 'gamma', 'delta', 'beta', 'alpha'];
  const miner = createTemplateMiner({ maxTemplatesPerEntity: 2 });
  miner.observe(batchOf(words.map((message) => ({ message }))));
  miner.observe(batchOf([{ message: 'gamma', service: 'another' }]));
  miner.observe(batchOf([{ message: 'gamma', afterMs: 3_600_000 }]));
  assert.deepEqual(
    miner.drain().map(({ entity, template, count }) => [entity, template, count]),
    [
      ['cart', 'alpha', 2],
      ['cart', 'beta', 2],
      ['cart', '<other>', 2],
      ['another', 'gamma', 1],
      ['cart', 'gamma', 1],
    ],
  );
});

test('what is held between drains is bounded, and what is beyond is counted as dropped', () => {
  const miner = createTemplateMiner({ maxCounts: 3, maxTemplatesPerEntity: 100 });
  const minutes = Array.from({ length: 20 }, (_, i) => ({ message: 'boom', afterMs: i * 60_000 }));
  miner.observe(batchOf(minutes));
  const counts = miner.drain();
  assert.deepEqual(
    counts.map(({ template }) => template),
    ['boom', 'boom', 'boom', '<other>', '<other>', '<other>'],
  );
  assert.equal(miner.droppedCount, 14);
});

test('more messages than the cache has slots for are still counted exactly', () => {
  const miner = createTemplateMiner({ cacheSlots: 2 });
  const lines = Array.from({ length: 300 }, (_, i) => ({ message: `shard ${i % 7} of ${'abc'[i % 3]}` }));
  miner.observe(batchOf(lines));
  assert.deepEqual(
    miner.drain().map(({ template, count }) => [template, count]),
    [
      ['shard <*> of a', 100],
      ['shard <*> of b', 100],
      ['shard <*> of c', 100],
    ],
  );
});

test('a hostile flood of distinct services and templates does not stop the counting', () => {
  const miner = createTemplateMiner({ maxCounts: 200_000 });
  const scanner = createJsonScanner(createNames());
  const name = (n: number): string => n.toString(26).replaceAll(/\d/g, (digit) => 'qrstuvwxyz'[Number(digit)] as string);
  let total = 0;
  for (let round = 0; round < 6; round++) {
    const lines = Array.from({ length: 10_000 }, (_, i) => ({
      message: `fault ${name(round * 10_000 + i)}`,
      service: `s${i % 100}`,
    }));
    miner.observe(batchOf(lines, scanner));
    total += miner.drain().reduce((sum, { count }) => sum + count, 0);
  }
  assert.equal(total, 60_000);
  assert.equal(miner.droppedCount, 0);
});

test('a restored snapshot goes on counting where it was taken', () => {
  const miner = createTemplateMiner();
  miner.observe(batchOf([{ message: 'boom 1' }]));
  const snapshot = structuredClone(miner.snapshot());
  miner.observe(batchOf([{ message: 'boom 2' }]));
  const restored = createTemplateMiner();
  restored.restore(snapshot);
  restored.observe(batchOf([{ message: 'boom 2' }]));
  assert.deepEqual(restored.drain(), miner.drain());
  assert.throws(
    () => restored.restore({ counts: 3 }),
    (error: HeliosError) => error.code === 'corrupt_data',
  );
});
