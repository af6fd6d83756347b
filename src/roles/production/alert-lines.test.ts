import assert from 'node:assert/strict';
import test from 'node:test';
import { readAlertLines } from './alert-lines.ts';

const WATERMARK = { type: 'watermark', partition: 3, of: 'events', watermarkMs: 1000 };

function read(...lines: unknown[]): { messages: number; reasons: string[] } {
  const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
  const { messages, bad } = readAlertLines(Buffer.from(text));
  return { messages: messages.length, reasons: bad.map(({ reason }) => reason) };
}

test('a line that cannot be read takes no other of its record with it', () => {
  const { messages, bad } = readAlertLines(Buffer.from(`${JSON.stringify(WATERMARK)}\nnot JSON\n\n${JSON.stringify(WATERMARK)}`));
  assert.deepEqual(messages, [WATERMARK, WATERMARK]);
  assert.equal(bad.length, 1);
  assert.equal(Buffer.from(bad[0]?.line ?? []).toString(), 'not JSON');
});

test('what would keep the desk from its work later is refused with what is wrong', () => {
  assert.deepEqual(read('null', '[]', '"a"', '{}', { ...WATERMARK, type: 'constructor' }).messages, 0);
  assert.deepEqual(read({ ...WATERMARK, partition: 1e12 }).reasons, ['its partition is not a number of one']);
  assert.deepEqual(read({ ...WATERMARK, of: 'sums' }).reasons, ['as watermark it is not complete']);
  assert.deepEqual(read({ type: 'edges', partition: 0, atMs: null, edges: [] }).reasons, ['its atMs is not a time']);
  assert.deepEqual(read({ type: 'anomaly', partition: 0, atMs: 1, anomaly: { id: 'a' }, evidence: [] }).reasons, [
    'as anomaly it is not complete',
  ]);
});
