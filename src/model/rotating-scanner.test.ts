import assert from 'node:assert/strict';
import test from 'node:test';
import { createRotatingScanner } from './rotating-scanner.ts';
import { NO_LIMITS } from './scanner.ts';

test('names that overflowed are counted as other, and get their own name once the tables were renewed', () => {
  let now = 0;
  const scanner = createRotatingScanner({ entities: 2 }, () => now);
  const nameOf = (service: string): string => {
    const event = { timestamp: '2026-01-01T00:00:00Z', service, level: 'INFO', message: '' };
    const { batch } = scanner.scan(Buffer.from(JSON.stringify(event)), NO_LIMITS);
    return batch.names.entities.name(batch.entity[0] as number);
  };
  assert.deepEqual(['a', 'b', 'c', 'a'].map(nameOf), ['a', 'b', 'other', 'a']);
  now += 9 * 60_000;
  assert.equal(nameOf('c'), 'other');
  now += 60_000;
  assert.deepEqual(['c', 'd'].map(nameOf), ['c', 'd']);
});
