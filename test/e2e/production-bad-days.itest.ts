import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Admin, Producer, stringSerializers } from '@platformatic/kafka';
import { waitFor } from '../../bench/server-api.ts';
import { StackAudit } from '../../bench/stack-audit.ts';
import { StackSender } from '../../bench/stack-sender.ts';
import { HeliosStack } from '../servers/helios-stack.ts';
import type { StackRole } from '../servers/helios-stack.ts';
import { serverAddress, withServers } from '../servers/server-address.fixture.ts';
import { freePort } from '../servers/server-script.ts';
import { StackPlace } from '../servers/stack-place.ts';

const run = promisify(execFile);
const LAUNCHER = path.join(import.meta.dirname, '../../bin/helios');
const PATIENCE_MS = 60_000;
const PARTITIONS = 2;

interface Exit {
  code: number;
  text: string;
}

/** Runs the program to its end. */
async function helios(...args: string[]): Promise<Exit> {
  try {
    const { stdout, stderr } = await run(LAUNCHER, args, { cwd: tmpdir(), timeout: PATIENCE_MS });
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}

function lines(service: string, from: number, count: number, more: object = {}): Buffer {
  const at = Date.now() - 60_000;
  const events = Array.from({ length: count }, (_, i) => ({
    timestamp: new Date(at + i).toISOString(),
    service,
    level: 'INFO',
    message: `event ${from + i}`,
    span_id: (from + i).toString(16).padStart(16, '0'),
    ...more,
  }));
  return Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

/** A stack without the roles that a test has no use for, over topics and a database of its own. */
class Days implements AsyncDisposable {
  readonly place: StackPlace;
  readonly stack: HeliosStack;
  readonly audit: StackAudit;
  readonly #sender: StackSender;
  readonly topic: string;
  #sent = 0;

  private constructor(place: StackPlace, stack: HeliosStack) {
    this.place = place;
    this.stack = stack;
    this.audit = new StackAudit(place.postgres);
    this.#sender = new StackSender({ urls: () => [stack.url('ingest-0')] });
    this.topic = (place.args.find((arg) => arg.startsWith('kafka.topic_events=')) as string).split('=')[1] as string;
  }

  static async begin(roles: readonly StackRole[], args: readonly string[] = []): Promise<Days> {
    const place = await StackPlace.open(serverAddress('kafka') as string, serverAddress('postgres') as string);
    try {
      const none = { ingest: 0, store: 0, detect: 0, report: 0, console: 0 };
      const replicas = { ...none, ...Object.fromEntries(roles.map((role) => [role, 1])) };
      const stack = await HeliosStack.start({
        ...place,
        args: [...place.args, '--set', `kafka.partitions=${PARTITIONS}`, ...args],
        replicas,
      });
      return new Days(place, stack);
    } catch (error) {
      await place[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Flags for commands that work on the same place. */
  get flags(): string[] {
    return [...this.place.args, '--set', `kafka.brokers=${this.place.kafka}`];
  }

  async send(count: number, service = 'shop', more: object = {}): Promise<void> {
    await this.#sender.send(lines(service, this.#sent, count, more), count, `batch-${this.#sent}`);
    this.#sent += count;
  }

  /** Waits until this many events are stored, and says that none is stored twice. */
  async stored(count: number): Promise<void> {
    try {
      await waitFor(`${count} stored events`, PATIENCE_MS, async () => {
        const { rows } = await this.audit.events();
        return rows >= count ? true : undefined;
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.stack.said()}`, { cause: error });
    }
    assert.deepEqual(await this.audit.events(), { rows: count, distinct: count });
  }

  async admin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: this.place.kafka.split(',') });
    try {
      return await work(admin);
    } finally {
      await admin.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack[Symbol.asyncDispose]();
    await this.#sender[Symbol.asyncDispose]();
    await this.audit[Symbol.asyncDispose]();
    await this.place[Symbol.asyncDispose]();
  }
}

async function produce(days: Days, topic: string, value: string): Promise<void> {
  const producer = new Producer({
    clientId: 'elsewhere',
    bootstrapBrokers: days.place.kafka.split(','),
    serializers: stringSerializers,
  });
  await producer.send({ messages: [{ topic, partition: 0, value }] });
  await producer.close();
}

async function metric(url: string, start: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', url))).text();
  const line = text.split('\n').find((each) => each.startsWith(start));
  return line === undefined ? 0 : Number(line.split(' ').at(-1));
}

async function letters(days: Days): Promise<string[]> {
  const { text } = await helios('dlq', 'list', '--json', '--topic', days.topic, ...days.flags);
  return (JSON.parse(text) as { items: { name: string }[] }).items.map(({ name }) => name);
}

function testLetters(): void {
  test('a record that HELIOS did not write is a letter, the partition goes on, and a retry stores its events once', async () => {
    await using days = await Days.begin(['ingest', 'store']);
    await days.send(10);
    const foreign = lines('shop', 1000, 2).toString();
    await produce(days, days.topic, foreign);
    await produce(days, days.topic, 'not even lines');
    await days.send(10);
    await days.stored(20);
    const names = await waitFor('the letters', PATIENCE_MS, async () => {
      const found = await letters(days);
      return found.length === 2 ? found : undefined;
    });
    assert.equal(await metric(days.stack.url('store-0'), `helios_kafka_unreadable_records_total{topic="${days.topic}"}`), 2);
    const shown = await Promise.all(names.map((name) => helios('dlq', 'show', name, ...days.flags)));
    assert.ok(shown.every(({ text }) => text.includes('it has no header v: HELIOS did not write it')));
    const good = names[shown.findIndex(({ text }) => text.includes('event 1000'))] as string;
    assert.equal((await helios('dlq', 'retry', good, ...days.flags)).code, 0);
    await days.stored(22);
    const twice = await helios('dlq', 'retry', good, ...days.flags);
    assert.equal(twice.code, 1);
    assert.match(twice.text, /^helios: cannot retry \S+: that was done at \d{4}-/);
    assert.equal((await helios('dlq', 'retry', good, '--again', ...days.flags)).code, 0);
    await days.send(5);
    await days.stored(27);
  });

  test('an event that the database refuses is a letter, and is stored once when the reason is gone', async () => {
    await using days = await Days.begin(['ingest', 'store'], ['--set', 'database.metadata_indexes=note']);
    // What an index takes is shorter, and these cannot be compressed.
    const note = Array.from({ length: 9000 }, (_, i) => String.fromCharCode(0x4e00 + ((i * 7919) % 20_000))).join('');
    await days.send(5);
    await days.send(1, 'shop', { metadata: { note } });
    await days.send(5);
    await days.stored(10);
    const [name = ''] = await letters(days);
    assert.match((await helios('dlq', 'show', name, ...days.flags)).text, /reason {2}event 0 of the record: cannot copy rows/);
    await days.audit.query(
      (
        await days.audit.query<{ sql: string }>(
          `SELECT format('DROP INDEX %I', indexname) AS sql FROM pg_indexes WHERE indexname LIKE 'events_metadata_%'`,
        )
      )[0]?.sql as string,
    );
    assert.equal((await helios('dlq', 'retry', '--all', '--topic', days.topic, ...days.flags)).code, 0);
    await days.stored(11);
    assert.equal((await helios('dlq', 'retry', name, '--again', ...days.flags)).code, 0);
    await days.send(5);
    await days.stored(16);
  });
}

function testOffsets(): void {
  test('records that retention took before they were stored are named from-to and counted, and the rest is stored', async () => {
    await using days = await Days.begin(['ingest', 'store']);
    for (let i = 0; i < 4; i++) await days.send(10);
    await days.stored(40);
    await days.stack.stop('store-0');
    const [row] = await days.audit.query<{ p: number; n: string }>(
      `SELECT log_partition AS p, next_offset AS n FROM partition_progress WHERE topic = '${days.topic}' ORDER BY next_offset DESC`,
    );
    const { p: partition, n } = row as { p: number; n: string };
    for (let i = 0; i < 4; i++) await days.send(10);
    const lost = 3;
    await days.admin((admin) =>
      admin.deleteRecords({ topics: [{ name: days.topic, partitions: [{ partition, offset: BigInt(Number(n) + lost) }] }] }),
    );
    await days.stack.start('store-0');
    await days.stored(40 + 10 * (4 - lost));
    assert.match(days.stack.said(), new RegExp(`records are lost.*"from":${n},"to":${Number(n) + lost - 1}`));
    assert.equal(await metric(days.stack.url('store-0'), `helios_kafka_lost_records_total{topic="${days.topic}"}`), lost);
  });

  test('a topic that is deleted and made anew is read from its start: nothing of it is lost, nothing stored is gone', async () => {
    await using days = await Days.begin(['ingest', 'store']);
    for (let i = 0; i < 5; i++) await days.send(10);
    await days.stored(50);
    await days.stack.stop('ingest-0');
    await days.admin(async (admin) => {
      await admin.deleteTopics({ topics: [days.topic] });
      await admin.createTopics({ topics: [days.topic], partitions: PARTITIONS, replicas: 1 });
    });
    await days.stack.start('ingest-0');
    await days.send(10);
    await days.stored(60);
    assert.match(days.stack.said(), /the topic was deleted and made anew: it is read from its start/);
  });

  test('a database that is as it was some time ago is brought up to date from its own offsets, and nothing is stored twice', async () => {
    await using days = await Days.begin(['ingest', 'store']);
    const tables = [
      'events',
      'partition_progress',
      'stored_requests',
      'minute_rollups',
      'hour_rollups',
      'day_rollups',
      'open_rollups',
    ];
    await days.send(30);
    await days.stored(30);
    await days.stack.stop('store-0');
    for (const table of tables) await days.audit.query(`CREATE TABLE old_${table} AS TABLE ${table}`);
    await days.stack.start('store-0');
    for (let i = 0; i < 3; i++) await days.send(10);
    await days.stored(60);
    await days.stack.stop('store-0');
    for (const table of tables) {
      await days.audit.query(`DELETE FROM ${table}`);
      await days.audit.query(`INSERT INTO ${table} SELECT * FROM old_${table}`);
    }
    await days.stored(30);
    await days.stack.start('store-0');
    await days.send(10);
    await days.stored(70);
  });
}

function testStarts(): void {
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

function testPartitions(): void {
  test('partitions that are added to a living topic are stored and settled by those who run', async () => {
    await using days = await Days.begin(['ingest', 'store']);
    await days.send(10);
    await days.stored(10);
    await days.admin((admin) =>
      admin.createPartitions({ topics: [{ name: days.topic, count: PARTITIONS + 2, assignments: null }] }),
    );
    // Who produces goes on with the partitions that it knows until it is started again.
    await days.stack.stop('ingest-0');
    await days.stack.start('ingest-0');
    for (let i = 0; i < 8; i++) await days.send(5, `service-${i}`);
    await days.stored(50);
    const rows = await days.audit.query(`SELECT DISTINCT log_partition FROM events WHERE log_partition >= ${PARTITIONS}`);
    assert.ok(rows.length > 0, 'something is in the new partitions');
  });
}

withServers(['kafka', 'postgres'], 'bad days of roles in processes of their own', () => {
  testLetters();
  testOffsets();
  testStarts();
  testPartitions();
});
