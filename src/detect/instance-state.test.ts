import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyState, captureState } from './instance-state.ts';
import { decodeState, encodeState } from './state-codec.ts';

class Level {
  readonly values = new Float64Array(4);
  count = 0;
  last: number | null = null;

  add(value: number): void {
    this.values[this.count++ % 4] = value;
    this.last = value;
  }
}

class Pair {
  readonly levels = [new Level(), new Level()];
  readonly names = new Map([['a', 1]]);
  private readonly window: Float64Array;
  private readonly half: Float64Array;
  private readonly note = { since: NaN };
  readonly #hidden = 1;

  constructor() {
    this.window = new Float64Array(4);
    this.half = this.window.subarray(0, 2);
  }

  add(value: number): void {
    for (const level of this.levels) level.add(value);
    this.window[0] = value;
    this.note.since = value;
  }

  look(): unknown[] {
    return [this.half[0], this.note.since, this.#hidden, this.levels[1]?.last];
  }
}

test('a state goes through bytes into a fresh instance, nested instances and shared memory included', () => {
  const pair = new Pair();
  pair.add(3);
  pair.names.set('b', 2);
  const restored = new Pair();
  applyState(restored, decodeState(encodeState(captureState(pair))) as Record<string, unknown>);
  assert.deepEqual(restored.look(), [3, 3, 1, 3]);
  assert.ok(restored.levels[0] instanceof Level);
  assert.deepEqual(restored.names, pair.names);
  restored.add(5);
  assert.deepEqual(restored.look(), [5, 5, 1, 5]);
  assert.deepEqual(pair.look(), [3, 3, 1, 3]);
});

test('a state of another shape is refused with the place where it does not fit', () => {
  const state = captureState(new Pair());
  assert.throws(() => applyState(new Pair(), { ...state, window: [1] }), /does not fit at \/window/);
  assert.throws(() => applyState(new Pair(), { ...state, levels: [1] }), /does not fit at \/levels\/0/);
});
