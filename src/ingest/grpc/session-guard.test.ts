import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import http2 from 'node:http2';
import type { ServerHttp2Session } from 'node:http2';
import net from 'node:net';
import test from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { HANDSHAKE_TIMEOUT_MS, IDLE_TIMEOUT_MS, PING_AFTER_MS, RESET_BUDGET, SWEEP_PERIOD_MS } from './limits.ts';
import { openGrpc, publishFrame, RawClient, statusOf, EVENT } from './server.fixture.ts';
import { SessionGuard } from './session-guard.ts';

/** A connection whose peer answers pings only when the test says so. */
class StubSession extends EventEmitter {
  destroyed = false;
  closed = false;
  code = 0;
  readonly pings: (() => void)[] = [];

  setLocalWindowSize(): void {}

  ping(acknowledge: () => void): boolean {
    this.pings.push(acknowledge);
    return true;
  }

  close(): void {
    this.closed = true;
  }

  destroy(_?: Error, code = 0): void {
    this.destroyed = true;
    this.code = code;
  }
}

function guarded(): { session: StubSession; guard: SessionGuard; clock: ManualClock; pass: (ms: number) => void } {
  const session = new StubSession();
  const clock = new ManualClock();
  const guard = new SessionGuard(session as unknown as ServerHttp2Session, clock);
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= SWEEP_PERIOD_MS) {
      clock.advance(SWEEP_PERIOD_MS);
      guard.sweep();
    }
  };
  return { session, guard, clock, pass };
}

test('a connection on which HTTP/2 does not begin is closed', () => {
  const { session, pass } = guarded();
  pass(HANDSHAKE_TIMEOUT_MS);
  assert.equal(session.destroyed, true);
});

test('a peer that answers pings stays while it has calls, and one that does not is cut', () => {
  const { session, guard, pass } = guarded();
  session.emit('remoteSettings');
  guard.callOpened();
  pass(PING_AFTER_MS);
  assert.equal(session.pings.length, 1);
  session.pings[0]?.();
  pass(IDLE_TIMEOUT_MS - PING_AFTER_MS);
  assert.equal(session.destroyed, true, 'the second ping was not answered');
  assert.equal(session.closed, false);
});

test('a connection without calls is closed in an orderly way once it is idle', () => {
  const { session, guard, pass } = guarded();
  session.emit('remoteSettings');
  guard.callOpened();
  guard.callClosed(http2.constants.NGHTTP2_NO_ERROR);
  for (let passed = 0; passed < IDLE_TIMEOUT_MS; passed += SWEEP_PERIOD_MS) {
    pass(SWEEP_PERIOD_MS);
    for (const acknowledge of session.pings.splice(0)) acknowledge();
  }
  assert.deepEqual([session.closed, session.destroyed], [true, false]);
});

test('resets are forgiven with time, and a burst of them is not', () => {
  const { session, guard, clock } = guarded();
  const reset = (count: number): void => {
    for (let i = 0; i < count; i++) {
      guard.callOpened();
      guard.callClosed(http2.constants.NGHTTP2_CANCEL);
    }
  };
  for (let i = 0; i < 10; i++) {
    reset(RESET_BUDGET.burst / 2);
    clock.advance(((RESET_BUDGET.burst / 2) * 1000) / RESET_BUDGET.perSecond);
  }
  assert.equal(session.destroyed, false);
  reset(RESET_BUDGET.burst + 1);
  assert.deepEqual([session.destroyed, session.code], [true, http2.constants.NGHTTP2_ENHANCE_YOUR_CALM]);
});

test('the server sweeps its connections, and a message that does not arrive in time ends its call', async () => {
  const clock = new ManualClock(Date.now());
  await using grpc = await openGrpc({ clock });
  const silent = net.connect(Number(new URL(grpc.url).port), '127.0.0.1');
  const closed = new Promise((resolve) => {
    silent.on('close', resolve);
  });
  silent.on('error', () => {}).resume();
  using raw = new RawClient(grpc.url);
  const { stream, answer } = raw.open('/helios.v1.EventService/Publish');
  stream.write(publishFrame({ events: [EVENT] }).subarray(0, 20));
  while (grpc.pending.bytes === 0) await new Promise(setImmediate);
  clock.advance(31_000);
  assert.equal(statusOf(await answer), 4);
  await closed;
  assert.equal(grpc.pending.bytes, 0);
});
