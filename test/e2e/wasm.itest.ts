import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { buildWasm, modulePath, WASM_ENTRIES } from '../../scripts/build-wasm.ts';

const root = path.join(import.meta.dirname, '../..');

test('every module is listed', () => {
  const committed = fs.globSync('src/**/*.wasm', { cwd: root }).map((file) => file.split(path.sep).join('/'));
  assert.deepEqual(committed.toSorted(), WASM_ENTRIES.map(modulePath).toSorted());
});

for (const entry of WASM_ENTRIES) {
  test(`${modulePath(entry)} is what its source says, byte for byte`, () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'helios-wasm-'));
    try {
      const rebuilt = path.join(dir, 'rebuilt.wasm');
      buildWasm(entry, rebuilt);
      assert.ok(fs.readFileSync(rebuilt).equals(fs.readFileSync(path.join(root, modulePath(entry)))), 'run npm run wasm');
    } finally {
      fs.rmSync(dir, { recursive: true, force: true });
    }
  });
}
