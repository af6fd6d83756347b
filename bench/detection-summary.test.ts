import assert from 'node:assert/strict';
import test from 'node:test';
import type { Label } from '../src/generate/label.ts';
import type { FalseIncident, FaultResult, StreamResult } from './detection-run.ts';
import { strengthOf, summarise } from './detection-summary.ts';
import { summaryText } from './detection-table.ts';

const ratio = (errors: number, p95 = 1, traffic = 1) => ({ errors, p95, traffic });

function fault(kind: string, delaySeconds: number | null, rank: number): FaultResult {
  const label: Label = {
    start: '2025-10-08T10:00:00.000Z',
    end: '2025-10-08T10:10:00.000Z',
    service: 'a',
    roots: ['a'],
    services: ['a'],
    kind,
    benign: false,
    effect: { size: 0.5, eventsPerSecond: 2 },
    ratio: { onset: ratio(10), peak: ratio(10) },
  };
  return {
    label,
    found: delaySeconds !== null,
    delaySeconds,
    hiddenByHours: delaySeconds === null ? 2 : null,
    ownIncidents: 1,
    firstRank: rank,
    lastRank: rank,
  };
}

function faint(result: FaultResult): FaultResult {
  return { ...result, label: { ...result.label, ratio: { onset: ratio(1.5), peak: ratio(10) } } };
}

const WRONG: FalseIncident = {
  at: '2025-10-08T12:00:00.000Z',
  episodes: 2,
  services: ['a', 'b'],
  signals: ['latency'],
  title: '',
  benign: ['campaign'],
  minutesAfterFault: null,
  lastFault: null,
};

const STREAM: StreamResult = {
  seed: 1,
  services: 10,
  faults: [fault('error_burst', 12, 1), fault('error_burst', 20, 2), fault('silence', null, 0), faint(fault('silence', 40, 1))],
  falseIncidents: [WRONG],
  duplicates: 0,
  benign: { campaign: 3 },
  normalDays: 2,
  scoredDays: 3,
  events: 1000,
  seconds: 1,
};

test('a summary counts what was found, misses as infinite delay, and ranks of missed faults as wrong', () => {
  const summary = summarise([STREAM]);
  assert.equal(summary.recall.value, 0.75);
  assert.equal(summary.precision.value, 0.75);
  assert.equal(summary.lastAc1.value, 0.5);
  assert.equal(summary.total.p90Seconds, Infinity);
  assert.equal(summary.byKind.find(({ name }) => name === 'error_burst')?.medianSeconds, 12);
  assert.equal(summary.falsePerServiceDay.value, 1 / 20);
  assert.equal(summary.falseEpisodesPerServiceDay.value, 2 / 20);
  assert.equal(summary.serviceDays, 30);
  assert.equal(summary.hidden, 1);
  assert.deepEqual(summary.byBenign[0], { kind: 'campaign', happened: 3, false: 1 });
  assert.deepEqual(
    summary.byTrafficOfStrong.map(({ name, faults, medianSeconds }) => ({ name, faults, medianSeconds })),
    [{ name: '2 1-5/s', faults: 3, medianSeconds: 20 }],
  );
  const [low, high] = summary.recall.interval;
  assert.ok(low < 0.75 && high > 0.75);
  assert.match(summaryText(summary), /precision 75\.0 %/);
});

test('an effect is called by the strongest thing that it shows', () => {
  assert.match(strengthOf(ratio(6)), /5x/);
  assert.match(strengthOf(ratio(1, 2)), /2x p95/);
  assert.match(strengthOf(ratio(1, 1, 0)), /silent/);
  assert.match(strengthOf(ratio(1, 1, 2.5)), /traffic/);
  assert.match(strengthOf(ratio(1, 1.4)), /moderate/);
  assert.match(strengthOf(ratio(1.2, 1.1, 0.9)), /weak/);
  assert.match(strengthOf({ errors: null, p95: null, traffic: null }), /weak/);
});
