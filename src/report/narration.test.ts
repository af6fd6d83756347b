import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import type { Report } from '../model/report.ts';
import type { Narration as Narrated, Narrator } from './llm/narrator.ts';
import { Narration } from './narration.ts';
import { createReportWriter } from './report-writer.ts';
import { badDeployment, ONSET_MS, testConfig } from './scenario.fixture.ts';
import { createBudget } from './spending/budget.ts';
import { budgetConfigSchema } from './spending/config.ts';
import type { MemoryStore } from './store.fixture.ts';

const DELAY_MS = 15_000;

function settle(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
}

/** Answers with what `answer` makes of the facts, and counts how often it was asked. */
function narratorOf(answer: (report: Report) => Partial<Narrated>): Narrator & { asked: number } {
  return {
    status: { configured: true, provider: 'openai', model: 'm' },
    maxPackTokens: 4000,
    asked: 0,
    async narrate({ report }) {
      this.asked++;
      return { report: null, note: null, usage: null, dropped: {}, ...answer(report) };
    },
  };
}

function deskOf(store: MemoryStore, narrator: Narrator, clock: ManualClock, amended: Report[]): Narration {
  const writer = createReportWriter({ store, config: testConfig, clock, maxPackTokens: 4000 });
  const amend = async (report: Report): Promise<void> => {
    amended.push(report);
    await store.put('report', report);
  };
  return new Narration({ narrator, store, writer, clock, logger: silentLogger, delayMs: DELAY_MS, deadlineMs: 120_000, amend });
}

async function reported(): Promise<{ store: MemoryStore; facts: Report; clock: ManualClock }> {
  const { store, incident } = badDeployment();
  const clock = new ManualClock(ONSET_MS + 240_000);
  store.documents.incident = [incident];
  const { report } = await createReportWriter({ store, config: testConfig, clock, maxPackTokens: 4000 }).write(
    incident,
    undefined,
  );
  await store.put('report', report);
  return { store, facts: report, clock };
}

test('of any number of processes one asks the model, once an incident, after evidence has gathered', async () => {
  const { store, facts, clock } = await reported();
  const narrator = narratorOf((report) => ({ report: { ...report, phase: 'narrative' } }));
  const amended: Report[] = [];
  const desks = [1, 2, 3].map(() => deskOf(store, narrator, clock, amended));
  for (const desk of desks) desk.hear(facts);
  await settle();
  assert.equal(narrator.asked, 0);
  clock.advance(DELAY_MS);
  await settle();
  assert.deepEqual([narrator.asked, amended.map(({ version, phase }) => [version, phase])], [1, [[2, 'narrative']]]);
  for (const desk of desks) desk.hear(facts);
  clock.advance(DELAY_MS);
  await settle();
  assert.equal(narrator.asked, 1);
  for (const desk of desks) await desk[Symbol.asyncDispose]();
});

test('why there is no narrative stands in the report, with what was spent', async () => {
  const { store, facts, clock } = await reported();
  const usage = { inputTokens: 1, outputTokens: 1, costUsd: 0.02, model: 'm', promptVersion: '1', receiptId: null };
  const amended: Report[] = [];
  await using desk = deskOf(
    store,
    narratorOf(() => ({ note: 'The model did not answer.', usage })),
    clock,
    amended,
  );
  desk.hear(facts);
  clock.advance(DELAY_MS);
  await settle();
  const [report] = amended;
  assert.deepEqual([report?.phase, report?.note, report?.costUsd], ['facts', 'The model did not answer.', 0.02]);
  assert.match(report?.markdown ?? '', /The model did not answer\.\n$/);
});

test('what a process spent before it was stopped stands in the report of the one after it', async () => {
  const { store, facts, clock } = await reported();
  const config = budgetConfigSchema.parse({});
  const budget = createBudget({ records: store.records, config, clock });
  const { incidentId } = facts;
  const reserved = await budget.reserve({ incidentId, service: 'payment', usd: 0.2 });
  assert.ok(reserved.ok);
  await reserved.reservation.settle({ usd: 0.19, inputTokens: 1, outputTokens: 1, model: 'm' });
  const amended: Report[] = [];
  await using desk = deskOf(
    store,
    narratorOf(() => ({ note: 'No language model was asked.' })),
    clock,
    amended,
  );
  desk.hear(facts);
  clock.advance(DELAY_MS);
  await settle();
  assert.equal(amended[0]?.costUsd, 0.19);
});

test('a process that dies while it asks leaves the turn to another, a few times', async () => {
  const { store, facts, clock } = await reported();
  const dying = narratorOf(() => {
    throw new Error('killed');
  });
  const amended: Report[] = [];
  for (let i = 0; i < 5; i++) {
    await using desk = deskOf(store, dying, clock, amended);
    desk.hear(facts);
    clock.advance(DELAY_MS);
    await settle();
    clock.advance(120_000);
    await settle();
  }
  assert.deepEqual([dying.asked, amended], [3, []]);
});
