import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import type { Prng } from '../lib/prng.ts';
import { EVENT, variant } from './event.fixture.ts';
import { createNames } from './event-batch.ts';
import { createJsonScanner } from './json-scanner.ts';
import { assertSameScan } from './scanner.oracle.ts';
import type { ScanLimits } from './scanner.ts';

const LIMITS: ScanLimits = { latestMs: Date.parse('2026-01-01T00:00:00Z'), earliestMs: Date.parse('2020-01-01T00:00:00Z') };
const MUTATIONS = Number(process.env['HELIOS_TEST_MUTATIONS'] ?? 200_000);
const ALPHABET = Buffer.from('{}[]",:\\0123456789.eE+-ntfu \t\x01\x7f\xc3\xa9\xff\nabcTZ/', 'latin1');

function mutate(prng: Prng, source: Buffer): Buffer {
  let body = Buffer.from(source);
  for (let k = prng.below(3); k >= 0; k--) {
    const at = prng.below(body.length);
    const kind = prng.below(5);
    if (kind < 3) body[at] = ALPHABET[prng.below(ALPHABET.length)] as number;
    else if (kind === 3)
      body = Buffer.concat([body.subarray(0, at), body.subarray(Math.min(body.length, at + 1 + prng.below(12)))]);
    else body = Buffer.concat([body.subarray(0, at), body.subarray(prng.below(at + 1), at), body.subarray(at)]);
    if (body.length === 0) return body;
  }
  return body;
}

test(`${MUTATIONS} mutated bodies are judged exactly as JSON.parse and the event rules judge them`, () => {
  const seed = Number(process.env['HELIOS_TEST_SEED'] ?? 7);
  const prng = createPrng(seed);
  const one = JSON.stringify(EVENT);
  const small = variant({ metadata: { latency_ms: 5, endpoint: '/a', environment: 'prod', adjusted_count: 4.5 }, message: 'm' });
  const sources = [
    one,
    `${one}\n${small}\n`,
    `[${small},${one}]`,
    `${small}\n${small}\n${small}`,
    JSON.stringify([EVENT], null, 1),
  ].map((text) => Buffer.from(text));
  let scanner = createJsonScanner(createNames());
  for (let i = 0; i < MUTATIONS; i++) {
    if (i % 5000 === 0) scanner = createJsonScanner(createNames());
    const body = mutate(prng, sources[i % sources.length] as Buffer);
    try {
      assertSameScan(scanner, body, LIMITS);
    } catch (error) {
      throw new Error(`seed ${seed}, mutation ${i}: ${JSON.stringify(body.toString('latin1'))}`, { cause: error });
    }
  }
});
