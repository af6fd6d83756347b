import assert from 'node:assert/strict';
import test from 'node:test';
import { silentLogger } from '../lib/logger.ts';
import { createDamageLog } from './damage-log.ts';

test('a damaged stretch is named once, with its file, however many queries come across it', () => {
  const lines: unknown[] = [];
  const name = createDamageLog({ ...silentLogger, error: (_, fields) => lines.push(fields) });
  const damage = { file: 'a.sealed', fromByte: 16, toByte: 90, reason: 'its checksum does not match' };
  for (let i = 0; i < 3; i++) name(damage);
  name({ ...damage, fromByte: 90 });
  assert.deepEqual(lines, [damage, { ...damage, fromByte: 90 }]);
});
