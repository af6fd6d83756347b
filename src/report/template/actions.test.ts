import assert from 'node:assert/strict';
import test from 'node:test';
import { isoTime, ManualClock } from '../../lib/clock.ts';
import type { Anomaly } from '../../model/anomaly.ts';
import type { Change } from '../../model/incident.ts';
import type { ReportSections } from '../../model/report.ts';
import { collectFacts } from '../facts.ts';
import { createPatience } from '../patience.ts';
import { anomaly, attribution, change, MINUTE, ONSET_MS, scenario, SECOND, testConfig } from '../scenario.fixture.ts';
import { renderReport } from './document.ts';

const errors = anomaly('an-1', 'payment', 'error_rate', { attribution: [attribution('error_rate', 0.01, 0.3)] });

async function sectionsOf(anomalies: Anomaly[], changes: Change[]): Promise<ReportSections> {
  const { store, incident } = scenario([], anomalies, changes);
  const facts = await collectFacts(store, incident, testConfig, createPatience(new ManualClock()));
  return renderReport(facts, { version: 1, createdAt: isoTime(ONSET_MS) }).sections;
}

async function firstAction(anomalies: Anomaly[], changes: Change[]): Promise<string> {
  return (await sectionsOf(anomalies, changes)).recommendedActions.immediate[0] ?? '';
}

test('a deployment without a known predecessor is rolled back to the version before it', async () => {
  const action = await firstAction([errors], [change('ch-1', 'payment', MINUTE, { previousVersion: null })]);
  assert.match(action, /^Roll back `payment` from `v2\.4\.1` to the version before it\. It was deployed 1 min before the onset/);
});

test('a configuration change is to be undone, a rollback to be checked', async () => {
  const configuration = change('ch-1', 'payment', MINUTE, { type: 'configuration', version: null, previousVersion: null });
  assert.match(await firstAction([errors], [configuration]), /^Undo the configuration change of `payment`, or check that it is/);
  const rollback = change('ch-1', 'payment', MINUTE, { type: 'rollback' });
  assert.match(await firstAction([errors], [rollback]), /^Check the rollback of `payment` to `v2\.4\.1`/);
});

test('a rollback already made is waited for instead of recommended', async () => {
  const changes = [
    change('ch-1', 'payment', MINUTE),
    change('ch-2', 'payment', -2 * MINUTE, { type: 'rollback', version: 'v2.4.0' }),
  ];
  const { recommendedActions } = await sectionsOf([errors], changes);
  assert.match(recommendedActions.immediate[0] ?? '', /^Wait for the rollback of `payment` to `v2\.4\.0`/);
  assert.doesNotMatch(recommendedActions.immediate.join('\n'), /Roll back/);
});

test('a change hours before the onset is mentioned but not undone', async () => {
  const { recommendedActions, rootCauseAnalysis } = await sectionsOf([errors], [change('ch-1', 'payment', 120 * MINUTE)]);
  assert.match(rootCauseAnalysis, /\*\*Last change on an affected service:\*\* .* 2 h before the onset/);
  assert.doesNotMatch(recommendedActions.immediate.join('\n'), /Roll back/);
});

test('a change inside the sub-window of the onset is neither before nor after it', async () => {
  const seen = change('ch-1', 'payment', -9 * SECOND, { source: 'service.version' });
  const { recommendedActions, summary } = await sectionsOf([errors], [seen]);
  assert.match(summary, /`payment` changed in the same 10 s as the onset/);
  assert.match(recommendedActions.immediate[0] ?? '', /It was first seen in the same 10 s as the onset, at 10:30:49/);
});

test('services that deviated together are checked only while no change explains the first', async () => {
  const together = anomaly('an-2', 'gateway', 'error_rate', { attribution: [attribution('error_rate', 0.01, 0.1)] });
  const unexplained = (await sectionsOf([errors, together], [])).recommendedActions.immediate;
  const explained = (await sectionsOf([errors, together], [change('ch-1', 'payment', MINUTE)])).recommendedActions.immediate;
  assert.match(unexplained.join('\n'), /Check `gateway`: it deviated at the same time/);
  assert.doesNotMatch(explained.join('\n'), /gateway/);
});

test('a change seen just after the onset is said to be so', async () => {
  const { summary } = await sectionsOf([errors], [change('ch-1', 'payment', -20 * SECOND)]);
  assert.match(summary, /What changed before:\*\* deployment of `payment` .*, 20 s after the onset/);
  assert.match(summary, /`payment` changed 20 s after the onset/);
});

test('a service that deviated earlier is checked first', async () => {
  const startedAt = isoTime(ONSET_MS - 40 * SECOND);
  const earlier = anomaly('an-2', 'database', 'latency', { startedAt, attribution: [attribution('p95_latency', 5, 60)] });
  const { recommendedActions, rootCauseAnalysis } = await sectionsOf([errors, earlier], []);
  assert.match(recommendedActions.immediate[0] ?? '', /^Check `database`: it deviated 40 s earlier .*`payment` may only suffer/);
  assert.match(rootCauseAnalysis, /`database` slower than usual, 40 s earlier/);
});

test('traffic that fell asks for its senders, traffic that rose for room', async () => {
  const less = anomaly('an-1', 'payment', 'traffic', { attribution: [attribution('event_count', 600, 60)] });
  assert.match(
    await firstAction([less], []),
    /^Check what sends traffic to `payment` .*60 events where 600 events were expected/,
  );
  const more = anomaly('an-1', 'payment', 'traffic', { attribution: [attribution('event_count', 60, 600)] });
  assert.match(
    await firstAction([more], []),
    /^Scale `payment` out or limit its callers: 600 events where 60 events were expected/,
  );
});

test('the canary limit is the end of the normal range that was passed', async () => {
  const { recommendedActions } = await sectionsOf([errors], [change('ch-1', 'payment', MINUTE)]);
  assert.match(
    recommendedActions.longTerm.join('\n'),
    /halt it when the error rate rises above 1\.4 %\. This was seen 1 min 20 s after/,
  );
});
