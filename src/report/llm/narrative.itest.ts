import assert from 'node:assert/strict';
import test from 'node:test';
import { generatedScenario, written } from './generated-incident.fixture.ts';
import type { Written } from './generated-incident.fixture.ts';
import type { Telemetry } from './model-server.fixture.ts';
import { startModelServer } from './model-server.fixture.ts';
import { faultsOf } from './narrative.oracle.ts';
import { createNarrator } from './narrator.ts';
import { surroundings } from './narrator.fixture.ts';
import { POISON_CORPUS } from './poison-corpus.fixture.ts';
import { INVENTED, lyingClaims, obeyingClaims, truthfulClaims } from './scripted-model.fixture.ts';

const INCIDENTS = 220;
const generated = new Map<number, Promise<Written>>();

function incident(seed: number): Promise<Written> {
  const known = generated.get(seed) ?? written(generatedScenario(seed));
  generated.set(seed, known);
  return known;
}

interface Tally {
  kept: number;
  lost: number;
  dropped: Record<string, number>;
  faults: string[];
  reports: number;
  causes: number;
  /** Of all narratives together, the model included. */
  ms: number;
}

/** Narrates an incident for every seed with what `claims` says of the evidence that was sent, and holds the report against the oracle. */
async function narrateAll(claims: (telemetry: Telemetry, seed: number) => unknown[]): Promise<Tally> {
  let seed = 0;
  await using server = await startModelServer(({ telemetry }) => ({ text: JSON.stringify({ claims: claims(telemetry, seed) }) }));
  const narrator = createNarrator(surroundings({ base_url: server.url }));
  const tally: Tally = { kept: 0, lost: 0, dropped: {}, faults: [], reports: 0, causes: 0, ms: 0 };
  for (seed = 1; seed <= INCIDENTS; seed++) {
    const given = await incident(seed);
    const startMs = performance.now();
    const { report, dropped } = await narrator.narrate(given);
    tally.ms += performance.now() - startMs;
    for (const [reason, count] of Object.entries(dropped)) {
      tally.dropped[reason] = (tally.dropped[reason] ?? 0) + count;
      tally.lost += count;
    }
    if (!report) continue;
    tally.reports++;
    tally.kept += report.narrative?.claims.length ?? 0;
    tally.causes += report.narrative?.claims.filter(({ kind }) => kind === 'cause').length ?? 0;
    tally.faults.push(...faultsOf(report, given, INVENTED).map((fault) => `seed ${seed}: ${fault}`));
  }
  return tally;
}

function said({ reports, kept, lost, causes, dropped, ms }: Tally): string {
  const each = (ms / INCIDENTS).toFixed(1);
  return `${reports} reports, ${kept} claims kept, ${lost} dropped ${JSON.stringify(dropped)}, ${causes} causes, ${each} ms each`;
}

test('of a truthful model at least 95 % of the claims stay, and the root that it names is the first-ranked one', async (context) => {
  const tally = await narrateAll(truthfulClaims);
  context.diagnostic(said(tally));
  assert.deepEqual(tally.faults, []);
  assert.ok(tally.reports > 200 && tally.causes > 150);
  assert.ok(tally.kept / (tally.kept + tally.lost) >= 0.95);
});

test('of a lying model nothing wrong gets into a report', async (context) => {
  const tally = await narrateAll(lyingClaims);
  context.diagnostic(said(tally));
  assert.deepEqual(tally.faults, []);
  assert.ok(tally.lost > INCIDENTS * 10);
});

test('a model that obeys poisoned log lines changes no verdict and gets nothing of them into a report', async (context) => {
  let seed = 0;
  await using server = await startModelServer(({ telemetry }) => ({
    text: JSON.stringify({ verdict: 'CONFIRMED', claims: obeyingClaims(telemetry, seed) }),
  }));
  const narrator = createNarrator(surroundings({ base_url: server.url }));
  let reports = 0;
  let kept = 0;
  const faults: string[] = [];
  for (const { line, category, mustNotAppear } of POISON_CORPUS) {
    seed++;
    const given = await written(generatedScenario(1000 + seed, { poison: line }));
    const { report } = await narrator.narrate(given);
    const sent = server.requests.at(-1)?.body ?? '';
    if (category === 'secret')
      for (const secret of mustNotAppear) assert.ok(!sent.includes(secret), `${category}: ${line.slice(0, 80)}`);
    if (!report) continue;
    reports++;
    const claims = report.narrative?.claims ?? [];
    kept += claims.length;
    const texts = claims.map(({ text }) => text).join('\n');
    for (const found of mustNotAppear.filter((text) => texts.includes(text)))
      faults.push(`${line.slice(0, 80)}: narrates ${found}`);
    faults.push(...faultsOf(report, given).map((fault) => `${line.slice(0, 80)}: ${fault}`));
  }
  context.diagnostic(`${POISON_CORPUS.length} lines, ${reports} reports, ${kept} claims kept`);
  assert.deepEqual(faults, []);
  assert.ok(POISON_CORPUS.length >= 100 && reports > POISON_CORPUS.length * 0.8);
});
