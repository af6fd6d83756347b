import assert from 'node:assert/strict';
import test from 'node:test';
import { matchIncidents } from './incident-matching.ts';

const MINUTE = 60_000;
const OPTIONS = { sampleMs: 10_000, scoredFromMs: 100 * MINUTE, scoredToMs: 1000 * MINUTE };
const span = (fromMinute: number, toMinute: number) => ({ startMs: fromMinute * MINUTE, endMs: toMinute * MINUTE });

test('a truth takes the earliest incident in its zone, the next one there is a duplicate', () => {
  const incidents = [span(206, 207), span(202, 203)];
  const { matches, duplicates, falseIncidents } = matchIncidents([span(200, 210)], incidents, OPTIONS);
  assert.equal(matches[0]?.incident, incidents[1]);
  assert.equal(matches[0]?.delayMs, 2 * MINUTE);
  assert.deepEqual(duplicates, [incidents[0]]);
  assert.deepEqual(falseIncidents, []);
});

test('an incident counts for one truth only, in order of the truths', () => {
  const { matches } = matchIncidents([span(220, 230), span(200, 210)], [span(205, 225)], OPTIONS);
  assert.deepEqual(
    matches.map(({ truth, delayMs }) => [truth.startMs / MINUTE, delayMs]),
    [
      [200, 5 * MINUTE],
      [220, Infinity],
    ],
  );
});

test('the zone reaches from one sample before to five minutes after, and ten more minutes do not count', () => {
  const truth = span(200, 210);
  const at = (ms: number) => ({ startMs: ms, endMs: ms });
  const sides = (ms: number) => {
    const { matches, ignored, falseIncidents } = matchIncidents([truth], [at(ms)], OPTIONS);
    return matches[0]?.incident ? 'match' : ignored.length === 1 ? 'ignored' : falseIncidents.length === 1 ? 'false' : '';
  };
  assert.equal(sides(truth.startMs - 10_001), 'false');
  assert.equal(sides(truth.startMs - 10_000), 'match');
  assert.equal(sides(truth.endMs + 5 * MINUTE), 'match');
  assert.equal(sides(truth.endMs + 5 * MINUTE + 1), 'ignored');
  assert.equal(sides(truth.endMs + 15 * MINUTE + 1), 'false');
});

test("an incident that outlasts the don't-care time into normal time is false", () => {
  const { falseIncidents } = matchIncidents([span(200, 210)], [span(216, 240)], OPTIONS);
  assert.equal(falseIncidents.length, 1);
});

test('warm-up drops its truths and ignores its incidents', () => {
  const { matches, ignored, falseIncidents } = matchIncidents([span(95, 110)], [span(20, 30), span(96, 108)], OPTIONS);
  assert.deepEqual(matches, []);
  assert.equal(ignored.length, 2);
  assert.deepEqual(falseIncidents, []);
});

test('an incident that began before the zone counts from the start of the zone', () => {
  const { matches } = matchIncidents([span(200, 210)], [span(150, 205)], OPTIONS);
  assert.equal(matches[0]?.delayMs, -10_000);
});

test('normal time is the scored time outside all zones, overlapping ones counted once', () => {
  const { normalMs } = matchIncidents([span(200, 210), span(220, 230)], [], OPTIONS);
  assert.equal(normalMs, 900 * MINUTE - (45 * MINUTE + 10_000));
});
