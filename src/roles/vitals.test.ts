import assert from 'node:assert/strict';
import test from 'node:test';
import { embeddedVitals } from './embedded-vitals.ts';
import { VitalsWatch } from './vitals.ts';
import type { Stage } from './vitals.ts';

function watchOf(): (nowMs: number, ...stages: Stage[]) => [lagMs: number | undefined, silenceMs: number | null] {
  const watch = new VitalsWatch();
  return (nowMs, ...stages) => {
    const { lagMs, silenceMs } = watch.observe({ stages, waits: [] }, nowMs);
    return [lagMs.get('events'), silenceMs];
  };
}

test('the lag is the age of the oldest that is not done, however much comes after it', () => {
  const see = watchOf();
  const events = (come: number, done: number): Stage => ({ name: 'events', come, done });
  assert.deepEqual(see(1000, events(10, 10)), [0, 0]);
  assert.deepEqual(see(2000, events(20, 10)), [0, 0]);
  assert.deepEqual(see(3000, events(30, 19)), [1000, 0]);
  assert.deepEqual(see(4000, events(40, 20)), [1000, 0]);
  assert.deepEqual(see(5000, events(40, 40)), [0, 1000]);
  assert.deepEqual(see(9000, events(40, 40)), [0, 5000]);
});

test('one partition that stands still is seen among others that go on', () => {
  const see = watchOf();
  const both = (first: number, second: number, done: number): Stage[] => [
    { name: 'events', part: 0, come: first, done: first },
    { name: 'events', part: 1, come: second, done },
  ];
  see(0, ...both(5, 5, 5));
  see(1000, ...both(50, 6, 5));
  assert.deepEqual(see(9000, ...both(500, 6, 5)), [8000, 0]);
});

test('where only the time of the last answer is known, what came before it is done', () => {
  const see = watchOf();
  assert.deepEqual(see(10_000, { name: 'events', come: 1, doneForMs: 500 }), [0, 0]);
  assert.deepEqual(see(70_000, { name: 'events', come: 1, doneForMs: 60_500 }), [60_000, 60_000]);
  assert.deepEqual(see(80_000, { name: 'events', come: 1, doneForMs: 100 }), [0, 70_000]);
});

test('silence begins with the first that came, and a log that is made anew begins again', () => {
  const see = watchOf();
  assert.deepEqual(see(1000, { name: 'events', come: 0, done: 0 }), [0, null]);
  assert.deepEqual(see(2000, { name: 'events', come: 7, done: 0 }), [0, 0]);
  assert.deepEqual(see(3000, { name: 'events', come: 2, done: 2 }), [0, 1000]);
  assert.deepEqual(see(4000, { name: 'events', come: 3, done: 2 }), [0, 0]);
});

test('what waits beyond its time counts by its stage', () => {
  const waits = [
    { name: 'reports', ms: 10 },
    { name: 'reports', ms: 30 },
  ];
  assert.deepEqual(new VitalsWatch().observe({ stages: [], waits }, 0).lagMs, new Map([['reports', 30]]));
});

test('a pipeline that found everything done at its start is not behind', () => {
  let committed = 100;
  let read = 0;
  const vitals = embeddedVitals({ committedOffset: () => committed, nextOffset: () => read });
  assert.deepEqual(vitals().stages, [{ name: 'events', come: 100, done: 100 }]);
  committed = 110;
  assert.deepEqual(vitals().stages, [{ name: 'events', come: 110, done: 100 }]);
  read = 105;
  assert.deepEqual(vitals().stages, [{ name: 'events', come: 110, done: 105 }]);
});
