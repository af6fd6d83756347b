import assert from 'node:assert/strict';
import test from 'node:test';
import { feedFleet, firstScreenLines, settledReports, startReportServer } from '../../bench/report-runs.ts';
import type { ReportedIncident } from '../../bench/report-runs.ts';
import { getJson } from '../../bench/server-api.ts';
import { temporaryDirectory } from '../../bench/server-process.ts';
import type { Report } from '../../src/model/report.ts';
import { evidenceValue } from './evidence-value.ts';
import { dangling, uncarried } from './report-numbers.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const FLEET = { faults: 40, hours: 8, rate: 25 };
const INCIDENTS = 200;
/** Lines of 100 columns before the detail. */
const SCREEN = 30;
const TYPES = [
  'metric',
  'expected',
  'anomaly',
  'ratio',
  'change',
  'template',
  'event',
  'incident',
  'endpoint',
  'version',
  'call',
];

interface Tally {
  incidents: number;
  /** By type. */
  items: Map<string, number>;
  /** Of the longest first screen. */
  lines: number;
  wrong: string[];
  dangling: string[];
  uncarried: string[];
  /** Queries that can be copied from a report and that the API refuses. */
  refused: string[];
}

/** Asks a server each query once. */
function asking(url: string): (query: string) => Promise<unknown> {
  const asked = new Map<string, Promise<unknown>>();
  return (query) => {
    const known = asked.get(query) ?? getJson(url, query);
    asked.set(query, known);
    return known;
  };
}

async function check(tally: Tally, report: Report, name: string, answerOf: (query: string) => Promise<unknown>): Promise<void> {
  const { evidence, markdown } = report;
  tally.lines = Math.max(tally.lines, firstScreenLines(report));
  for (const item of evidence) {
    tally.items.set(item.type, (tally.items.get(item.type) ?? 0) + 1);
    const value = await evidenceValue(item, evidence, answerOf);
    if (value !== item.value)
      tally.wrong.push(`${name} ${item.id}: ${item.value}, not ${String(value)} ${item.query} ${item.pointer}`);
  }
  tally.dangling.push(...dangling(report).map((id) => `${name} ${id}`));
  tally.uncarried.push(...uncarried(report).map((text) => `${name} "${text}"`));
  for (const [, query = ''] of markdown.matchAll(/`GET ([^`]+)`/g)) {
    await answerOf(query).catch((error: unknown) => tally.refused.push(`${name} ${String(error)}`));
  }
}

async function checkFleet(tally: Tally, seed: number): Promise<ReportedIncident[]> {
  using directory = temporaryDirectory();
  await using server = await startReportServer(directory.path);
  await feedFleet(server.url, { seed, ...FLEET });
  const reported = await settledReports(server.url);
  const answerOf = asking(server.url);
  for (const { incident, report } of reported) await check(tally, report, `seed ${seed} ${incident.id}`, answerOf);
  return reported;
}

test('every number of the reports of 200 and more incidents is what its query answers, and no id leads nowhere', async (t) => {
  const tally: Tally = { incidents: 0, items: new Map(), lines: 0, wrong: [], dangling: [], uncarried: [], refused: [] };
  for (const seed of SEEDS) {
    const reported = await checkFleet(tally, seed);
    tally.incidents += reported.length;
    t.diagnostic(`seed ${seed}: ${reported.length} incidents`);
  }
  const { incidents, items, lines, ...bad } = tally;
  assert.deepEqual(bad, { wrong: [], dangling: [], uncarried: [], refused: [] });
  assert.ok(incidents >= INCIDENTS, `${incidents} incidents`);
  for (const type of TYPES) assert.ok((items.get(type) ?? 0) > 0, `no evidence of type ${type}`);
  assert.ok(lines <= SCREEN, `a first screen of ${lines} lines`);
  const total = [...items.values()].reduce((sum, count) => sum + count, 0);
  const byType = [...items].map(([type, count]) => `${type} ${count}`).join(', ');
  t.diagnostic(`${incidents} incidents, ${total} evidence items, all equal: ${byType}; longest first screen ${lines} lines`);
});
