import assert from 'node:assert/strict';
import test from 'node:test';
import { isoTime } from '../../lib/clock.ts';
import { badDeployment, MINUTE, ONSET_MS } from '../scenario.fixture.ts';
import type { Scenario } from '../scenario.fixture.ts';
import { carryNarrative } from './carry.ts';
import { checkClaims, checkContext } from './check.ts';
import { generatedScenario, written } from './generated-incident.fixture.ts';
import type { Written } from './generated-incident.fixture.ts';
import { faultsOf } from './narrative.oracle.ts';
import { writeNarrative } from './narrative-report.ts';
import { promptOf } from './prompt.ts';
import { truthfulClaims } from './scripted-model.fixture.ts';
import type { Telemetry } from './model-server.fixture.ts';

function narrated({ report, pack }: Written, seed = 1) {
  const telemetry = JSON.parse(promptOf(pack).user.split('\n')[1] ?? '') as Telemetry;
  const { kept } = checkClaims(checkContext(report, pack), truthfulClaims(telemetry, seed));
  assert.ok(kept.length > 0);
  return writeNarrative(report, pack, { model: 'm', promptVersion: 'p', claims: kept });
}

/** The same incident a few minutes on. */
function later({ store, incident }: Scenario, minutes: number): Scenario {
  const updatedAt = isoTime(ONSET_MS + minutes * MINUTE);
  const next = { ...incident, updatedAt };
  store.documents.incident = [next];
  return { store, incident: next };
}

test('sentences go on in the next version, cited by its numbers and with its values', async () => {
  const found = badDeployment({ updatedAt: isoTime(ONSET_MS + 2 * MINUTE) });
  const previous = narrated(await written(found));
  const next = await written(later(found, 4), 2);
  const carried = carryNarrative(previous, next.report, next.pack);
  assert.ok(carried);
  assert.equal(carried.phase, 'narrative');
  assert.equal(carried.version, 2);
  assert.deepEqual(faultsOf(carried, next), []);
  const kinds = new Set(carried.narrative?.claims.map(({ kind }) => kind));
  assert.ok(kinds.has('impact') && kinds.has('cause') && kinds.has('action'), [...kinds].join(' '));
});

test('over generated incidents most sentences last, and none says anything that no longer holds', async () => {
  let before = 0;
  let after = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const found = generatedScenario(seed);
    const previous = narrated(await written(found), seed);
    const next = await written(later(found, 4), 2);
    const carried = carryNarrative(previous, next.report, next.pack);
    before += previous.narrative?.claims.length ?? 0;
    after += carried?.narrative?.claims.length ?? 0;
    if (carried) assert.deepEqual(faultsOf(carried, next), []);
  }
  assert.ok(after >= before * 0.8, `${after} of ${before}`);
});

test('a sentence whose evidence is gone, or whose direction turned, is not carried', async () => {
  const given = await written(badDeployment());
  const previous = narrated(given);
  const turned = given.pack.items.map((item) => (item.direction === 'up' ? { ...item, direction: 'down' as const } : item));
  const carried = carryNarrative(previous, given.report, { ...given.pack, items: turned });
  assert.ok(carried?.narrative?.claims.every(({ direction }) => direction === null));
  const causes = given.pack.causes.map((cause) => ({ ...cause, service: 'checkout' }));
  const other = carryNarrative(previous, given.report, { ...given.pack, causes });
  assert.ok(other?.narrative?.claims.every(({ kind }) => kind !== 'cause'));
  assert.equal(carryNarrative(previous, { ...given.report, evidence: [] }, given.pack), null);
  assert.equal(carryNarrative(given.report, given.report, given.pack), null);
});

test('a sentence about an incident that goes on is not carried into its end', async () => {
  const given = await written(badDeployment());
  const [first] = narrated(given).narrative?.claims ?? [];
  assert.ok(first);
  const claim = { ...first, feature: null, direction: null, kind: 'context' as const, sentence: '{subject} is still affected.' };
  const previous = writeNarrative(given.report, given.pack, { model: 'm', promptVersion: 'p', claims: [claim] });
  assert.ok(carryNarrative(previous, given.report, given.pack));
  const over = { ...given.pack, incident: { ...given.pack.incident, status: 'resolved' as const } };
  assert.equal(carryNarrative(previous, given.report, over), null);
});
