import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowTrust } from './row-trust.ts';

const MINUTE_MS = 60_000;

function taught(trust: RowTrust, rows: number, evidence: number, frozen = false): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += trust.weigh(evidence, frozen);
  return sum / rows;
}

test('ordinary rows teach fully', () => {
  assert.equal(taught(new RowTrust(MINUTE_MS), 1000, 0.4), 1);
});

test('a short regular job teaches, a long anomaly hardly does', () => {
  const trust = new RowTrust(MINUTE_MS);
  for (let day = 0; day < 20; day++) {
    assert.ok(taught(trust, 4, 3) > 0.99);
    taught(trust, 1436, 0.4);
  }
  assert.ok(taught(trust, 600, 3) < 0.2);
});

test('doubtful rows teach while history is young, because nearly all it sees is new', () => {
  const trust = new RowTrust(MINUTE_MS);
  assert.ok(taught(trust, 720, 3) > 0.9);
});

test('what stays for a week regains trust', () => {
  const trust = new RowTrust(MINUTE_MS);
  taught(trust, 20 * 1440, 0.4);
  taught(trust, 1440, 3);
  assert.ok(trust.weigh(3, false) < 0.1);
  taught(trust, 10 * 1440, 3);
  assert.ok(trust.weigh(3, false) > 0.5);
});

test('nothing teaches while learning is frozen', () => {
  assert.ok(taught(new RowTrust(MINUTE_MS), 100, 0.1, true) < 0.001);
});

test('a stretch of doubtful rows that goes on stops teaching, however long history is', () => {
  const trust = new RowTrust(MINUTE_MS);
  taught(trust, 20 * 1440, 0.4);
  taught(trust, 360, 3);
  assert.ok(taught(trust, 1000, 3) < 0.01);
});
