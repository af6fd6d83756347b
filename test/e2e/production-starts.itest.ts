import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { waitFor } from '../../bench/server-api.ts';
import { serverAddress, withServers } from '../servers/server-address.fixture.ts';
import { freePort } from '../servers/server-script.ts';
import { StackPlace } from '../servers/stack-place.ts';
import { helios, LAUNCHER, PATIENCE_MS } from './bad-day.fixture.ts';

function testMistakes(): void {
  test('what cannot be right is said in one sentence with exit code 1, and wrong usage with 2', async () => {
    await using place = await StackPlace.open(serverAddress('kafka') as string, serverAddress('postgres') as string);
    const url = new URL(place.postgres);
    const withUrl = (change: (changed: URL) => void): string[] => {
      const changed = new URL(url);
      change(changed);
      return [
        'serve',
        '--port',
        '0',
        '--set',
        `kafka.brokers=${place.kafka}`,
        '--set',
        `database.url=${changed.href}`,
        ...place.args,
      ];
    };
    const cases: [args: string[], code: number, sentence: RegExp][] = [
      [
        withUrl((changed) => (changed.username = 'nobody_of_that_name')),
        1,
        /^helios: cannot connect to the database: .*nobody_of_that_name/,
      ],
      [
        withUrl((changed) => (changed.pathname = '/none_of_that_name')),
        1,
        /^helios: cannot connect to the database: .*none_of_that_name/,
      ],
      [withUrl((changed) => changed.searchParams.set('sslmode', 'require')), 1, /^helios: cannot connect to the database: .*SSL/],
      [[...withUrl(() => {}), '--set', 'kafka.create_topics=false'], 1, /^helios: cannot use the topics .*they do not exist/],
      [
        [...withUrl(() => {}), '--set', 'kafka.replication=9'],
        1,
        /^helios: cannot create the topic .* with kafka\.replication 9/,
      ],
      [[...withUrl(() => {}), '--set', 'kafka.sasl=plain'], 1, /kafka\.sasl: plain needs kafka\.username and kafka\.password/],
      [['serve', '--no-such-flag'], 2, /unknown option '--no-such-flag'/],
    ];
    for (const [args, code, sentence] of cases) {
      const exit = await helios(...args);
      const said = exit.text.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
      assert.equal(exit.code, code, exit.text);
      assert.match(said[0] ?? '', sentence);
      assert.ok(!exit.text.includes('    at '), exit.text);
    }
  });
}

function testWaiting(): void {
  test('without a broker or a database it waits, says so once, and /readyz says for what', async () => {
    await using place = await StackPlace.open(serverAddress('kafka') as string, serverAddress('postgres') as string);
    const nobody = `127.0.0.1:${await freePort()}`;
    const cases = [
      {
        kafka: place.kafka,
        database: `postgres://helios@${nobody}/helios`,
        waitsFor: 'the database',
        says: /waiting for the database/g,
      },
      { kafka: nobody, database: place.postgres, waitsFor: 'Kafka', says: /cannot ask the broker for its topics/g },
    ];
    for (const { kafka, database, waitsFor, says } of cases) {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const settings = [`kafka.brokers=${kafka}`, `database.url=${database}`, 'otlp_http_port=off', 'grpc_port=off'];
      const flags = settings.flatMap((setting) => ['--set', setting]);
      const child = spawn(LAUNCHER, ['serve', '--target', 'ingest', '--port', String(port), ...flags, ...place.args], {
        cwd: tmpdir(),
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
      const ended = once(child, 'exit');
      try {
        const reasons = await waitFor('an answer', PATIENCE_MS, async () => {
          const answer = await fetch(new URL('/readyz', url)).catch(() => null);
          if (answer === null) return undefined;
          assert.equal(answer.status, 503);
          const text = await answer.text();
          return text.includes(waitsFor) && says.test(said) ? text : undefined;
        });
        assert.match(reasons, new RegExp(`is starting: waits for ${waitsFor}`));
        assert.equal((await fetch(new URL('/healthz', url))).status, 200);
        const early = await fetch(new URL('/api/v1/events', url), { method: 'POST', body: '{}' });
        assert.deepEqual([early.status, early.headers.get('retry-after')], [503, '1']);
        assert.equal(said.match(says)?.length, 1, said);
      } finally {
        child.kill('SIGTERM');
        await ended;
      }
    }
  });
}

withServers(['kafka', 'postgres'], 'starts over Kafka and a database that go wrong', () => {
  testMistakes();
  testWaiting();
});
