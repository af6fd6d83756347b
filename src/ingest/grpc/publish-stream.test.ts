import assert from 'node:assert/strict';
import test from 'node:test';
import type { ServiceError } from '@grpc/grpc-js';
import type { EventLog } from '../../log/event-log.ts';
import { MAX_IN_FLIGHT_MESSAGES, STREAM_WINDOW_BYTES } from './limits.ts';
import { EVENT, openGrpc, openStream, publishFrame, RawClient, statusOf } from './server.fixture.ts';
import type { RawAnswer } from './server.fixture.ts';

const STREAM = 'helios.v1.EventService/PublishStream';

/** A request of so many events; its answer tells it from others. */
const requestOf = (events: number): object => ({ events: Array.from({ length: events }, () => EVENT) });

/** A log whose appends wait until they are let through, in any order. */
class GatedLog {
  readonly gates: (() => void)[] = [];
  #arrived: (() => void) | null = null;

  readonly wrap = (log: EventLog): EventLog =>
    new Proxy(log, {
      get: (target, name) => {
        if (name !== 'append') return Reflect.get(target, name, target) as unknown;
        return async (...args: Parameters<EventLog['append']>) => {
          await new Promise<void>((resolve) => {
            this.gates.push(resolve);
            this.#arrived?.();
          });
          return target.append(...args);
        };
      },
    });

  /** Resolves once so many appends have come. */
  async reached(count: number): Promise<void> {
    while (this.gates.length < count) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }
}

/** How many messages with so many accepted events each: PublishResponse.accepted is field 1. */
function acceptedOf({ data }: RawAnswer): number[] {
  const accepted: number[] = [];
  for (let at = 0; at < data.length; at += 5 + data.readUInt32BE(at + 1)) {
    accepted.push(data.readUInt32BE(at + 1) === 0 ? 0 : (data[at + 6] as number));
  }
  return accepted;
}

test('requests of a stream are answered in their order, whichever is durable first', async () => {
  const log = new GatedLog();
  await using grpc = await openGrpc({ wrapLog: log.wrap });
  const stream = openStream(grpc.client(), STREAM);
  const answers: number[] = [];
  stream.on('data', (answer: { accepted: number }) => answers.push(answer.accepted));
  for (const events of [1, 2, 3]) stream.write(requestOf(events));
  stream.end();
  await log.reached(3);
  for (const open of log.gates.toReversed()) open();
  await new Promise((resolve) => {
    stream.on('end', resolve);
  });
  assert.deepEqual(answers, [1, 2, 3]);
  assert.equal(grpc.log.committedOffset(), 3);
  assert.equal(grpc.pending.bytes, 0);
});

test('a request whose events all break a rule is answered, and the stream goes on', async () => {
  await using grpc = await openGrpc();
  using raw = new RawClient(grpc.url);
  const bad = publishFrame({ events: [{ ...EVENT, service: '' }] });
  const answer = await raw.call(`/${STREAM}`, Buffer.concat([bad, publishFrame(requestOf(2)), publishFrame({})]));
  assert.deepEqual([statusOf(answer), grpc.log.committedOffset()], [0, 1]);
  assert.match(answer.data.toString('latin1'), /service.*is required/s);
});

test('a message that is no request ends the stream after the answers to those before it', async () => {
  const log = new GatedLog();
  await using grpc = await openGrpc({ wrapLog: log.wrap });
  using raw = new RawClient(grpc.url);
  const { stream, answer } = raw.open(`/${STREAM}`);
  const malformed = Buffer.from([0, 0, 0, 0, 2, 0x0a, 0x7f]);
  stream.write(Buffer.concat([publishFrame(requestOf(1)), publishFrame(requestOf(2)), malformed, publishFrame(requestOf(3))]));
  await log.reached(2);
  for (const open of log.gates) open();
  const ended = await answer;
  assert.deepEqual([statusOf(ended), acceptedOf(ended)], [3, [1, 2]]);
  assert.match(String(ended.trailers['grpc-message']), /PublishRequest/);
  assert.equal(grpc.pending.bytes, 0);
});

test('past its requests in flight a stream is not read, and goes on when they are answered', async () => {
  const log = new GatedLog();
  await using grpc = await openGrpc({ wrapLog: log.wrap });
  using raw = new RawClient(grpc.url);
  const { stream, answer } = raw.open(`/${STREAM}`);
  const total = 3 * MAX_IN_FLIGHT_MESSAGES;
  stream.end(Buffer.concat(Array.from({ length: total }, () => publishFrame(requestOf(1)))));
  await log.reached(MAX_IN_FLIGHT_MESSAGES);
  await new Promise(setImmediate);
  assert.equal(log.gates.length, MAX_IN_FLIGHT_MESSAGES);
  assert.ok(grpc.pending.bytes > STREAM_WINDOW_BYTES, 'what the client may still send is accounted for');
  let opened = 0;
  while (opened < total) {
    await log.reached(opened + 1);
    while (opened < log.gates.length) log.gates[opened++]?.();
  }
  const ended = await answer;
  assert.equal(statusOf(ended), 0);
  assert.equal(acceptedOf(ended).length, total);
  assert.equal(grpc.pending.bytes, 0);
});

test('a stopping process answers what it has received and ends the stream with UNAVAILABLE', async () => {
  const log = new GatedLog();
  await using grpc = await openGrpc({ wrapLog: log.wrap });
  const stream = openStream(grpc.client(), STREAM);
  const answers: number[] = [];
  stream.on('data', (answer: { accepted: number }) => answers.push(answer.accepted));
  const failed = new Promise<ServiceError>((resolve) => {
    stream.on('error', (error) => resolve(error as ServiceError));
  });
  stream.write(requestOf(1));
  await log.reached(1);
  const closed = grpc.server.close(new Promise(() => {}));
  log.gates[0]?.();
  const error = await failed;
  assert.deepEqual([answers, error.code], [[1], 14]);
  assert.equal(await closed, true);
});
