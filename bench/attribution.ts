import { wilsonInterval } from '../src/evaluate/protocol-interval.ts';
import { MetricEngine } from '../src/detect/metric-engine.ts';
import { createPrng, type Prng } from '../src/lib/prng.ts';

/**
 * Planted anomalies of one series among several: how often the verdict names that series first, with the right direction. Series of an entity share
 * a load; noise is normal, heavy-tailed, skewed, or whole numbers; the planted series moves by 6 to 12 of its spreads for three ticks.
 *
 *     node bench/attribution.ts [CASES]      cases of each kind of noise, 100 unless given
 */
const cases = Number(process.argv[2] ?? 100);
const STEP_MS = 60_000;
const START_MS = Date.parse('2026-03-02T00:00:00Z');
const HISTORY_TICKS = 600;
const ANOMALY_TICKS = 3;
const SERIES = 12;

const NOISE: Record<string, (prng: Prng) => number> = {
  normal: (prng) => prng.normal(),
  'heavy tails (Student, 3 degrees)': (prng) => {
    const chi = prng.normal() ** 2 + prng.normal() ** 2 + prng.normal() ** 2;
    return prng.normal() / Math.sqrt(chi / 3);
  },
  'skewed (exponential)': (prng) => prng.exponential() - 1,
  'whole numbers': (prng) => Math.round(2 * prng.normal()) / 2,
};

/** Whether the first finding of the strongest tick is the planted one. */
function isNamed(noise: (prng: Prng) => number, seed: number): boolean {
  const prng = createPrng(seed);
  const planted = prng.below(SERIES);
  const size = (prng.next() < 0.5 ? -1 : 1) * (6 + 6 * prng.next());
  let strongest = -1;
  let named = false;
  const engine = new MetricEngine({
    seed,
    falseAlarmBudget: 0.05,
    onVerdict: ({ timeMs, score, findings }) => {
      if (timeMs < START_MS + HISTORY_TICKS * STEP_MS || score <= strongest) return;
      const [first] = findings;
      strongest = score;
      named = first?.series === `series-${planted}` && Math.sign(first.observed - first.expected) === Math.sign(size);
    },
  });
  for (let tick = 0; tick < HISTORY_TICKS + ANOMALY_TICKS; tick++) {
    const load = prng.normal();
    const timeMs = START_MS + tick * STEP_MS;
    for (let s = 0; s < SERIES; s++) {
      const shift = tick >= HISTORY_TICKS && s === planted ? size : 0;
      const value = 100 + 5 * (noise(prng) + 0.5 * load * ((s % 3) - 1) + shift);
      engine.observe('entity', `series-${s}`, timeMs, value);
    }
    engine.advance(timeMs + STEP_MS);
  }
  return named;
}

let total = 0;
for (const [name, noise] of Object.entries(NOISE)) {
  let named = 0;
  for (let seed = 1; seed <= cases; seed++) if (isNamed(noise, seed)) named++;
  total += named;
  process.stdout.write(`${name.padEnd(34)}${named} of ${cases} named first\n`);
}
const all = cases * Object.keys(NOISE).length;
const [low, high] = wilsonInterval(total, all);
process.stdout.write(`all: ${((100 * total) / all).toFixed(1)} % (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})\n`);
