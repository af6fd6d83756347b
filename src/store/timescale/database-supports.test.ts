import assert from 'node:assert/strict';
import test from 'node:test';
import { compareVersions, readSupports } from './database-supports.ts';
import type { Session } from './database.ts';

/** A server that answers with this row. */
function server(number: number, timescale: string | null, direct = false): Pick<Session, 'query'> {
  const row = { number, server: `${Math.floor(number / 10_000)}.1`, timescale, direct_compress: direct };
  return { query: () => Promise.resolve({ rows: [row], rowCount: 1 }) };
}

test('versions are compared number by number', () => {
  assert.ok(compareVersions('2.9.3', '2.13.0') < 0);
  assert.ok(compareVersions('2.13.0', '2.13.0') === 0);
  assert.ok(compareVersions('2.23.0-dev', '2.13.0') > 0);
  assert.ok(compareVersions('3', '2.13.0') > 0);
});

test('a server or extension that is too old is refused in one sentence', async () => {
  await assert.rejects(readSupports(server(130_012, null)), {
    code: 'invalid_config',
    message: 'cannot use this database: the server is PostgreSQL 13.1, HELIOS needs 14 or newer',
  });
  await assert.rejects(readSupports(server(160_002, '2.12.2')), {
    code: 'invalid_config',
    message: 'cannot use this database: its timescaledb extension is 2.12.2, HELIOS needs 2.13.0 or newer',
  });
});

test('rows are compressed as they are copied only where aggregates hear of them', async () => {
  assert.deepEqual(await readSupports(server(140_000, null)), { timescale: null, directCompress: false });
  assert.deepEqual(await readSupports(server(170_005, '2.23.1', true)), { timescale: '2.23.1', directCompress: false });
  assert.deepEqual(await readSupports(server(170_005, '2.24.0', true)), { timescale: '2.24.0', directCompress: true });
});
