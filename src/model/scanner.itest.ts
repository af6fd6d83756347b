import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import { mutatedBody, randomBody } from './event-body.fixture.ts';
import { EVENT, variant } from './event.fixture.ts';
import { createNames } from './event-batch.ts';
import { createJsonScanner } from './json-scanner.ts';
import { assertSameScans } from './scanner.oracle.ts';
import { NO_LIMITS } from './scanner.ts';
import type { ScanLimits } from './scanner.ts';
import { createSimdScanner } from './simd-scanner.ts';

const MUTATIONS = Number(process.env['HELIOS_TEST_MUTATIONS'] ?? 40_000);
const SEED = Number(process.env['HELIOS_TEST_SEED'] ?? 7);
/** Bodies that one pair of scanners reads, so that what they remember of earlier ones is put to the test. */
const BODIES_PER_SCANNER = 5000;

const TIME_LIMITS = { latestMs: Date.parse('2026-01-01T00:00:00Z'), earliestMs: Date.parse('2020-01-01T00:00:00Z') };
const LIMITS: ScanLimits[] = [
  NO_LIMITS,
  TIME_LIMITS,
  { ...TIME_LIMITS, services: { allows: (service) => service.length % 2 === 1 } },
];

test(`${MUTATIONS} random and mutated bodies are judged by both scanners as JSON.parse and the event rules judge them`, (t) => {
  t.diagnostic(`seed ${SEED}`);
  const prng = createPrng(SEED);
  const one = JSON.stringify(EVENT);
  const small = variant({ metadata: { latency_ms: 5, endpoint: '/a', environment: 'prod', adjusted_count: 4.5 }, message: 'm' });
  const sources = [
    one,
    `${one}\n${small}\n`,
    `[${small},${one}]`,
    `${small}\n${small}\n${small}`,
    JSON.stringify([EVENT], null, 1),
  ].map((text) => Buffer.from(text));
  let scanners = [createJsonScanner(createNames()), createSimdScanner(createNames())];
  for (let i = 0; i < MUTATIONS; i++) {
    if (i % BODIES_PER_SCANNER === 0) scanners = [createJsonScanner(createNames()), createSimdScanner(createNames())];
    const kind = i % 4;
    let body = kind === 0 ? (sources[(i >> 2) % sources.length] as Buffer) : randomBody(prng);
    if (kind < 2) body = mutatedBody(prng, body);
    try {
      assertSameScans(scanners, body, LIMITS[i % LIMITS.length] as ScanLimits);
    } catch (error) {
      throw new Error(`seed ${SEED}, mutation ${i}: ${JSON.stringify(body.toString('latin1'))}`, { cause: error });
    }
  }
});
