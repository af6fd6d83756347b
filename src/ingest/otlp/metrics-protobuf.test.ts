import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../../lib/errors.ts';
import { createPrng } from '../../lib/prng.ts';
import { parseMetricLine } from '../../model/metric-line.ts';
import type { MetricLines } from '../../model/metric.ts';
import { MAX_LISTED_REJECTIONS } from '../../model/scanner.ts';
import type { ScanLimits } from '../../model/scanner.ts';
import { metricsFromJson } from './metrics-json.ts';
import { metricsFromProtobuf } from './metrics-protobuf.ts';
import { metricsProtobuf } from './metrics.fixture.ts';
import { plainMetrics } from './metrics.oracle.ts';
import { randomMetrics } from './metrics-random.fixture.ts';

const LIMITS: ScanLimits = { latestMs: 1_800_000_000_000, earliestMs: 1_600_000_000_000 };
const SEED = Number(process.env['HELIOS_TEST_SEED'] ?? 17);
const MUTATIONS = Number(process.env['HELIOS_TEST_MUTATIONS'] ?? 2000);
const REQUESTS = MUTATIONS / 4;

const linesOf = ({ bytes }: MetricLines): string[] => Buffer.from(bytes).toString().split('\n').slice(0, -1);

/** Every line must be one that the reader of the metrics log takes, with its head in the one form that it has. */
function assertCanonical(lines: MetricLines): void {
  let points = 0;
  const texts = linesOf(lines);
  assert.equal(texts.length, lines.lines);
  for (const text of texts) {
    const parsed = parseMetricLine(Buffer.from(text));
    assert.ok(parsed, text);
    points += parsed.points.length;
    const names = [
      ...(JSON.parse(
        `[${/"labels":\{(.*)\},"points":/su.exec(text)?.[1]?.replace(/"((?:[^"\\]|\\.)*)":"(?:[^"\\]|\\.)*"/gsu, '"$1"')}]`,
      ) as string[]),
    ];
    for (const [k, name] of names.entries()) {
      assert.ok(k === 0 || Buffer.compare(Buffer.from(names[k - 1] as string), Buffer.from(name)) < 0, text);
    }
    for (const [timeMs] of parsed.points) assert.ok(timeMs >= lines.minTimestampMs && timeMs <= lines.maxTimestampMs);
  }
  assert.equal(points, lines.points);
}

test('random requests give what the plain reading of them gives, in protobuf and in JSON', () => {
  const prng = createPrng(SEED);
  let points = 0;
  let rejected = 0;
  for (let i = 0; i < REQUESTS; i++) {
    const request = randomMetrics(prng);
    const expected = plainMetrics(request, LIMITS);
    const message = metricsProtobuf(request);
    for (const body of [message, metricsFromJson(Buffer.from(JSON.stringify(request)))]) {
      const lines = metricsFromProtobuf(body, LIMITS);
      const where = `seed ${SEED}, request ${i}`;
      assert.deepEqual(linesOf(lines), expected.lines, where);
      assert.deepEqual(lines.rejections, expected.rejections.slice(0, MAX_LISTED_REJECTIONS), where);
      const { points, minTimestampMs, maxTimestampMs, rejectedCount } = lines;
      assert.deepEqual(
        { points, minTimestampMs, maxTimestampMs, rejectedCount },
        {
          points: expected.points,
          minTimestampMs: expected.minTimestampMs,
          maxTimestampMs: expected.maxTimestampMs,
          rejectedCount: expected.rejections.length,
        },
        where,
      );
      assertCanonical(lines);
    }
    points += expected.points;
    rejected += expected.rejections.length;
  }
  assert.ok(points > 10 * REQUESTS && rejected > REQUESTS, `${points} points, ${rejected} rejected`);
});

test(`${MUTATIONS} mutated requests give lines that can be read, or invalid_body`, () => {
  const prng = createPrng(SEED);
  const sources = Array.from({ length: 100 }, () => metricsProtobuf(randomMetrics(prng))).filter((body) => body.length > 0);
  let failed = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    let body: Uint8Array = Uint8Array.from(sources[i % sources.length] as Uint8Array);
    for (let k = prng.below(4); k >= 0; k--) body[prng.below(body.length)] = prng.below(256);
    if (prng.below(4) === 0) body = body.subarray(0, prng.below(body.length));
    try {
      assertCanonical(metricsFromProtobuf(body, LIMITS));
    } catch (error) {
      failed++;
      if (!(error instanceof HeliosError && error.code === 'invalid_body')) {
        throw new Error(`seed ${SEED}, mutation ${i}: ${Buffer.from(body).toString('hex')}`, { cause: error });
      }
    }
  }
  assert.ok(failed > MUTATIONS / 10 && failed < MUTATIONS);
});
