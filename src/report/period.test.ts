import assert from 'node:assert/strict';
import test from 'node:test';
import { isoTime, ManualClock } from '../lib/clock.ts';
import { collectFacts } from './facts.ts';
import { createPatience } from './patience.ts';
import { periodOf } from './period.ts';
import type { Period } from './period.ts';
import { anomaly, badDeployment, incidentOf, MINUTE, ONSET_MS, SECOND, testConfig } from './scenario.fixture.ts';

test('an incident is compared with the whole look-back up to its onset', () => {
  const { onsetMs, before } = periodOf(incidentOf([]), [], 10 * MINUTE);
  assert.equal(onsetMs, ONSET_MS);
  assert.deepEqual(before, { fromMs: ONSET_MS - 10 * MINUTE, toMs: ONSET_MS, stepMs: 10 * MINUTE });
});

test('it ends where it is known to go on, or with its anomalies when it is over', () => {
  const knownMs = ONSET_MS + 7 * MINUTE + 3 * SECOND;
  const open = periodOf(incidentOf([]), [], 10 * MINUTE, knownMs);
  assert.deepEqual([open.endMs, open.ongoing], [ONSET_MS + 7 * MINUTE, true]);
  const over = anomaly('an-1', 'payment', 'latency', { resolvedAt: isoTime(ONSET_MS + 2 * MINUTE) });
  const closed = incidentOf([over], { status: 'resolved', resolvedAt: isoTime(ONSET_MS + 5 * MINUTE) });
  assert.equal(periodOf(closed, [over], 10 * MINUTE, knownMs).endMs, ONSET_MS + 2 * MINUTE);
});

/** The period of a bad deployment whose services were last seen so long after its detection. */
async function periodSeen(lastMs: number, changed = {}): Promise<Period> {
  const { store, incident } = badDeployment(changed);
  const lastSeen = isoTime(Date.parse(incident.detectedAt) + lastMs);
  const seen = { service: 'payment', firstSeen: isoTime(0), lastSeen, eventCount: 1, errorCount: 0 };
  Object.assign(store, { services: () => Promise.resolve([seen]) });
  const { period } = await collectFacts(store, incident, testConfig, createPatience(new ManualClock()));
  return period;
}

test('an open incident is told up to the last closed 10 s that are stored, at most until it is reported once more', async () => {
  const detectedMs = ONSET_MS + 20 * SECOND;
  assert.equal((await periodSeen(5 * MINUTE + 4 * SECOND)).endMs, detectedMs + 5 * MINUTE - 10 * SECOND);
  assert.equal((await periodSeen(60 * MINUTE)).endMs, detectedMs + 10 * MINUTE);
  assert.equal((await periodSeen(MINUTE)).endMs, ONSET_MS + 3 * MINUTE, 'not before its last news');
});

test('what came after a closed incident is no part of it', async () => {
  const resolvedAt = isoTime(ONSET_MS + 4 * MINUTE);
  const { endMs } = await periodSeen(9 * MINUTE, { status: 'resolved', resolvedAt });
  assert.equal(endMs, ONSET_MS + 4 * MINUTE);
});
