import assert from 'node:assert/strict';
import { withDatabase } from './test-database.fixture.ts';

withDatabase('rows come back as they went in', async ({ database }) => {
  const { rows } = await database.query(
    `SELECT 5::bigint AS small, 9007199254740993::bigint AS large, 1.5::numeric AS numeric, $1::bytea AS bytes, $2::jsonb AS json,
        $3::text[] AS texts, $4::double precision AS double, $5::bigint[] AS longs`,
    [Buffer.from([1, 0, 255]), { a: [1, 'x'] }, ['a"b', 'c,d'], 0.1, [1, 2]],
  );
  assert.deepEqual(
    { ...rows[0], bytes: [...(rows[0]?.['bytes'] as Uint8Array)] },
    {
      small: 5,
      large: 9007199254740993n,
      numeric: 1.5,
      bytes: [1, 0, 255],
      json: { a: [1, 'x'] },
      texts: ['a"b', 'c,d'],
      double: 0.1,
      longs: [1, 2],
    },
  );
  const copied = ['2025-01-01 00:00:00Z', '7', '0', '0', '1', 'pay', '', '', '', 'hello'].join('\t');
  await database.transaction((session) =>
    session.copy(
      'COPY events (time, log_position, log_partition, kind, level, service, environment, namespace, service_version, message) FROM STDIN',
      [Buffer.from(`${copied}\n`)],
    ),
  );
  const stored = await database.query('SELECT count(*) AS n, min(log_position) AS p FROM events');
  assert.deepEqual(stored.rows, [{ n: 1, p: 7 }]);
});
