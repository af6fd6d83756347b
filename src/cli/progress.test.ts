import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import { ManualClock } from '../lib/clock.ts';
import { startProgress } from './progress.ts';

function captured(isTTY: boolean) {
  const stream: PassThrough & { isTTY?: boolean } = new PassThrough();
  if (isTTY)
    Object.assign(stream, { isTTY, cursorTo() {}, moveCursor() {}, clearLine() {}, columns: 80, getWindowSize: () => [80, 25] });
  return { stream, text: () => String(stream.read() ?? '') };
}

test('without a terminal there is a plain line every few seconds, not one per update', () => {
  const { stream, text } = captured(false);
  const clock = new ManualClock();
  const progress = startProgress({ label: 'replaying a', total: 40, format: (n) => `${n} MB`, quiet: false, stream, clock });
  for (let done = 1; done <= 40; done++) {
    clock.advance(250);
    progress.update(done, `${done * 10} events accepted`);
  }
  progress.stop();
  assert.equal(text(), [12, 24, 36].map((done) => `replaying a ${done} MB of 40 MB, ${done * 10} events accepted\n`).join(''));
});

test('quiet progress writes nothing, with and without a terminal', () => {
  for (const isTTY of [true, false]) {
    const { stream, text } = captured(isTTY);
    const clock = new ManualClock();
    const progress = startProgress({ label: 'x', total: 10, quiet: true, stream, clock });
    clock.advance(60_000);
    progress.update(5);
    progress.stop();
    assert.equal(text(), '');
  }
});

test('a terminal gets a bar', () => {
  const { stream, text } = captured(true);
  const progress = startProgress({ label: 'generating', total: 10, quiet: false, stream, clock: new ManualClock() });
  progress.update(5, 'half');
  progress.stop();
  assert.match(text(), /generating \[[=-]+\]/);
});
