import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { differences } from '../../bench/stack-audit.ts';
import type { StoredVerdicts } from '../../bench/stack-audit.ts';
import { createGenerator } from '../../src/generate/generator.ts';
import { openTcpProxy } from '../../src/store/timescale/tcp-proxy.fixture.ts';
import type { TcpProxy } from '../../src/store/timescale/tcp-proxy.fixture.ts';
import { serverAddress, withServers } from '../servers/server-address.fixture.ts';
import { KafkaServer, PostgresServer } from '../servers/server-script.ts';
import { StackCourse } from '../servers/stack-course.ts';
import type { Batch } from '../servers/stack-course.ts';
import { StackPlace } from '../servers/stack-place.ts';

const START_MS = Date.UTC(2025, 9, 8, 9);
const MINUTE_MS = 60_000;
const BATCH = 250;
const EVENTS_PER_S = 18;
/** Event time until the first fault in the data, and of each of the pieces that follow. */
const WARM_UP_MINUTES = 40;
const PIECE_MINUTES = 10;
/** How fast a piece is sent while something goes wrong: so that there is always something under way. */
const PACE_PER_S = 500;
/** Longer than a consumer's session. */
const PAUSE_MS = 14_000;
const CUT_MS = 20_000;

/** What is done to the stack while events come, one piece each, in this order. */
const TROUBLES = ['restarts', 'kills', 'crashes', 'pause', 'cuts', 'locks'] as const;
type Trouble = (typeof TROUBLES)[number];

/** A stream in pieces, the first of which is calm; each of the others has errors of its own. */
function cutStream(): Batch[][] {
  const faults = TROUBLES.map((_, i) => ({
    kind: 'error_burst' as const,
    startMs: START_MS + (WARM_UP_MINUTES + i * PIECE_MINUTES + 2) * MINUTE_MS,
    durationMs: 4 * MINUTE_MS,
    effect: { errorRate: 0.5 },
  }));
  const minutes = WARM_UP_MINUTES + TROUBLES.length * PIECE_MINUTES;
  const size = { services: 8, rate: EVENTS_PER_S, startMs: START_MS, durationMs: minutes * MINUTE_MS };
  const stream = createGenerator({ seed: 7, ...size, benignGapMs: Infinity, faults }).events(BATCH);
  const batches = [...stream].map(({ bytes, count }) => ({ bytes: Buffer.from(bytes), count }));
  const pieceLength = Math.floor((batches.length * PIECE_MINUTES) / minutes);
  const pieces = TROUBLES.map(() => batches.splice(batches.length - pieceLength)).toReversed();
  return [batches, ...pieces];
}

/** Servers, the stack that has to bear all of it, and what an undisturbed one has made of the stream up to each piece's end. */
class World implements AsyncDisposable {
  readonly #scope = new AsyncDisposableStack();
  readonly #undisturbed: StoredVerdicts[] = [];
  kafka!: KafkaServer;
  postgres!: PostgresServer;
  proxy!: TcpProxy;
  course!: StackCourse;

  async open(): Promise<void> {
    const folder = serverAddress('servers') as string;
    this.kafka = this.#scope.use(await KafkaServer.start(folder));
    this.postgres = this.#scope.use(await PostgresServer.start(folder));
    const { hostname, port } = new URL(this.postgres.address);
    this.proxy = this.#scope.use(await openTcpProxy(hostname, Number(port)));
    const openPlace = (): Promise<StackPlace> => StackPlace.open(this.kafka.address, this.postgres.address);
    const pieces = cutStream();
    await using calm = await StackCourse.open({ place: await openPlace(), pieces });
    for (const _ of pieces) {
      await calm.run();
      this.#undisturbed.push(await calm.settled());
    }
    const sizes = this.#undisturbed.map(({ anomalies, incidents }) => [anomalies.size, incidents.size] as const);
    assert.ok(
      (sizes.at(-1)?.[0] ?? 0) > TROUBLES.length && (sizes.at(-1)?.[1] ?? 0) > 1,
      `anomalies, incidents: ${sizes.join('; ')}`,
    );
    const place = await openPlace();
    const postgres = Object.assign(new URL(place.postgres), { port: String(this.proxy.port) }).href;
    const replicas = { ingest: 2, store: 2, detect: 2, report: 2 };
    this.course = this.#scope.use(await StackCourse.open({ place, pieces, postgres, replicas }));
    await this.course.run();
    await this.course.settled();
  }

  /** Sends a piece through the trouble: nothing is lost or doubled, and anomalies, incidents and reports are as without it. */
  async bear(trouble: Trouble, happens: () => Promise<void>, pace = PACE_PER_S): Promise<void> {
    await this.course.run(happens, pace);
    const { anomalies, incidents, reports } = await this.course.settled();
    const expected = this.#undisturbed[TROUBLES.indexOf(trouble) + 1] as StoredVerdicts;
    const wrong = [
      ...differences(expected.anomalies, anomalies).map((id) => [expected.anomalies.get(id), anomalies.get(id)]),
      ...differences(expected.incidents, incidents).map((id) => [expected.incidents.get(id), incidents.get(id)]),
    ];
    assert.deepEqual(wrong, []);
    assert.deepEqual([...reports.keys()].toSorted(), [...expected.reports.keys()].toSorted());
    assert.deepEqual(await this.course.repeated(), []);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scope.disposeAsync();
  }
}

function registerProcessFaults(world: World): void {
  test('replicas of a role share the partitions of each topic', async () => {
    const owners = await world.course.audit.query<{ consumer_group: string; least: string; owners: string }>(
      `SELECT consumer_group, min(held) AS least, count(*) AS owners
       FROM (SELECT consumer_group, topic, owner, count(*) AS held FROM partition_progress GROUP BY 1, 2, 3) AS held
       GROUP BY consumer_group, topic ORDER BY 1`,
    );
    const groups = ['detectors', 'point-writers', 'reporters', 'storage-writers', 'trace-joiners'];
    assert.deepEqual(
      owners,
      groups.map((consumer_group) => ({ consumer_group, least: '5', owners: '2' })),
    );
  });

  test('a rolling restart of every role, one process after the other, loses, doubles and repeats nothing', () =>
    world.bear('restarts', async () => {
      const { stack } = world.course;
      for (const name of stack.names()) {
        assert.equal(await stack.stop(name), 0, name);
        await stack.start(name);
      }
    }));

  test('nor does kill -9 of each role in turn', () =>
    world.bear('kills', async () => {
      const { stack } = world.course;
      for (const role of ['ingest', 'store', 'detect', 'report', 'console'] as const) {
        await sleep(500);
        await stack.kill(`${role}-0`);
        await stack.start(`${role}-0`);
      }
    }));
}

function registerServerFaults(world: World): void {
  test('nor does a crash of the broker, or of the database', () =>
    world.bear('crashes', async () => {
      await sleep(1000);
      await world.kafka.kill();
      await sleep(2000);
      await world.kafka.restart();
      await sleep(3000);
      await world.postgres.kill();
      await sleep(5000);
      await world.postgres.restart();
    }));

  test('a store that is paused and wakes when its partitions are others writes nothing', async () => {
    const { stack } = world.course;
    // Whether it holds anything when it is paused is luck; that the database refuses it then is a test of the partition writer.
    await world.bear('pause', async () => {
      await sleep(1500);
      const { child } = stack.of('store-0');
      child.kill('SIGSTOP');
      await sleep(PAUSE_MS);
      child.kill('SIGCONT');
    });
  });
}

function registerNetworkFaults(world: World): void {
  test('while the database, then the broker is out of reach nothing is lost, and events are taken as long as there is a broker', () => {
    const trouble = async (): Promise<void> => {
      await sleep(1000);
      const { acknowledged } = world.course.sender;
      world.proxy.mode = 'held';
      await sleep(CUT_MS);
      assert.ok(world.course.sender.acknowledged > acknowledged, 'the doors need no database');
      world.proxy.mode = 'open';
      await sleep(2000);
      world.kafka.signal('SIGSTOP');
      await sleep(CUT_MS);
      world.kafka.signal('SIGCONT');
    };
    return world.bear('cuts', trouble, PACE_PER_S / 2);
  });

  test('a session that locks the tables keeps everybody waiting, and no longer than it lasts', () =>
    world.bear('locks', async () => {
      await sleep(1000);
      const client = new pg.Client({ connectionString: world.course.place.postgres });
      await client.connect();
      await client.query('BEGIN; LOCK TABLE partition_progress, events IN ACCESS EXCLUSIVE MODE');
      await sleep(CUT_MS);
      await client.query('COMMIT');
      await client.end();
    }));
}

withServers(['servers'], 'roles in processes of their own through what happens to processes, networks and servers', () => {
  const world = new World();
  before(() => world.open());
  after(() => world[Symbol.asyncDispose]());
  registerProcessFaults(world);
  registerServerFaults(world);
  registerNetworkFaults(world);
});
