import assert from 'node:assert/strict';
import test from 'node:test';
import { recordOf } from '../record.fixture.ts';
import type { EventBlock } from '../../model/event-block.ts';
import { openEventSource } from './event-source.ts';
import { openFixtureLog, temporaryDir } from './log.fixture.ts';

function textOf(blocks: EventBlock[]): string {
  return blocks.map((block) => Buffer.from(block.read()).toString()).join('');
}

test('blocks cover exactly what is committed, in order, and grow with it', async () => {
  using dir = temporaryDir();
  await using log = await openFixtureLog(dir.path, { config: { segment_size: 300_000 } });
  const source = openEventSource({ dir: dir.path });
  assert.deepEqual(source.blocks(0), []);
  let text = '';
  for (let i = 0; i < 12; i++) {
    const record = recordOf(`r${i}`, 1000, { minTimestampMs: i, maxTimestampMs: i + 10 });
    await log.append(record);
    text += Buffer.from(record.bytes).toString();
    const blocks = source.blocks(i + 1);
    assert.equal(
      blocks.reduce((sum, { count }) => sum + count, 0),
      1000 * (i + 1),
    );
    assert.ok(blocks.every(({ firstEvent, offset }) => firstEvent === offset * 1000));
  }
  const blocks = source.blocks(12);
  assert.ok(blocks.length > 3);
  assert.equal(textOf(blocks), text);
  assert.equal(blocks[0]?.minTimestampMs, 0);
  assert.equal(blocks.at(-1)?.maxTimestampMs, 21);
  assert.equal(source.blocks(5).reduce((most, { offset }) => Math.max(most, offset), 0) < 5, true);
  source.close();
});

test('blocks that a caller holds are readable after their segment was sealed', async () => {
  using dir = temporaryDir();
  await using log = await openFixtureLog(dir.path);
  const source = openEventSource({ dir: dir.path });
  for (let i = 0; i < 3; i++) await log.append(recordOf(`r${i}`, 3000));
  const before = source.blocks(2);
  const text = textOf(before);
  await log.seal();
  assert.equal(textOf(before), text, 'by the file that is still open');
  const after = source.blocks(3);
  assert.deepEqual(after[0]?.entities, new Set(['cart']));
  assert.equal(textOf(before), text, 'from the sealed form');
  assert.ok(textOf(after).startsWith(text));
  source.close();
});

test('blocks that retention has removed read as nothing', async () => {
  using dir = temporaryDir();
  await using log = await openFixtureLog(dir.path);
  const source = openEventSource({ dir: dir.path });
  await log.append(recordOf('old', 10, { maxTimestampMs: 0 }));
  const raw = source.blocks(1);
  await log.seal();
  const sealed = source.blocks(1);
  await log.append(recordOf('new', 1));
  assert.ok((await log.retain({ maxAgeMs: 1000, maxBytes: Infinity }, 10_000)) > 0);
  assert.equal(source.firstOffset(), 1);
  assert.equal(textOf(source.blocks(2)), Buffer.from(recordOf('new').bytes).toString());
  assert.equal(textOf(sealed), '');
  assert.equal(textOf(raw), '');
  source.close();
});

test('a record without a newline at its end reads as lines, raw and sealed, and comes back as it was', async () => {
  using dir = temporaryDir();
  await using log = await openFixtureLog(dir.path);
  const source = openEventSource({ dir: dir.path });
  const bytes = Buffer.from('{"a":1}\n{"a":2}');
  await log.append(recordOf('', 2, { bytes }));
  await log.append(recordOf('', 2, { bytes }));
  const lines = '{"a":1}\n{"a":2}\n'.repeat(2);
  const raw = source.blocks(2);
  assert.equal(textOf(raw), lines);
  await log.seal();
  assert.equal(textOf(source.blocks(2)), lines);
  assert.equal(textOf(raw), lines);
  source.close();
});

test('a log that was never opened has no blocks', () => {
  using dir = temporaryDir();
  const source = openEventSource({ dir: dir.path });
  assert.deepEqual(source.blocks(10), []);
  assert.equal(source.firstOffset(), 0);
  source.close();
});
