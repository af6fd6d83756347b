import assert from 'node:assert/strict';
import test from 'node:test';
import { isoTime, ManualClock } from '../../lib/clock.ts';
import type { Change, Incident } from '../../model/incident.ts';
import type { Report } from '../../model/report.ts';
import { apiAnswer } from '../api.fixture.ts';
import { checkedValue } from '../evidence-check.fixture.ts';
import { collectFacts } from '../facts.ts';
import { createPatience } from '../patience.ts';
import {
  anomaly,
  attribution,
  badDeployment,
  change,
  eventsOf,
  MINUTE,
  ONSET_MS,
  poorData,
  scenario,
  SECOND,
  silence,
  surge,
  testConfig,
} from '../scenario.fixture.ts';
import type { Scenario } from '../scenario.fixture.ts';
import { renderReport } from './document.ts';

const CREATED_AT = '2025-10-08T10:34:40.000Z';

async function reportOf({ store, incident }: Scenario): Promise<Report> {
  const facts = await collectFacts(store, incident, testConfig, createPatience(new ManualClock()));
  return renderReport(facts, { version: 1, createdAt: CREATED_AT });
}

function headings({ markdown }: Report): string[] {
  return markdown.split('\n').filter((line) => /^#+ /.test(line));
}

const HOSTILE = '</td>`| [x](http://evil.example) @everyone\n# owned';

/** Every place where telemetry reaches the report holds text that tries to leave it. */
function hostile(): Scenario {
  const service = `svc ${HOSTILE}`;
  const failing = { service, perSecond: 5, message: HOSTILE, template: HOSTILE, endpoints: [HOSTILE], failingEndpoint: HOSTILE };
  const events = eventsOf([
    { ...failing, fromMs: ONSET_MS - 20 * MINUTE, toMs: ONSET_MS, errorRate: 0 },
    { ...failing, fromMs: ONSET_MS, toMs: ONSET_MS + 3 * MINUTE, errorRate: 0.5 },
  ]);
  const described = { from: isoTime(0), to: isoTime(1), description: HOSTILE };
  const found = anomaly('an/1?', service, 'error_rate', {
    attribution: [attribution('error_rate', 0.01, 0.5)],
    baseline: described,
  });
  const changed = change('ch-1', service, MINUTE, { version: HOSTILE, previousVersion: HOSTILE, description: HOSTILE });
  const causes = [
    { rank: 1, service, signal: 'error_rate' as const, reason: HOSTILE, evidence: ['an/1?'] },
  ] satisfies Incident['causes'];
  return scenario(events, [found], [changed], {
    title: HOSTILE,
    acknowledgedAt: isoTime(ONSET_MS + MINUTE),
    acknowledgedBy: HOSTILE,
    status: 'acknowledged',
    causes,
  });
}

/** The very first report: the incident is in its first, still open minute. */
function firstSeconds(): Scenario {
  const found = badDeployment();
  const updatedAt = isoTime(ONSET_MS + 10 * SECOND);
  Object.assign(found.incident, { updatedAt, detectedAt: updatedAt, services: ['payment'], anomalyIds: ['an-1'] });
  Object.assign(found.store.documents.anomaly[0] as object, { window: { from: isoTime(ONSET_MS), to: updatedAt } });
  found.store.events_ = found.store.events_.filter(({ ms }) => ms < ONSET_MS + 10 * SECOND);
  return found;
}

const SCENARIOS = { badDeployment, silence, surge, poorData, hostile, firstSeconds };

for (const [name, make] of Object.entries(SCENARIOS)) {
  test(`every evidence item of ${name} is what the API answers at its pointer`, async () => {
    const found = make();
    const report = await reportOf(found);
    assert.ok(report.evidence.length > 0);
    const answerOf = (query: string): Promise<unknown> => apiAnswer(found.store, query);
    for (const item of report.evidence) {
      assert.equal(await checkedValue(item, report.evidence, answerOf), item.value, `${item.id} ${item.query} ${item.pointer}`);
    }
  });

  test(`the report of ${name} has the plan's sections in order and numbers its evidence by first use`, async () => {
    const report = await reportOf(make());
    const [title, ...sections] = headings(report);
    assert.match(title ?? '', /^# Incident: /);
    assert.deepEqual(sections, [
      '## Summary',
      '## Impact Assessment',
      '## Root Cause Analysis',
      '## Recommended Actions',
      '### Immediate',
      '### Short-term',
      '### Long-term',
      '## Timeline',
      '## Evidence',
    ]);
    const cited = [...new Set(report.markdown.split('## Evidence')[0]?.match(/\bE\d+\b/g))];
    assert.deepEqual(
      cited,
      report.evidence.map(({ id }) => id),
    );
    assert.deepEqual(
      report.timeline.map(({ at }) => at),
      report.timeline.map(({ at }) => at).toSorted(),
    );
    assert.doesNotMatch(report.markdown, /undefined|NaN|null|Infinity|\[object/);
  });

  test(`no evidence of ${name} reaches past what is closed`, async () => {
    const { store, incident } = make();
    const facts = await collectFacts(store, incident, testConfig, createPatience(new ManualClock()));
    const report = renderReport(facts, { version: 1, createdAt: CREATED_AT });
    for (const { query } of report.evidence.filter((item) => item.query.includes('?'))) {
      const to = new URL(query, 'http://helios.invalid').searchParams.get('to');
      assert.ok(Date.parse(to ?? '') <= facts.period.endMs, query);
    }
  });
}

test('the summary of a bad deployment names service, size, expectation, cause, verdict and first step', async () => {
  const { sections, verdict } = await reportOf(badDeployment());
  const { summary } = sections;
  assert.match(summary, /^\*\*`payment` has been failing more than usual since 10:30:40 UTC on 2025-10-08\.\*\*/);
  assert.match(summary, /error rate 2\d(\.\d)? % in the 1 min to 10:31:40, expected 0\.4 %, \d+ times as much \(E2, E3, E4\)/);
  assert.match(summary, /Compared with:\*\* its own history of the 60 min before/);
  assert.match(
    summary,
    /What changed before:\*\* deployment of `payment` `v2\.4\.1` \(was `v2\.4\.0`\), 3 min 12 s before the onset/,
  );
  assert.match(summary, /Do now:\*\* Roll back `payment` from `v2\.4\.1` to `v2\.4\.0`/);
  assert.equal(verdict, 'CONFIRMED');
  assert.ok(summary.split('\n').length <= 12);
});

test('the failing share of the impact is the product that the cited numbers give', async () => {
  const { store, incident } = badDeployment();
  const { sections } = await reportOf({ store, incident });
  const during = store.events_.filter(({ service, ms }) => service === 'payment' && ms >= ONSET_MS && ms < ONSET_MS + 3 * MINUTE);
  const failed = during.filter(({ level }) => level === 'ERROR').length;
  const share = ((failed / during.length) * 100).toFixed(1).replace('.0', '');
  assert.ok(sections.impactAssessment.includes(`| ${failed} of 1,800 (${share} %) |`), sections.impactAssessment);
  assert.match(sections.impactAssessment, /Failing endpoints of `payment`\*\*, out of the \d+ failing events in the worst 10 s/);
});

test('new and risen error messages are named with an example, and an unchanged one is not', async () => {
  const { sections } = await reportOf(badDeployment());
  assert.match(sections.rootCauseAnalysis, /New in `payment`, \d+ times: `payment <num> failed: connection pool exhausted/);
  assert.match(sections.rootCauseAnalysis, /for example `payment 90412 failed/);
  assert.match(sections.rootCauseAnalysis, /Up \d+(\.\d)? times in `checkout`/);
  assert.doesNotMatch(sections.rootCauseAnalysis, /New in `checkout`/);
});

test('an error message that stops with the incident is called gone', async () => {
  const noisy = { service: 'payment', perSecond: 5, message: 'retry 3 of upstream', template: 'retry <num> of upstream' };
  const events = eventsOf([
    { ...noisy, fromMs: ONSET_MS - 20 * MINUTE, toMs: ONSET_MS, errorRate: 0.2 },
    { ...noisy, fromMs: ONSET_MS, toMs: ONSET_MS + 3 * MINUTE, errorRate: 0 },
  ]);
  const slow = anomaly('an-1', 'payment', 'latency', { attribution: [attribution('p95_latency', 10, 20)] });
  const { sections } = await reportOf(scenario(events, [slow], []));
  assert.match(sections.rootCauseAnalysis, /Gone in `payment`, \d+ times before: `retry <num> of upstream`/);
  assert.doesNotMatch(sections.recommendedActions.immediate.join('\n'), /error message/);
});

test('in its first seconds a report cites an event of the new message instead of a count that grows', async () => {
  const { evidence, sections } = await reportOf(firstSeconds());
  assert.ok(!evidence.some(({ type }) => type === 'template'));
  assert.ok(evidence.some(({ type, value }) => type === 'event' && String(value).startsWith('payment 90412 failed')));
  assert.match(sections.recommendedActions.immediate.join('\n'), /Read the new error message of `payment`/);
});

test('changes are listed with their lead, the nearest on an affected service first', async () => {
  const { sections } = await reportOf(badDeployment());
  const text = sections.rootCauseAnalysis;
  const order = [
    '**Nearest change on an affected service:** 10:27:28 deployment of `payment`',
    '20 h before',
    'deployment of `search`',
  ];
  const positions = order.map((part) => text.indexOf(part));
  assert.ok(positions.every((position) => position >= 0));
  assert.deepEqual(
    positions,
    positions.toSorted((a, b) => a - b),
  );
});

test('silence asks for process, deployment and network, and says when the last event came', async () => {
  const { sections } = await reportOf(silence());
  assert.match(sections.summary, /`prod\/shop\/mailer` has been silent since/);
  assert.match(sections.summary, /0 events in the 1 min to 10:31:40, expected 240 events/);
  assert.match(sections.recommendedActions.immediate[0] ?? '', /Check that the process .* Its last event is from 10:30:39/);
  assert.match(sections.rootCauseAnalysis, /No change is recorded in the 24 h before the onset/);
  assert.match(sections.recommendedActions.longTerm.join('\n'), /Record deployments/);
});

test('a surge that is over says so, compares traffic and remembers the last one', async () => {
  const { sections } = await reportOf(surge());
  assert.match(sections.summary, /`web` was getting more traffic than usual from 10:30:40 to 10:35:40 UTC on 2025-10-08/);
  assert.match(sections.summary, /1,200 events in the 1 min to 10:31:40, expected 240 events, 5\.0 times as much/);
  assert.match(sections.rootCauseAnalysis, /same kind of incident once in the 30 days before/);
  assert.match(sections.rootCauseAnalysis, /2025-10-05 10:30:40, over after 12 min .*, by itself, with no change recorded/);
  assert.deepEqual(sections.recommendedActions.immediate.length, 1);
  assert.match(sections.recommendedActions.immediate[0] ?? '', /Make sure that it stays over/);
  assert.match(sections.recommendedActions.longTerm.join('\n'), /once in the 30 days before as well/);
});

test('a message that only rises with the traffic is not called risen', async () => {
  const { sections, verdict } = await reportOf(surge());
  assert.doesNotMatch(sections.rootCauseAnalysis, /Error messages/);
  assert.equal(verdict, 'INCONCLUSIVE');
});

test('a deployment that was posted and also seen in the events is listed once', async () => {
  const found = badDeployment();
  const posted = found.store.documents.change[0] as Change;
  found.store.documents.change.push({ ...posted, id: 'ch-9', at: isoTime(ONSET_MS - MINUTE), source: 'service.version' });
  const { sections } = await reportOf(found);
  assert.equal(sections.rootCauseAnalysis.split('deployment of `payment`').length, 2);
});

test('with poor data the report says that confidence is low and invents nothing', async () => {
  const { sections, verdict } = await reportOf(poorData());
  assert.equal(verdict, 'INCONCLUSIVE');
  assert.match(sections.summary, /Confidence is low/);
  assert.match(sections.summary, /no single measure stands out/);
  assert.doesNotMatch(sections.impactAssessment, /Failing endpoints/);
});

test('an incident without anomalies or causes still gives a report', async () => {
  const empty = scenario([], [], [], { services: [], causes: [], anomalyIds: [] });
  const { sections, evidence } = await reportOf(empty);
  assert.match(sections.summary, /not known; no service stands out/);
  assert.ok(evidence.length > 0);
});

test('a cause without an anomaly of its own is told by the services where it shows', async () => {
  const [, checkout] = badDeployment().store.documents.anomaly;
  const cause = {
    rank: 1,
    service: 'stock',
    signal: 'error_rate',
    reason: 'stock has no anomaly of its own: 47 % of calls fail',
    evidence: [],
  };
  const found = scenario(badDeployment().store.events_, checkout ? [checkout] : [], [], {
    causes: [cause as Incident['causes'][0]],
  });
  const { sections } = await reportOf(found);
  assert.match(sections.summary, /^\*\*`stock` has been the likely origin of trouble in `checkout` since/);
  assert.match(sections.summary, /How bad:\*\* `checkout` error rate 4\.2 %/);
  assert.doesNotMatch(sections.rootCauseAnalysis, /\d d \d|still being learned/);
});

test('a merged incident points at the one that took it in', async () => {
  const { sections } = await reportOf(badDeployment({ mergedInto: 'in-7' }));
  assert.match(sections.summary, /^This incident was merged into `in-7`; read that report\./);
});

test('an alert that names an unknown service says that nothing is known of it', async () => {
  const stranger = anomaly('an-1', 'stranger', 'error_rate', { attribution: [attribution('error_rate', 0.01, 0.3)] });
  const { sections, evidence } = await reportOf(scenario([], [stranger], []));
  assert.match(sections.summary, /HELIOS has no recent event of `stranger`/);
  assert.match(sections.impactAssessment, /No events of `stranger`:\*\* HELIOS knows no service of this name from events/);
  assert.ok(evidence.every(({ type }) => type !== 'metric'));
});

test('an incident without evidence says so before anything else', async () => {
  const none = scenario([], [], [], { services: ['ghost'], causes: [], anomalyIds: ['an-9'] });
  const { sections, verdict } = await reportOf(none);
  assert.match(
    sections.summary,
    /\n\n- \*\*No evidence:\*\* None of its anomalies is stored\. There is no evidence of what happened/,
  );
  assert.match(sections.summary, /How bad:\*\* not known/);
  assert.equal(verdict, 'INCONCLUSIVE');
});

test('a service that is only slow shows its slowest endpoints and the version they ran', async () => {
  const pay = { service: 'pay', perSecond: 5, errorRate: 0, message: '', template: '' };
  const events = eventsOf([
    { ...pay, fromMs: ONSET_MS - 10 * MINUTE, toMs: ONSET_MS, latencyMs: 20, endpoints: ['/a', '/b'] },
    { ...pay, fromMs: ONSET_MS, toMs: ONSET_MS + 3 * MINUTE, latencyMs: 900, endpoints: ['/a'] },
  ]).map((event) => ({ ...event, version: 'v7' }));
  const slow = anomaly('an-1', 'pay', 'latency', { attribution: [attribution('p95_latency', 40, 1800)] });
  const { sections, evidence } = await reportOf(scenario(events, [slow], []));
  assert.match(
    sections.impactAssessment,
    /Slowest endpoints of `pay`\*\*, out of the newest|Slowest endpoints of `pay`\*\*, out of the 50 events/,
  );
  assert.match(sections.impactAssessment, /Slowest versions of `pay`.*: `v7` \d/);
  assert.ok(evidence.some(({ type, value }) => type === 'version' && value === 'v7'));
});

test('calls among the affected services are read off their spans, each with the id that both events carry', async () => {
  const found = badDeployment();
  found.store.events_ = found.store.events_.map((event, i) =>
    event.service === 'checkout' ? { ...event, spanId: `span-${i}` } : event,
  );
  const caller = found.store.events_.find(({ service, ms }) => service === 'checkout' && ms >= ONSET_MS);
  found.store.events_ = found.store.events_.map((event) =>
    event.service === 'payment' && event.ms >= ONSET_MS ? { ...event, parentSpanId: caller?.spanId ?? '' } : event,
  );
  const { sections, evidence } = await reportOf(found);
  assert.match(
    sections.rootCauseAnalysis,
    /Calls among them, seen in the first seconds:\n\n- `checkout` calls `payment` \(E\d+, E\d+\)$/m,
  );
  const calls = evidence.filter(({ type }) => type === 'call');
  assert.deepEqual(
    calls.map(({ service, value }) => [service, value]),
    [
      ['checkout', caller?.spanId],
      ['payment', caller?.spanId],
    ],
  );
});

test('what closed the incident of before is said: a rollback shortly before its end, and by whom', async () => {
  const found = surge();
  const past = found.store.documents.incident.find(({ id }) => id === 'in-0') as Incident;
  const endMs = Date.parse(past.resolvedAt as string);
  past.events = [{ at: past.resolvedAt as string, type: 'resolved', by: 'ada' }];
  found.store.documents.change.push({ ...change('ch-1', 'web', 0, { type: 'rollback' }), at: isoTime(endMs - 2 * MINUTE) });
  const { sections } = await reportOf(found);
  assert.match(
    sections.rootCauseAnalysis,
    /over after 12 min \(E\d+, E\d+\), 2 min after the rollback of `web` to `v2\.4\.1` \(was `v2\.4\.0`\) \(E\d+\), closed by ada \(E\d+\)/,
  );
});

test('a line of a megabyte, and marks that no reader sees, stay out of the report', async () => {
  const found = badDeployment();
  const text = `\u202e<!channel> @here ${'x'.repeat(2 ** 20)}`;
  for (const event of found.store.events_) if (event.level === 'ERROR') event.message = event.template = text;
  const { markdown, timeline } = await reportOf({ ...found, store: found.store });
  assert.ok(markdown.length < 60_000, `${markdown.length} characters`);
  assert.doesNotMatch(markdown + JSON.stringify(timeline), /\u202e/);
  assert.doesNotMatch(markdown.replaceAll(/`[^`\n]*`/g, ''), /<!|@here/);
});

test('telemetry cannot make links, headings, HTML, mentions or cells', async () => {
  const { markdown } = await reportOf(hostile());
  const outside = markdown.replaceAll(/`[^`\n]*`/g, '').replaceAll(/\\[\s\S]/g, '');
  assert.doesNotMatch(outside, /[<>[\]`]|:\/\/|@\w|\bwww\./);
  const rows = markdown.split('\n').filter((line) => line.startsWith('|'));
  const widths = new Set(rows.map((row) => row.split('|').length));
  assert.deepEqual(widths, new Set([6, 9, 10]));
});
