import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import type { Detector } from './detector.ts';
import { createDetector } from './engine.ts';
import {
  addRow,
  collect,
  createVerdicts,
  during,
  fillStep,
  newBatch,
  START_MS,
  steady,
  STEP_MS,
  testConfig,
  type SyntheticService,
  type Verdicts,
} from './traffic.fixture.ts';

const FAULT_MS = START_MS + 3_600_000;
const END_MS = FAULT_MS + 5 * 60_000;
const CHAIN = ['entry', 'cart', 'stock'];

/** Traces that show who calls whom. */
function showCalls(detector: Detector): void {
  const batch = newBatch();
  for (let trace = 1; trace <= 6; trace++) {
    for (const [hop, name] of CHAIN.entries()) {
      const i = batch.count;
      addRow(batch, name, START_MS, false, 5);
      batch.traceHash.set([8 * trace, 1], 2 * i);
      batch.spanHash.set([100 * trace + hop, 1], 2 * i);
      if (hop > 0) batch.parentHash.set([100 * trace + hop - 1, 1], 2 * i);
    }
  }
  detector.observe(batch, START_MS, '');
}

/** Plays the chain, which stops, and a small job beside it; ticks of the wall clock see what nobody sends. */
function run(job: SyntheticService | undefined, stopMs = FAULT_MS): { verdicts: Verdicts; detector: Detector } {
  const detector = createDetector({ config: testConfig(), clock: 'wall', seed: 1 });
  const verdicts = createVerdicts();
  showCalls(detector);
  const chain = CHAIN.map((name) => during(steady(name), stopMs, END_MS, () => ({ rate: 0 })));
  const batch = newBatch();
  for (let at = START_MS; at < END_MS; at += STEP_MS) {
    fillStep(batch, job ? [...chain, job] : chain, at, createPrng(at / STEP_MS));
    detector.observe(batch, at + STEP_MS, 'pipe');
    collect(detector, verdicts, at + STEP_MS);
  }
  return { verdicts, detector };
}

test('a whole fleet that falls silent is late data: the status says since when, and nobody is called', () => {
  const { verdicts, detector } = run(undefined);
  assert.deepEqual(verdicts.emitted, []);
  const { lateSinceMs, silent } = detector.status();
  assert.equal(lateSinceMs, FAULT_MS);
  assert.deepEqual(silent, { late: 3, expectedZero: 0, dead: 0 });
});

test('when the entry stops and takes with it all that it calls, while a small job goes on, the entry is down', () => {
  const { verdicts, detector } = run(steady('job', { rate: 0.4 }));
  assert.deepEqual([...verdicts.anomalies.values()].map(({ service, signal }) => `${service} ${signal}`).toSorted(), [
    'cart silence',
    'entry silence',
    'stock silence',
  ]);
  assert.equal(verdicts.incidents.size, 1);
  const [incident] = verdicts.incidents.values();
  assert.equal(incident?.causes[0]?.service, 'entry');
  assert.match(incident?.causes[0]?.reason ?? '', /explains 2 others/);
  assert.equal(detector.status().lateSinceMs, -1);
  assert.equal(detector.status().silent.dead, 3);
});

test('a job of a request every twelve seconds takes longer to bear witness, and does', () => {
  const { verdicts } = run(steady('job', { rate: 1 / 12 }));
  assert.equal([...verdicts.incidents.values()][0]?.causes[0]?.service, 'entry');
});

test('the same is late data when the job stops too, and the status is calm again once data comes', () => {
  const stopped = during(steady('job', { rate: 0.4 }), FAULT_MS, END_MS, () => ({ rate: 0 }));
  assert.deepEqual(run(stopped).verdicts.emitted, []);
  assert.equal(run(steady('job'), END_MS).detector.status().lateSinceMs, -1);
});
