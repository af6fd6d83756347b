import assert from 'node:assert/strict';
import test from 'node:test';
import { releaseBytes } from './owned-bytes.ts';

test('bytes that fill their buffer are given back, also twice', () => {
  const bytes = Buffer.allocUnsafeSlow(10_000);
  releaseBytes(bytes);
  releaseBytes(bytes);
  assert.equal(bytes.length, 0);
});

test('a part of a larger buffer is left alone', () => {
  const whole = Buffer.allocUnsafeSlow(10_000);
  releaseBytes(whole.subarray(0, 9999));
  releaseBytes(whole.subarray(1));
  assert.equal(whole.length, 10_000);
});

test('an empty buffer is left alone: it may be a constant that many share', () => {
  const empty = new Uint8Array(0);
  releaseBytes(empty);
  assert.equal(new DataView(empty.buffer).byteLength, 0);
});
