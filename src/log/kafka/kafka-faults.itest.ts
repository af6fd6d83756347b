import assert from 'node:assert/strict';
import test, { after, before, describe } from 'node:test';
import { serverAddress, withServers } from '../../../test/servers/server-address.fixture.ts';
import { KafkaServer } from '../../../test/servers/server-script.ts';
import { systemClock } from '../../lib/clock.ts';
import type { HeliosError } from '../../lib/errors.ts';
import { createPrng } from '../../lib/prng.ts';
import type { EventLog } from '../event-log.ts';
import { KAFKA_METRICS } from '../metrics.ts';
import { keyOf } from '../record.fixture.ts';
import { columnsOf, connectionTo, countingMetrics, eventsOf, listeningLogger, openTestLog, testConfig } from './kafka.fixture.ts';
import type { OpenedLog } from './kafka.fixture.ts';
import { ensureTopics } from './topics.ts';

const SERVICES = ['cart', 'payment', 'search', 'stock', 'mail', 'auth', 'ship', 'risk'];
const CLIENTS = 4;

/** Appends from several clients until it is stopped; each client's next append waits for the one before. */
class Load {
  acknowledged = 0;
  refused = 0;
  readonly #log: EventLog;
  readonly #running: Promise<void>[];
  #isOver = false;
  #next = 0;

  constructor(log: EventLog) {
    this.#log = log;
    this.#running = Array.from({ length: CLIENTS }, (_, client) => this.#run(client));
  }

  get appended(): number {
    return this.#next;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  async reach(acknowledged: number): Promise<void> {
    while (this.acknowledged < acknowledged) await systemClock.sleep(20);
  }

  async #run(client: number): Promise<void> {
    while (!this.#isOver) {
      const record = columnsOf(this.#next++, SERVICES, { clientId: `client-${client}` });
      await this.#log.append(record).then(
        () => this.acknowledged++,
        () => this.refused++,
      );
    }
  }
}

/** Every appended event is there once, those of each service and client in the order of the appends. */
async function checkStored({ reader }: OpenedLog, load: Load): Promise<void> {
  const records = await reader.readAll();
  const stored = eventsOf(records).map(({ message }) => message);
  assert.equal(new Set(stored).size, stored.length, 'none is there twice');
  assert.equal(stored.length, load.appended * SERVICES.length, 'none is missing');
  const newest = new Map<string, number>();
  for (const record of records) {
    for (const { service, message } of eventsOf([record])) {
      const number = Number(message.split('.')[0]);
      const line = `${record.clientId} ${service}`;
      assert.ok(number > (newest.get(line) ?? -1), `${line} goes on after ${newest.get(line)}`);
      newest.set(line, number);
    }
  }
}

function testAbsence(serverOf: () => KafkaServer): void {
  test('a broker that is absent at the start is waited for', async () => {
    await serverOf().kill();
    const { logger, heard } = listeningLogger();
    const opening = openTestLog(serverOf().address, {}, { logger });
    while (!heard.some(({ message }) => /nothing listens at .*; trying again/.test(message))) await systemClock.sleep(20);
    await serverOf().restart();
    await using opened = await opening;
    await opened.log.append(columnsOf(0, SERVICES));
    assert.equal(
      (await opened.reader.readAll()).reduce((sum, { count }) => sum + count, 0),
      SERVICES.length,
    );
  });
}

function testRestarts(serverOf: () => KafkaServer): void {
  test('a broker killed and started again under load loses and doubles nothing', async () => {
    const { metrics, totals } = countingMetrics();
    await using opened = await openTestLog(serverOf().address, { delivery_timeout: '300s' }, { metrics });
    const load = new Load(opened.log);
    const prng = createPrng(5);
    for (let fault = 0; fault < 3; fault++) {
      await load.reach(load.acknowledged + 50 + prng.below(200));
      await serverOf().kill();
      await serverOf().restart();
      await load.reach(load.acknowledged + 50);
    }
    await load.stop();
    assert.equal(load.refused, 0);
    assert.ok((totals.get(KAFKA_METRICS.retries.name) ?? 0) > 0);
    await checkStored(opened, load);
  });
}

function testDeadline(serverOf: () => KafkaServer): void {
  test('appends that the broker does not acknowledge in time are refused, and their events come in the end', async () => {
    await using opened = await openTestLog(serverOf().address, { delivery_timeout: '1s' });
    const { log } = opened;
    await log.append(columnsOf(0, SERVICES));
    await serverOf().kill();
    const idempotency = { keyHash: keyOf(1), bodyHash: '00ff00ff00ff00ff', answer: '' };
    const late = log.append(columnsOf(1, SERVICES, { idempotency, receivedAtMs: Date.now() }));
    await assert.rejects(late, (error: HeliosError) => {
      assert.equal(error.code, 'log_unavailable');
      return /has not acknowledged for 1 s: /.test(error.message) && error.details.retryAfterSeconds !== undefined;
    });
    assert.equal(log.findRequest(keyOf(1)), undefined);
    await serverOf().restart();
    while (!log.findRequest(keyOf(1))) await systemClock.sleep(20);
    const stored = eventsOf(await opened.reader.readAll());
    assert.equal(stored.length, 2 * SERVICES.length);
  });
}

function testBound(serverOf: () => KafkaServer): void {
  test('what waits for the broker is bounded, and more is refused at once', async () => {
    await using opened = await openTestLog(serverOf().address, { max_pending: '64KB', delivery_timeout: '300s' });
    await opened.log.append(columnsOf(0, SERVICES));
    await serverOf().kill();
    const taken: Promise<unknown>[] = [];
    const refusals: HeliosError[] = [];
    for (let number = 1; refusals.length === 0; number++) {
      const append = opened.log.append(columnsOf(number, SERVICES));
      append.catch((error: HeliosError) => refusals.push(error));
      taken.push(append);
      await new Promise(setImmediate);
    }
    assert.equal(refusals[0]?.code, 'overloaded');
    assert.equal(refusals[0]?.details.retryAfterSeconds, 1);
    await serverOf().restart();
    await Promise.all(taken.slice(0, -1));
    await opened.log.append(columnsOf(taken.length, SERVICES));
    const stored = eventsOf(await opened.reader.readAll());
    assert.equal(stored.length, (taken.length + 1) * SERVICES.length);
  });
}

function testLeaders(scripts: string): void {
  test('a leader killed in a cluster of three loses and doubles nothing', async () => {
    await using server = await KafkaServer.start(scripts, 3);
    await using opened = await openTestLog(server.address, { replication: 3, delivery_timeout: '300s' });
    const load = new Load(opened.log);
    for (const broker of [1, 2]) {
      await load.reach(load.acknowledged + 100);
      await server.kill(broker);
      await load.reach(load.acknowledged + 100);
      await server.restart(broker);
    }
    await load.reach(load.acknowledged + 100);
    await load.stop();
    assert.equal(load.refused, 0);
    await checkStored(opened, load);
  });
}

function testSecurity(scripts: string): void {
  test('SASL and TLS are spoken as configured, and what is wrong with them is said in a sentence', async () => {
    await using server = await KafkaServer.start(scripts, 1, { isSecured: true });
    const user = { username: 'helios', password: 'helios-secret' };
    const tls = { tls: true, tls_ca_file: server.caFile };
    for (const settings of [
      { brokers: server.securedAddress('sasl'), sasl: 'plain', ...user },
      { brokers: server.securedAddress('sasl'), sasl: 'scram-sha-256', ...user },
      { brokers: server.securedAddress('both'), sasl: 'scram-sha-512', ...user, ...tls },
      { brokers: server.securedAddress('tls'), ...tls },
    ]) {
      const { brokers, ...overrides } = settings;
      await using opened = await openTestLog(brokers, overrides);
      await opened.log.append(columnsOf(0, SERVICES));
      assert.equal(eventsOf(await opened.reader.readAll()).length, SERVICES.length);
    }
    const wrong: [string, Record<string, unknown>, RegExp][] = [
      [server.securedAddress('sasl'), { sasl: 'plain', ...user, password: 'no' }, /refuses the credentials/],
      [server.securedAddress('sasl'), { sasl: 'scram-sha-512', ...user, password: 'no' }, /refuses the credentials/],
      [server.securedAddress('tls'), { tls: true }, /TLS certificate is not accepted/],
      [server.securedAddress('tls'), {}, /the broker speaks TLS, and kafka.tls is off/],
    ];
    for (const [brokers, overrides, sentence] of wrong) {
      const config = testConfig(brokers, overrides);
      await using connection = connectionTo(config);
      const ensured = ensureTopics(connection, [{ topic: config.topic_events, partitions: 1, isCompacted: false }]);
      await assert.rejects(ensured, { code: 'log_unavailable', message: sentence });
    }
  });
}

withServers(['servers'], 'kafka log through faults of the broker', () => {
  const scripts = serverAddress('servers') as string;

  describe('one broker', () => {
    let server: KafkaServer;
    before(async () => {
      server = await KafkaServer.start(scripts);
    });
    after(() => server[Symbol.asyncDispose]());
    for (const register of [testAbsence, testRestarts, testDeadline, testBound]) register(() => server);
  });
  testLeaders(scripts);
  testSecurity(scripts);
});
