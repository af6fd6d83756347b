import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import { episodeGapMs, groupEpisodes, mergeTicks } from './protocol-episode.ts';
import { bootstrapInterval, poissonInterval, wilsonInterval } from './protocol-interval.ts';
import { matchIncidents, rankQuantile, uncoveredMs } from './protocol-matching.ts';

const MINUTE = 60_000;
const span = (from: number, to: number) => ({ startMs: from * MINUTE, endMs: to * MINUTE });
const incident = (from: number, to: number) => ({ ...span(from, to), episodes: [{ entity: 'a', ...span(from, to) }] });

test('firing ticks merge over gaps of ten minutes, or of two samples when those are longer', () => {
  assert.equal(episodeGapMs(MINUTE), 10 * MINUTE);
  assert.equal(episodeGapMs(60 * MINUTE), 120 * MINUTE);
  const times = [0, 10, 21].map((minute) => minute * MINUTE);
  assert.deepEqual(mergeTicks('a', times, 10 * MINUTE), [
    { entity: 'a', ...span(0, 10) },
    { entity: 'a', ...span(21, 21) },
  ]);
});

test('episodes within five minutes of each other are one incident, transitively', () => {
  const episodes = [
    { entity: 'b', ...span(12, 13) },
    { entity: 'a', ...span(0, 7) },
    { entity: 'c', ...span(19, 20) },
  ];
  const groups = groupEpisodes(episodes);
  assert.deepEqual(
    groups.map(({ startMs, endMs, episodes: members }) => [startMs / MINUTE, endMs / MINUTE, members.length]),
    [
      [0, 13, 2],
      [19, 20, 1],
    ],
  );
});

test('every truth takes the earliest unused incident; what is left is false, a duplicate, or ignored', () => {
  const incidents = [incident(5, 6), incident(98, 99.5), incident(104, 104), incident(118, 119), incident(200, 201)];
  const truths = [span(100, 102), span(300, 310), span(4, 5)];
  const matching = matchIncidents({ incidents, truths, sampleMs: MINUTE, scored: span(10, 400) });
  assert.deepEqual(
    matching.pairs.map(({ truth, incident: taken, delayMs }) => [truth, taken?.startMs, delayMs]),
    [
      [0, 98 * MINUTE, 0],
      [1, undefined, Infinity],
    ],
  );
  assert.equal(matching.duplicates, 1);
  assert.deepEqual(
    matching.falseIncidents.map(({ startMs }) => startMs / MINUTE),
    [118, 200],
  );
  assert.equal(matching.normalMs / MINUTE, 390 - 10 - 18 - 26);
});

test('one incident never counts for two truths', () => {
  const matching = matchIncidents({
    incidents: [incident(100, 130)],
    truths: [span(100, 103), span(120, 123)],
    sampleMs: MINUTE,
    scored: span(0, 500),
  });
  assert.deepEqual(
    matching.pairs.map(({ delayMs }) => delayMs),
    [0, Infinity],
  );
});

test('delay counts from the fault to the first firing tick in its zone', () => {
  const options = { incidents: [incident(102, 110)], truths: [span(100, 103)], sampleMs: MINUTE, scored: span(0, 500) };
  assert.equal(matchIncidents(options).pairs[0]?.delayMs, 2 * MINUTE);
  assert.equal(rankQuantile([1, Infinity, 3, 2], 0.5), 2);
  assert.equal(rankQuantile([1, Infinity, 3, 2], 0.9), Infinity);
  assert.ok(Number.isNaN(rankQuantile([], 0.5)));
});

test('time that no span covers is counted once, whatever their order and overlap', () => {
  assert.equal(
    uncoveredMs({ startMs: 0, endMs: 10 }, [
      { startMs: 5, endMs: 7 },
      { startMs: -3, endMs: 2 },
      { startMs: 6, endMs: 9 },
    ]),
    4,
  );
});

test('what fires around a fault that nobody is asked to find is neither a hit nor false', () => {
  const episode = { entity: 'a', startMs: 60_000, endMs: 61_000 };
  const incidents = [{ ...episode, episodes: [episode] }];
  const options = { incidents, truths: [], sampleMs: 1000, scored: { startMs: 0, endMs: 3_600_000 } };
  assert.equal(matchIncidents(options).falseIncidents.length, 1);
  const spared = matchIncidents({ ...options, unscored: [{ startMs: 30_000, endMs: 40_000 }] });
  assert.equal(spared.falseIncidents.length, 0);
  assert.ok(spared.normalMs < 3_600_000);
});

test('the bootstrap covers the mean, repeats with its seed, and leaves out samples without a value', () => {
  const items = Array.from({ length: 100 }, (_, i) => i % 2);
  const mean = (sample: readonly number[]): number => sample.reduce((sum, x) => sum + x, 0) / sample.length;
  const [low, high] = bootstrapInterval(items, mean, createPrng(1));
  assert.ok(low > 0.37 && low < 0.45 && high > 0.55 && high < 0.63, `${low} ${high}`);
  assert.deepEqual(bootstrapInterval(items, mean, createPrng(1)), [low, high]);
  assert.ok(Number.isNaN(bootstrapInterval([1], () => NaN, createPrng(1))[0]));
  assert.ok(Number.isNaN(bootstrapInterval([], mean, createPrng(1))[0]));
});

test('Wilson and Garwood intervals are those of the tables', () => {
  const [low, high] = wilsonInterval(8, 10);
  assert.ok(Math.abs(low - 0.4902) < 1e-3 && Math.abs(high - 0.9433) < 1e-3, `${low} ${high}`);
  assert.ok(Number.isNaN(wilsonInterval(0, 0)[0]));
  const [none, some] = poissonInterval(0, 1);
  assert.ok(none === 0 && Math.abs(some - 3.689) < 1e-3, String(some));
  const [from, to] = poissonInterval(10, 2);
  assert.ok(Math.abs(from - 4.795 / 2) < 1e-3 && Math.abs(to - 18.39 / 2) < 1e-2, `${from} ${to}`);
  assert.ok(Math.abs(poissonInterval(900, 1)[0] - 841.2) < 0.1);
  assert.ok(Number.isNaN(poissonInterval(1, 0)[0]));
});
