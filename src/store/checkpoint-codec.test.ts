import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../lib/errors.ts';
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

test('a checkpoint with a changed byte is never taken for another state', () => {
  const state = Buffer.from('state '.repeat(50));
  const stored = packCheckpoint(state);
  let refused = 0;
  for (let at = 4; at < stored.length; at++) {
    const damaged = Uint8Array.from(stored);
    damaged[at] = (damaged[at] as number) ^ 0x10;
    try {
      assert.deepEqual(Buffer.from(unpackCheckpoint(damaged)), state, `byte ${at}`);
    } catch (error) {
      assert.ok(error instanceof HeliosError && error.code === 'corrupt_data', String(error));
      refused++;
    }
  }
  assert.ok(refused > stored.length / 2);
});
