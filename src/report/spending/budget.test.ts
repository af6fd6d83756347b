import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ManualClock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { MemoryRecords } from '../../store/record-store.fixture.ts';
import type { RecordStore } from '../../store/record-store.ts';
import { createBudget } from './budget.ts';
import type { Budget, Reservation } from './budget.ts';
import { budgetConfigSchema } from './config.ts';
import { createSpendingReader } from './costs.ts';

const NOON = Date.UTC(2025, 9, 8, 12);
const HOUR_MS = 3_600_000;
const MODEL = { inputTokens: 1000, outputTokens: 100, model: 'm' };

function fixture(config: Record<string, unknown> = {}, records: RecordStore = new MemoryRecords()) {
  const clock = new ManualClock(NOON);
  const parsed = budgetConfigSchema.parse(config);
  const counted: [string, number, Record<string, string> | undefined][] = [];
  const metrics: Metrics = { add: ({ name }, value, labels) => counted.push([name, value, labels]), set() {}, observe() {} };
  const open = (): Budget => createBudget({ records, config: parsed, clock, metrics });
  return { clock, records, counted, open, budget: open(), reader: createSpendingReader({ records, config: parsed, clock }) };
}

async function reserved(budget: Budget, usd: number, incidentId = 'inc-1'): Promise<Reservation> {
  const answer = await budget.reserve({ incidentId, service: 'cart', usd });
  assert.ok(answer.ok);
  return answer.reservation;
}

test('what is set aside counts against every cap until it is settled, then what it has cost', async () => {
  const { budget, reader } = fixture({ per_incident: 0.1, per_day: 1 });
  const first = await reserved(budget, 0.06);
  const refused = await budget.reserve({ incidentId: 'inc-1', service: 'cart', usd: 0.05 });
  assert.deepEqual(refused, {
    ok: false,
    cap: 'incident',
    limitUsd: 0.1,
    spentUsd: 0.06,
    sentence:
      'No language model was asked: of the 0.1 USD for this incident, 0.06 USD are spent or set aside, and the request may cost 0.05 USD.',
  });
  await first.settle({ usd: 0.05, ...MODEL });
  await reserved(budget, 0.05);
  const { caps, total } = await reader.costs({ by: 'day' });
  assert.deepEqual(caps.day, { limitUsd: 1, spentUsd: 0.05, reservedUsd: 0.05 });
  assert.deepEqual(total, { calls: 1, inputTokens: 1000, outputTokens: 100, costUsd: 0.05 });
});

test('a reservation is settled or released once, whatever is called again', async () => {
  const { budget, reader } = fixture();
  const first = await reserved(budget, 0.05);
  await Promise.all([first.settle({ usd: 0.02, ...MODEL }), first.settle({ usd: 0.02, ...MODEL }), first.release()]);
  const second = await reserved(budget, 0.05);
  await second.release();
  await second.settle({ usd: 0.05, ...MODEL });
  const { caps, total } = await reader.costs({ by: 'service' });
  assert.equal(total.calls, 1);
  assert.deepEqual(caps.month, { limitUsd: 50, spentUsd: 0.02, reservedUsd: 0 });
});

test('a cap is kept to the millionth: exactly reached is allowed, a millionth more is not', async () => {
  const { budget } = fixture({ per_incident: 0.3 });
  for (let i = 0; i < 3; i++) await (await reserved(budget, 0.1)).settle({ usd: 0.1, ...MODEL });
  assert.equal((await budget.reserve({ incidentId: 'inc-1', service: 'cart', usd: 0.000001 })).ok, false);
  assert.equal((await budget.reserve({ incidentId: 'inc-1', service: 'cart', usd: 0 })).ok, true);
});

test('a cap of 0 asks nobody, and unlimited has no cap', async () => {
  const none = await fixture({ per_day: 0 }).budget.reserve({ incidentId: 'inc-1', service: 'cart', usd: 0 });
  assert.ok(!none.ok && none.cap === 'day');
  assert.equal(none.sentence, 'No language model was asked: the budget for a day is 0 USD.');
  const { budget, reader } = fixture({ per_incident: 'unlimited', per_day: 'unlimited', per_month: 'unlimited' });
  await (await reserved(budget, 1000)).settle({ usd: 999, ...MODEL });
  assert.deepEqual((await reader.costs({ by: 'day' })).caps.day, { limitUsd: null, spentUsd: 999, reservedUsd: 0 });
});

test('a cap of 0 is what is told, also when another one is reached', async () => {
  const { budget } = fixture({ per_incident: 0.1, per_day: 0 });
  const answer = await budget.reserve({ incidentId: 'inc-1', service: 'cart', usd: 0.2 });
  assert.ok(!answer.ok);
  assert.equal(answer.sentence, 'No language model was asked: the budget for a day is 0 USD.');
});

test('days and months begin at midnight in UTC, and a request belongs to the day it began on', async () => {
  const { budget, clock, reader } = fixture({ per_incident: 10, per_day: 1, per_month: 1.5 });
  const late = await reserved(budget, 1, 'inc-1');
  const refused = await budget.reserve({ incidentId: 'inc-2', service: 'cart', usd: 0.1 });
  assert.ok(!refused.ok && refused.cap === 'day' && refused.sentence.endsWith('The next day begins at 00:00 UTC.'));
  clock.advance(12 * HOUR_MS - 300_000);
  clock.advance(300_000);
  await late.settle({ usd: 1, ...MODEL });
  await (await reserved(budget, 0.5, 'inc-2')).settle({ usd: 0.5, ...MODEL });
  const month = await budget.reserve({ incidentId: 'inc-3', service: 'cart', usd: 0.1 });
  assert.ok(!month.ok && month.cap === 'month');
  assert.deepEqual(
    (await reader.costs({ by: 'day' })).items.map(({ key, costUsd }) => [key, costUsd]),
    [
      ['2025-10-08', 1],
      ['2025-10-09', 0.5],
    ],
  );
});

test('what a crashed process had set aside counts as spent, so that no cap is passed; a late settlement adds nothing to it', async () => {
  const { budget, clock, reader, open } = fixture({ per_incident: 0.1, hold: '10m' });
  const crashed = await reserved(budget, 0.06);
  clock.advance(11 * 60_000);
  const other = open();
  assert.equal((await other.reserve({ incidentId: 'inc-1', service: 'cart', usd: 0.05 })).ok, false);
  await reserved(other, 0.04);
  const { caps, total } = await reader.costs({ by: 'day' });
  assert.deepEqual(caps.day, { limitUsd: 5, spentUsd: 0.06, reservedUsd: 0.04 });
  assert.deepEqual(total, { calls: 1, inputTokens: 0, outputTokens: 0, costUsd: 0.06 });
  await crashed.settle({ usd: 0.05, ...MODEL });
  assert.deepEqual((await reader.costs({ by: 'day' })).total, { calls: 1, inputTokens: 1000, outputTokens: 100, costUsd: 0.06 });
});

test('caps hold to the millionth for any number of incidents and processes at once', async () => {
  const amounts = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 20, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(amounts, fc.integer({ min: 1, max: 4 }), async (micros, processes) => {
      const { open, reader } = fixture({ per_incident: 0.1, per_day: 0.5, per_month: 0.7 });
      const budgets = Array.from({ length: processes }, open);
      const run = async (micro: number, i: number): Promise<void> => {
        const usd = micro / 1e6;
        const answer = await (budgets[i % processes] as Budget).reserve({
          incidentId: `inc-${i % 20}`,
          service: `s${i % 3}`,
          usd,
        });
        if (!answer.ok) return;
        if (i % 5 === 0) await answer.reservation.release();
        else await answer.reservation.settle({ usd: i % 2 === 0 ? usd : usd / 2, ...MODEL });
      };
      await Promise.all(micros.map(run));
      const { caps, total, items } = await reader.costs({ by: 'service' });
      assert.ok(caps.day.spentUsd <= 0.5);
      assert.deepEqual([caps.day.reservedUsd, caps.month.reservedUsd], [0, 0]);
      assert.equal(caps.day.spentUsd, total.costUsd);
      assert.equal(caps.month.spentUsd, total.costUsd);
      assert.equal(Math.round(items.reduce((sum, { costUsd }) => sum + costUsd * 1e6, 0)), Math.round(total.costUsd * 1e6));
    }),
    { numRuns: 40 },
  );
});

test('calls, tokens, costs and refusals are counted', async () => {
  const { budget, counted } = fixture({ per_incident: 0.1 });
  await (await reserved(budget, 0.1)).settle({ usd: 0.1, ...MODEL });
  await budget.reserve({ incidentId: 'inc-1', service: 'cart', usd: 0.1 });
  assert.deepEqual(counted, [
    ['helios_llm_calls_total', 1, undefined],
    ['helios_llm_tokens_total', 1000, { direction: 'input' }],
    ['helios_llm_tokens_total', 100, { direction: 'output' }],
    ['helios_llm_cost_usd_total', 0.1, undefined],
    ['helios_llm_refusals_total', 1, { cap: 'incident' }],
  ]);
});

test('a store that fails lets nobody spend, and a settlement that failed may be tried again', async () => {
  const memory = new MemoryRecords();
  let isDown = false;
  const records: RecordStore = {
    get: (keys) => memory.get(keys),
    list: (query) => memory.list(query),
    write: async (writes) => {
      if (isDown) throw new HeliosError('unavailable', 'cannot write records: the store is away');
      return memory.write(writes);
    },
  };
  const { budget, reader } = fixture({}, records);
  const reservation = await reserved(budget, 0.1);
  isDown = true;
  await assert.rejects(budget.reserve({ incidentId: 'inc-1', service: 'cart', usd: 0.1 }), { code: 'unavailable' });
  await assert.rejects(reservation.settle({ usd: 0.1, ...MODEL }), { code: 'unavailable' });
  isDown = false;
  await reservation.settle({ usd: 0.1, ...MODEL });
  assert.equal((await reader.costs({ by: 'day' })).caps.day.spentUsd, 0.1);
  for (const usd of [NaN, -1, Infinity]) {
    await assert.rejects(budget.reserve({ incidentId: 'inc-1', service: 'cart', usd }), { code: 'invalid_argument' });
  }
});
