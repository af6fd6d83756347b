import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { descriptorModule, DESCRIPTORS_PATH } from '../../../scripts/descriptors.ts';

test('what reflection answers is what proto/ says (npm run proto)', () => {
  assert.equal(readFileSync(join(import.meta.dirname, '../../..', DESCRIPTORS_PATH), 'utf8'), descriptorModule());
});
