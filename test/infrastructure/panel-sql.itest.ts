import assert from 'node:assert/strict';
import { dashboards } from '../../scripts/dashboards/dashboards.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import { createBudget } from '../../src/report/spending/budget.ts';
import { budgetConfigSchema } from '../../src/report/spending/config.ts';
import { openRecordStore } from '../../src/store/timescale/records.ts';
import { withDatabase } from '../../src/store/timescale/test-database.fixture.ts';
import { expandMacros, panelQueries } from './panel-queries.ts';

const queries = Object.values(dashboards()).flatMap((board) => panelQueries(board).sql);

withDatabase('the SQL of every panel runs on the schema as it is', async ({ database }) => {
  assert.ok(queries.length > 10);
  const hasTimeBucket = database.supports.timescale !== null;
  for (const { title, sql } of queries) {
    const text = expandMacros(sql, hasTimeBucket);
    assert.doesNotMatch(text, /\$\w/, `${title}: a macro is left`);
    await assert.doesNotReject(database.query(text), title);
  }
});

withDatabase(
  'what people said of incidents makes precision, recall, and false alarms by service and day',
  async ({ database }) => {
    const startMs = Date.parse('2026-01-01T00:10:00Z');
    const labels = ['real', 'real', 'wrong_cause', 'expected', 'new_normal', 'missed'];
    const writes = labels.map((label, n) => {
      const incidentId = label === 'missed' ? null : `inc-${n}`;
      const said = {
        id: `${n}`,
        label,
        incidentId,
        services: ['shop'],
        from: '2026-01-01T00:10:00Z',
        at: '2026-01-02T00:00:00Z',
      };
      return { key: `feedback/said/${n}`, value: { ...said, takenBack: null }, revision: 0 };
    });
    const takenBack = { key: 'feedback/said/x', value: { ...writes[3]?.value, takenBack: { by: 'ada' } }, revision: 0 };
    await openRecordStore(database).write([...writes, takenBack]);
    // Five that somebody has judged, and five that nobody has.
    for (let n = 0; n < 10; n++) {
      await database.query(
        `INSERT INTO documents (kind, key, version, is_newest, time_ms, status, body) VALUES ('incident', $1, 1, true, $2, 'resolved', '{}')`,
        [`inc-${n}`, startMs + n],
      );
    }
    await database.query(`INSERT INTO entities (name) VALUES ('production/default/shop'), ('production/default/cart')`);
    const answer = async (panel: string): Promise<Record<string, unknown>> => {
      const found = queries.find(({ title }) => title === panel);
      const { rows } = await database.query(expandMacros(found?.sql ?? '', database.supports.timescale !== null));
      return rows[0] ?? {};
    };
    assert.equal((await answer('Precision'))['precision'], 0.75);
    // One in an hour of two services.
    assert.equal(Number((await answer('False alarms by service and day'))['rate']), 12);
    const { precision, recall, judged, 'false positives': wrong } = await answer('Precision, recall and false-positive rate');
    assert.deepEqual([precision, recall, judged, wrong], [0.75, 0.75, 0.5, 0.25]);
    assert.deepEqual(await answer('Most false alarms'), { service: 'shop', 'false alarms': 1 });
  },
);

withDatabase('what language models cost is shown by service, of the days in the range', async ({ database }) => {
  const records = openRecordStore(database);
  const clock = new ManualClock(Date.parse('2025-12-31T23:30:00Z'));
  const budget = createBudget({ records, config: budgetConfigSchema.parse({ per_incident: 'unlimited' }), clock });
  const spend = async (service: string, usd: number): Promise<void> => {
    const answer = await budget.reserve({ incidentId: 'inc-1', service, usd });
    assert.ok(answer.ok);
    await answer.reservation.settle({ usd, inputTokens: 900, outputTokens: 80, model: 'm' });
  };
  await spend('cart', 1);
  clock.advance(3_600_000);
  for (const [service, usd] of [
    ['cart', 0.01],
    ['shop', 0.5],
    ['cart', 0.02],
  ] as const)
    await spend(service, usd);
  const found = queries.find(({ title }) => title === 'Calls, tokens and USD by service');
  const { rows } = await database.query(expandMacros(found?.sql ?? '', database.supports.timescale !== null));
  assert.deepEqual(rows, [
    { service: 'shop', calls: 1, 'tokens sent': 900, 'tokens received': 80, USD: 0.5 },
    { service: 'cart', calls: 2, 'tokens sent': 1800, 'tokens received': 160, USD: 0.03 },
  ]);
});
