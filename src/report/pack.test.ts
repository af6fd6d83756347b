import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isoTime, ManualClock } from '../lib/clock.ts';
import type { Report } from '../model/report.ts';
import { collectFacts } from './facts.ts';
import type { Facts } from './facts.ts';
import { PACK_GROUPS } from './pack-items.ts';
import { buildPack, MIN_PACK_TOKENS } from './pack.ts';
import type { EvidencePack } from './pack.ts';
import { createPatience } from './patience.ts';
import { anomaly, attribution, badDeployment, change, MINUTE, ONSET_MS, poorData } from './scenario.fixture.ts';
import { scenario, silence, surge, testConfig } from './scenario.fixture.ts';
import type { Scenario } from './scenario.fixture.ts';
import { renderReport } from './template/document.ts';
import { estimateTokens } from './tokens.ts';

async function written({ store, incident }: Scenario): Promise<{ facts: Facts; report: Report }> {
  const facts = await collectFacts(store, incident, testConfig, createPatience(new ManualClock()));
  return { facts, report: renderReport(facts, { version: 1, createdAt: isoTime(ONSET_MS) }) };
}

function idsOf({ items, causes, calls }: EvidencePack): string[] {
  const cited = [...causes.flatMap(({ reason }) => reason), ...calls.flatMap(({ evidence }) => evidence)];
  return [...items.flatMap(({ id, pair }) => [id, ...(pair === undefined ? [] : [pair])]), ...cited];
}

/** Names, titles and texts of any characters, and as many services and changes as there may be. */
const anyScenario = fc
  .record({
    names: fc.uniqueArray(fc.string({ unit: 'binary', minLength: 1, maxLength: 64 }), { minLength: 1, maxLength: 12 }),
    text: fc.string({ unit: 'binary', maxLength: 3000 }),
    changes: fc.integer({ min: 0, max: 30 }),
  })
  .map(({ names, text, changes }): Scenario => {
    const anomalies = names.map((service, i) =>
      anomaly(`an-${i}`, service, 'error_rate', {
        attribution: [attribution('error_rate', 0.01, 0.3), attribution('p95_latency', 20, 90)],
      }),
    );
    const service = names[0] ?? '';
    const all = Array.from({ length: changes }, (_, i) =>
      change(`ch-${i}`, service, (i + 1) * MINUTE, { description: text, version: `v${i}` }),
    );
    return scenario([], anomalies, all, { title: text });
  });

test('a pack never takes more than its tokens, and names only evidence of the report', async () => {
  await fc.assert(
    fc.asyncProperty(anyScenario, fc.integer({ min: MIN_PACK_TOKENS, max: 12_000 }), async (found, maxTokens) => {
      const { facts, report } = await written(found);
      const pack = buildPack({ facts, report, maxTokens });
      const tokens = estimateTokens(JSON.stringify(pack));
      assert.ok(tokens <= maxTokens, `${tokens} of ${maxTokens}`);
      const known = new Set(report.evidence.map(({ id }) => id));
      for (const id of idsOf(pack)) assert.ok(known.has(id), id);
    }),
    { seed: 20251008, numRuns: 60 },
  );
});

for (const [name, make] of Object.entries({ badDeployment, silence, surge, poorData })) {
  test(`with room the pack of ${name} holds the whole evidence once, with values as the report has them`, async () => {
    const { facts, report } = await written(make());
    const pack = buildPack({ facts, report, maxTokens: 100_000 });
    assert.deepEqual(pack.dropped, {});
    assert.deepEqual(pack.items.map(({ id }) => id).toSorted(), report.evidence.map(({ id }) => id).toSorted());
    for (const { id, value } of pack.items) {
      const stored = report.evidence.find((item) => item.id === id)?.value;
      assert.equal(value, typeof stored === 'number' ? Number(stored.toPrecision(6)) : stored);
    }
  });
}

test('what a bad deployment broke is there with direction, expectation and factor, and in order', async () => {
  const { facts, report } = await written(badDeployment());
  const pack = buildPack({ facts, report, maxTokens: 100_000 });
  const [observed, expected, ratio] = pack.items;
  assert.deepEqual([observed?.role, observed?.feature, observed?.direction], ['observed', 'error_rate', 'up']);
  assert.deepEqual([observed?.pair, expected?.pair], [expected?.id, observed?.id]);
  assert.deepEqual([ratio?.role, ratio?.value, ratio?.unit], ['ratio', 65, 'times']);
  assert.deepEqual(pack.services, ['payment', 'checkout']);
  assert.deepEqual(
    pack.causes.map(({ rank, service }) => [rank, service]),
    [
      [1, 'payment'],
      [2, 'checkout'],
    ],
  );
  const template = pack.items.find(({ role }) => role === 'template');
  assert.equal(template?.text, 'payment 90412 failed: connection pool exhausted after 5000 ms');
});

test('the less there is room, the more groups are dropped, the last one first', async () => {
  const { facts, report } = await written(badDeployment());
  const sizes = [768, 1200, 2000, 3000, 100_000];
  const packs = sizes.map((maxTokens) => buildPack({ facts, report, maxTokens }));
  const counts = packs.map(({ items }) => items.length);
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => a - b),
  );
  for (const { dropped } of packs.slice(0, -1)) {
    const groups = PACK_GROUPS.filter((group) => (dropped[group] ?? 0) > 0);
    assert.ok(groups.includes('details'), groups.join(' '));
  }
  assert.equal(packs[0]?.items[0]?.role, 'observed');
});

test('a budget that holds nothing is refused', async () => {
  const { facts, report } = await written(poorData());
  for (const maxTokens of [MIN_PACK_TOKENS - 1, 0, Number.NaN]) {
    assert.throws(() => buildPack({ facts, report, maxTokens }), { code: 'invalid_argument' });
  }
});

test('tokens are estimated from above', () => {
  assert.equal(estimateTokens(''), 0);
  assert.equal(estimateTokens('the error rate rose'), 7);
  assert.equal(estimateTokens('{"id":"E1","value":12345}'), 14);
  assert.equal(estimateTokens('\u{1f525}'), 2);
});
