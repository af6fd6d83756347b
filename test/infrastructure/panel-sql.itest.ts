import assert from 'node:assert/strict';
import { dashboards } from '../../scripts/dashboards/dashboards.ts';
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
  'incidents that people judged make precision, false positives and false alarms by service and day',
  async ({ database }) => {
    const startMs = Date.parse('2026-01-01T00:10:00Z');
    const incidents = [
      { acknowledgedAt: '2026-01-01T00:20:00Z' },
      { acknowledgedAt: '2026-01-01T00:20:00Z' },
      { acknowledgedAt: '2026-01-01T00:20:00Z', newNormal: { state: 'rejected' } },
      { acknowledgedAt: '2026-01-01T00:20:00Z', newNormal: { state: 'accepted' } },
      { acknowledgedAt: null, newNormal: null },
    ];
    for (const [index, body] of incidents.entries()) {
      await database.query(
        `INSERT INTO documents (kind, key, version, is_newest, time_ms, status, body) VALUES ('incident', $1, 1, true, $2, 'resolved', $3)`,
        [`inc-${index}`, startMs + index, JSON.stringify(body)],
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
    const { precision, 'false positives': falsePositives, judged } = await answer('Precision and false-positive rate');
    assert.deepEqual([precision, falsePositives, judged], [0.75, 0.25, 0.8]);
  },
);
