import assert from 'node:assert/strict';
import test from 'node:test';
import { createFixture } from '../console/console.fixture.ts';
import { isoTime, systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import type { MetricDefinition } from '../lib/metrics.ts';
import { createNames } from '../model/event-batch.ts';
import type { Report } from '../model/report.ts';
import type { TemplateCount } from '../model/template.ts';
import { batchOf } from '../store/contract/event-fixture.ts';
import type { FixtureEvent } from '../store/contract/event-fixture.ts';
import { StoreDir } from '../store/embedded/store-fixture.ts';
import { checkedValue } from './evidence-check.fixture.ts';
import { reportSeconds } from './metrics.ts';
import { createReportWriter } from './report-writer.ts';
import { createReporter } from './reporter.ts';
import { badDeployment, MINUTE, testConfig } from './scenario.fixture.ts';
import type { Scenario } from './scenario.fixture.ts';
import type { StoredEvent } from './store.fixture.ts';

const RECORD_EVENTS = 500;

function fixtureEvent({ ms, service, level, message, latencyMs, endpoint }: StoredEvent): FixtureEvent {
  return { timestamp: isoTime(ms), service, level, message, metadata: { latency_ms: latencyMs, endpoint } };
}

function templateCounts(events: StoredEvent[]): TemplateCount[] {
  const minuteOf = (ms: number): number => Math.floor(ms / MINUTE) * MINUTE;
  const errors = events.filter(({ level }) => level === 'ERROR');
  const groups = Map.groupBy(errors, ({ service, template, ms }) => `${service} ${template} ${minuteOf(ms)}`);
  return [...groups.values()].map((group) => {
    const { service, template, message, ms } = group[0] as StoredEvent;
    return { entity: service, templateId: template, template, minuteMs: minuteOf(ms), count: group.length, example: message };
  });
}

/** The scenario as the pipeline would have stored it. */
async function fill(place: StoreDir, { store }: Scenario): Promise<void> {
  await using writer = await place.openWriter();
  const names = createNames();
  for (let i = 0; i < store.events_.length; i += RECORD_EVENTS) {
    const events = store.events_.slice(i, i + RECORD_EVENTS).map(fixtureEvent);
    writer.observe(batchOf(names, events), place.log.append(events));
  }
  const { anomaly: anomalies, incident: incidents, change: changes } = store.documents;
  const templates = templateCounts(store.events_);
  await writer.commit({ anomalies, incidents, changes, templates, models: [], checkpoint: null }, place.log.nextOffset);
}

test('every evidence item of a stored report is what the read API answers', async (t) => {
  using place = new StoreDir();
  const scenario = badDeployment();
  await fill(place, scenario);
  await using store = await place.openStore();
  await using fixture = await createFixture({ store });
  const announced: Report[] = [];
  const seconds: number[] = [];
  const observe = (definition: MetricDefinition, value: number): void => {
    if (definition === reportSeconds) seconds.push(value);
  };
  await using reporter = createReporter({
    store,
    config: testConfig,
    clock: systemClock,
    logger: silentLogger,
    metrics: { add() {}, set() {}, observe },
    writer: createReportWriter({ store, config: testConfig, clock: systemClock, maxPackTokens: 8000 }),
    archive: { write: () => Promise.resolve() },
    onReport: (report) => void announced.push(report),
  });
  for (let i = 0; i < 5; i++) await reporter.report(scenario.incident);

  const answer = await fixture.app.inject({ url: `/api/v1/incidents/${scenario.incident.id}/report` });
  const report = answer.json<Report>();
  assert.deepEqual(report, announced.at(-1));
  assert.equal(report.version, 5);
  assert.equal(report.verdict, 'CONFIRMED');
  assert.ok(new Set(report.evidence.map(({ type }) => type)).size >= 7);
  const answerOf = async (query: string): Promise<unknown> => {
    const { statusCode, body } = await fixture.app.inject({ url: query });
    assert.equal(statusCode, 200, query);
    return JSON.parse(body);
  };
  for (const item of report.evidence) {
    assert.equal(await checkedValue(item, report.evidence, answerOf), item.value, `${item.id} ${item.query} ${item.pointer}`);
  }
  const copyable = report.markdown.match(/`GET [^`]+`/g) ?? [];
  for (const query of new Set(copyable.map((span) => span.slice(5, -1)))) {
    assert.equal((await fixture.app.inject({ url: query })).statusCode, 200, query);
  }
  t.diagnostic(
    `seconds of ${seconds.length} reports, ${scenario.store.events_.length} events stored: ${seconds.map((s) => s.toFixed(3)).join(' ')}`,
  );
});
