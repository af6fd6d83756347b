import assert from 'node:assert/strict';
import test from 'node:test';
import type { FaultPlan } from './generator-options.ts';
import { createGenerator } from './generator.ts';
import type { Label } from './label.ts';
import { PLAN_SET, planSetOptions } from './plan-set.ts';

const START_MS = Date.parse('2025-10-08T10:00:00Z');

function labelOf(plan: Omit<FaultPlan, 'startMs' | 'durationMs'>): Label {
  const faults = [{ ...plan, startMs: START_MS + 600_000, durationMs: 600_000 }];
  const generator = createGenerator({ seed: 3, startMs: START_MS, durationMs: 1_800_000, benignGapMs: Infinity, faults });
  return generator.labels[0] as Label;
}

test('the ratio of an error burst is its rate over the usual one, and its callers are hit', () => {
  const { ratio, services } = labelOf({ kind: 'error_burst', service: 'listing', effect: { errorRate: 0.4 } });
  assert.ok((ratio?.onset.errors ?? 0) > 60 && (ratio?.onset.errors ?? 0) < 400, `${ratio?.onset.errors}`);
  assert.ok(Math.abs((ratio?.onset.p95 ?? 0) - 1) < 0.25);
  assert.deepEqual(services.slice(0, 1), ['listing']);
  assert.ok(services.includes('edge-gateway') && !services.includes('billing'), services.join(' '));
});

test('what grows slowly has no ratio at first and all of it in the end', () => {
  const { ratio } = labelOf({ kind: 'slow_burn', service: 'listing', effect: { finalLatencyFactor: 5 } });
  assert.ok((ratio?.onset.p95 ?? 9) < 1.4);
  assert.ok(Math.abs((ratio?.peak.p95 ?? 0) - 5) < 1);
});

test('a silent service has no traffic and nothing else to measure', () => {
  const { ratio } = labelOf({ kind: 'silence', service: 'listing' });
  assert.deepEqual(ratio?.peak, { errors: null, p95: null, traffic: 0 });
});

test('a lost zone names all services that stand in it', () => {
  const { service, roots, services } = labelOf({
    kind: 'zone_loss',
    service: 'stock',
    effect: { companions: 2, lostShare: 0.6 },
  });
  assert.equal(service, 'stock');
  assert.equal(new Set(roots).size, 3);
  assert.ok(roots.every((root) => services.includes(root)));
});

test("the plan's set has seven days, of which faults take five hundredths, each alone", () => {
  const { labels, startMs, endMs } = createGenerator(planSetOptions({ seed: 2, startMs: START_MS, rate: 20, services: 6 }));
  assert.equal(endMs - startMs, PLAN_SET.durationMs);
  const faults = labels.filter(({ benign }) => !benign);
  const lengthMs = faults.reduce((sum, { start, end }) => sum + Date.parse(end) - Date.parse(start), 0);
  assert.ok(Math.abs(lengthMs / PLAN_SET.durationMs - 0.05) < 0.0005, `${lengthMs / PLAN_SET.durationMs}`);
  for (const [i, { start }] of faults.entries()) {
    assert.ok(Date.parse(start) >= (i === 0 ? startMs + PLAN_SET.warmUpMs : Date.parse(faults[i - 1]?.end ?? '')));
  }
});
