import assert from 'node:assert/strict';
import test from 'node:test';
import { packCheckpoint, unpackCheckpoint } from './checkpoint-codec.ts';

test('a checkpoint comes back as it was, and the zeros of a large one take no room', () => {
  const state = new Uint8Array(5_000_000);
  state[4_000_000] = 7;
  const stored = packCheckpoint(state);
  assert.ok(stored.length < 1000);
  assert.deepEqual(new Uint8Array(unpackCheckpoint(stored)), state);
  for (const small of [new Uint8Array(0), Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd), packCheckpoint(state)]) {
    assert.deepEqual(new Uint8Array(unpackCheckpoint(packCheckpoint(small))), new Uint8Array(small));
  }
});

test('a checkpoint that was stored unpacked is read', () => {
  for (const old of [new Uint8Array(0), Uint8Array.of(1, 2), Uint8Array.of(0x31, 0x53, 0x44, 0x48, 9)]) {
    assert.equal(unpackCheckpoint(old), old);
  }
});
