import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { configSchema } from '../../config/config.ts';
import type { ConfigInput } from '../../config/config.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { createPrng } from '../../lib/prng.ts';
import type { AlertMessage } from '../../model/alert.ts';
import { kafkaEvent } from '../../report/lambda/kafka-event.fixture.ts';
import { createLambdaHandler } from '../../report/lambda.ts';
import type { LambdaHandler } from '../../report/lambda.ts';
import { cascadeAlerts, PARTITIONS, recordsByPartition } from '../../store/timescale/cascade.fixture.ts';
import { withDatabase } from '../../store/timescale/test-database.fixture.ts';
import type { TestDatabase } from '../../store/timescale/test-database.fixture.ts';
import { cascadeEvent, linesOf } from './cascade-event.fixture.ts';
import { openLambdaReporter } from './reporter.ts';

const CONTEXT = { getRemainingTimeInMillis: () => 60_000 };
const NOTHING_FAILED = { batchItemFailures: [] };
const SERVER = { engines: ['postgres'] } as const;
/** What JSON.parse takes, and neither JSON.stringify nor PostgreSQL does. */
const TOO_DEEP = 7000;

interface TestedFunction {
  handler: LambdaHandler;
  count: (sql: string) => Promise<number>;
}

async function withFunction(
  { config: address, database }: TestDatabase,
  run: (tested: TestedFunction) => Promise<void>,
  settings: ConfigInput = {},
): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'helios-lambda-'));
  const common = { clock: 'events', kafka: { partitions: PARTITIONS }, ...settings } as const;
  const report = { directory, ...settings.report };
  const config = configSchema.parse({ ...common, report, database: { url: address.url, connections: 2 } });
  const parts = { config, clock: systemClock, logger: silentLogger, metrics: silentMetrics, prng: createPrng(1) };
  try {
    await using reporter = await openLambdaReporter({ ...parts, owner: 'test' });
    const handler = createLambdaHandler({ ...parts, config: config.lambda, open: async () => reporter });
    const count = async (sql: string): Promise<number> =>
      Number((await database.query(`SELECT count(*) AS count FROM ${sql}`)).rows[0]?.['count']);
    await run({ handler, count });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

withDatabase(
  'alerts of several partitions become incidents with reports, and brought again they change nothing',
  async (database) => {
    await withFunction(database, async ({ handler, count }) => {
      assert.deepEqual(await handler(cascadeEvent(1), CONTEXT), NOTHING_FAILED);
      assert.equal(await count(`documents WHERE kind = 'incident' AND is_newest`), 2);
      assert.equal(await count(`documents WHERE kind = 'report'`), 2);
      const documents = await count('documents');
      assert.deepEqual(await handler(cascadeEvent(2), CONTEXT), NOTHING_FAILED);
      assert.deepEqual(await handler({ source: 'aws.events' }, CONTEXT), NOTHING_FAILED);
      assert.equal(await count('documents'), documents);
      assert.equal(await count('report_jobs'), 0);
      assert.equal(await count('partition_progress'), 0, 'the offsets are those of the mapping');
    });
  },
  SERVER,
);

withDatabase(
  'several environments that bring the same alerts at once, in pieces, make one incident of each',
  async (database) => {
    const pieces = recordsByPartition(cascadeAlerts(), 3).flatMap((records, partition) => {
      const half = records.length >> 1;
      return [records.slice(0, half), records.slice(half)].map((part) =>
        kafkaEvent(Array.from({ length: PARTITIONS }, (_, i) => (i === partition ? part.map(linesOf) : []))),
      );
    });
    await withFunction(database, (first) =>
      withFunction(database, async (second) => {
        await Promise.all(
          [first, second, first].map(async ({ handler }) => {
            for (const piece of pieces) await handler(piece, CONTEXT);
          }),
        );
        assert.equal(await first.count(`documents WHERE kind = 'incident' AND is_newest`), 2);
        assert.equal(await first.count(`pending_alerts WHERE settled_at IS NULL`), 0);
        assert.equal(await first.count(`documents WHERE kind = 'report' AND is_newest`), 2);
        assert.equal(await first.count('report_jobs'), 0);
      }),
    );
  },
  SERVER,
);

withDatabase(
  'what cannot be read or stored is put aside with its reason, once, and the rest of the record is kept',
  async (database) => {
    const [alert] = cascadeAlerts().filter(({ type }) => type === 'anomaly') as [AlertMessage];
    const deep = linesOf([alert]).replace('"evidence"', `"more":${'['.repeat(TOO_DEEP)}${']'.repeat(TOO_DEEP)},"evidence"`);
    const texts = [`{"type":"nonsense"}\n${linesOf([alert])}`, null, 'no JSON\n', deep, linesOf(cascadeAlerts().slice(0, 2))];
    await withFunction(database, async ({ handler, count }) => {
      for (let time = 0; time < 2; time++)
        assert.deepEqual(await handler(kafkaEvent([texts], { from: 40 }), CONTEXT), NOTHING_FAILED);
      const { rows } = await database.database.query(
        `SELECT key, value FROM records WHERE key LIKE 'dead-letter/%' ORDER BY key`,
      );
      const letters = rows.map(({ key, value }) => {
        const { reason, value: text } = value as { reason: string; value: string };
        return { key: String(key).replace(/\/[0-9a-f]+$/, ''), reason, text: Buffer.from(text, 'base64').toString() };
      });
      const at = (offset: number): string => `dead-letter/anomaly-alerts/0/${String(offset).padStart(16, '0')}`;
      assert.deepEqual(letters.slice(0, 3), [
        { key: at(40), reason: 'it is no message of a detector', text: '{"type":"nonsense"}' },
        { key: at(41), reason: 'it has no value', text: '' },
        { key: at(42), reason: letters[2]?.reason, text: 'no JSON' },
      ]);
      assert.equal(letters.length, 4);
      assert.equal(letters[3]?.key, at(43));
      assert.match(letters[3]?.reason ?? '', /stack/);
      assert.equal(await count('pending_alerts'), 3);
    });
  },
  SERVER,
);

/** A receiver of webhooks, and a provider of models that refuses every key. */
async function openOutside() {
  const heard: { path: string; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const path = request.url ?? '';
      heard.push({ path, body });
      response.writeHead(path.startsWith('/v1') ? 401 : 200, { 'Content-Type': 'application/json' }).end('{}');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: (prefix: string) => heard.filter(({ path }) => path.startsWith(prefix)).length,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

withDatabase(
  'people are told and a model is asked before the invocation answers',
  async (database) => {
    await using outside = await openOutside();
    const llm = {
      provider: 'openai-compatible',
      base_url: `${outside.url}/v1`,
      model: 'scripted',
      openai_api_key: 'none',
    } as const;
    const notify = { receivers: [{ type: 'alertmanager' as const, name: 'hook', url: `${outside.url}/hook` }] };
    const untilFiring = recordsByPartition(
      cascadeAlerts().filter((alert) => alert.type !== 'anomaly' || alert.anomaly.state === 'firing'),
      1,
    );
    const told = kafkaEvent(untilFiring.map((records) => records.map(linesOf)));
    const prove = async ({ handler, count }: TestedFunction): Promise<void> => {
      assert.deepEqual(await handler({ source: 'aws.events' }, CONTEXT), NOTHING_FAILED);
      assert.equal(outside.count('/hook'), 0);
      assert.deepEqual(await handler(told, CONTEXT), NOTHING_FAILED);
      assert.equal(await count(`documents WHERE kind = 'incident' AND is_newest AND status = 'open'`), 2);
      assert.equal(outside.count('/hook'), 2);
      assert.equal(outside.count('/v1'), 2);
      assert.equal(await count(`documents WHERE kind = 'report' AND is_newest AND body->>'note' IS NOT NULL`), 2);
    };
    const prices = [{ model: 'scripted', input: 1, output: 1 }];
    await withFunction(database, prove, { notify, report: { llm, prices } });
  },
  SERVER,
);
