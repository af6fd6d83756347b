import assert from 'node:assert/strict';
import test from 'node:test';
import { plantFault, TOPOLOGIES } from './graph-system.fixture.ts';
import { rankMetricCauses } from './metric-causes.ts';

const FIRST_SEED = 1000;
const RUNS = 50;

for (const topology of TOPOLOGIES) {
  for (const symptom of ['latency', 'failures'] as const) {
    test(`a planted fault is ranked first in nine of ten random systems: ${topology}, ${symptom}`, () => {
      let first = 0;
      for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
        const { input, cause } = plantFault(seed, topology, symptom);
        const { byEntity } = rankMetricCauses(input);
        if (byEntity[0]?.entity === cause && byEntity[1]?.rank === 2) first++;
      }
      assert.ok(first >= 0.9 * RUNS, `${first} of ${RUNS}, seeds from ${FIRST_SEED}`);
    });
  }
}
