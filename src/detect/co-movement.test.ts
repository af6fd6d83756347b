import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import { CallGraph } from './call-graph.ts';
import { createCoMovement, kinByMovement, recordMovement, type CoMovement } from './co-movement.ts';
import { createKinship } from './kinship.ts';

/** Two services whose minutes move with `shared` and `own` relative spread about `rate` events. */
function pair(shared: number, own: number, rate: number, minutes = 128): [CoMovement, CoMovement] {
  const prng = createPrng(7);
  const both: [CoMovement, CoMovement] = [createCoMovement(), createCoMovement()];
  for (let minute = 1000; minute < 1000 + minutes; minute++) {
    const common = shared * prng.normal();
    for (const one of both) {
      const mean = rate * Math.exp(common + own * prng.normal());
      recordMovement(one, minute, Math.max(0, Math.round(mean + Math.sqrt(mean) * prng.normal())), rate);
    }
  }
  return both;
}

test('services behind the same load are kin, those that only fluctuate alike in size are strangers', () => {
  assert.equal(kinByMovement(...pair(0.2, 0.05, 2000)), 'related');
  assert.equal(kinByMovement(...pair(0, 0.2, 2000)), 'unrelated');
});

test('counting noise does not make strangers: what is mostly noise is unknown', () => {
  assert.equal(kinByMovement(...pair(0.1, 0, 6)), 'unknown');
  assert.equal(kinByMovement(...pair(0.2, 0, 100)), 'related');
});

test('half an hour in common tells nothing yet', () => {
  assert.equal(kinByMovement(...pair(0.2, 0, 2000, 30)), 'unknown');
  const [early] = pair(0.2, 0, 2000);
  assert.equal(kinByMovement(early, createCoMovement()), 'unknown');
});

test('movement makes kin where the graph is silent, and without it services in no trace are unknown', () => {
  const [a, b] = pair(0.2, 0.05, 2000);
  const movements = new Map([
    ['a', a],
    ['b', b],
  ]);
  const kinship = createKinship(new CallGraph(), (service) => movements.get(service));
  assert.equal(kinship.kin('a', 'b'), 'related');
  assert.equal(kinship.kin('a', 'c'), 'unknown');
});
