import { createPrng } from '../src/lib/prng.ts';

const SERVICES = ['pay', 'order', 'cart', 'user', 'auth', 'search', 'stock', 'ship', 'mail', 'risk'].flatMap((first) =>
  ['api', 'db', 'svc', 'job', 'gw'].map((second) => `${first}-${second}`),
);
const ENDPOINTS = ['checkout', 'login', 'items', 'refund', 'status', 'cart', 'quote', 'track'].flatMap((name) =>
  [1, 2, 3, 4, 5].map((version) => `/v${version}/${name}`),
);
const LEVELS = ['INFO', 'INFO', 'INFO', 'INFO', 'INFO', 'INFO', 'WARN', 'WARN', 'DEBUG', 'ERROR'];
const MESSAGES = [
  (ms: number, id: number) => `Request took ${ms}ms order ${id}`,
  (ms: number, id: number) => `Cache miss took ${ms}ms key ${id}`,
  (ms: number, id: number) => `Retry after ${ms}ms for job ${id}`,
  (ms: number, id: number) => `DB timeout after ${ms}ms order ${id}`,
  (ms: number, id: number) => `Upstream took ${ms}ms user ${id}`,
];
const START_MS = Date.parse('2025-10-08T10:30:45.123Z');

export interface SampleRecord {
  bytes: Buffer;
  count: number;
  timestampMs: number;
}

/**
 * Records of about 200 bytes an event as a load generator posts them: every field drawn at random, request ids unique, one
 * timestamp a record. Harder to compress than real telemetry, which repeats itself.
 */
export function sampleRecords(events: number, perRecord: number, seed = 1): SampleRecord[] {
  const prng = createPrng(seed);
  const pick = <T>(items: readonly T[]): T => items[prng.below(items.length)] as T;
  let timestampMs = START_MS;
  return Array.from({ length: events / perRecord }, () => {
    timestampMs += Math.round(prng.exponential() * 0.8);
    const timestamp = new Date(timestampMs).toISOString();
    const lines = Array.from({ length: perRecord }, () => {
      const latency = Math.min(9999, Math.floor(Math.exp(prng.normal() * 0.8 + 4)) + 1);
      const requestId = `req_${prng
        .below(2 ** 32)
        .toString(16)
        .padStart(8, '0')}`;
      const message = pick(MESSAGES)(latency, 10_000 + prng.below(90_000));
      const metadata = { latency_ms: latency, endpoint: pick(ENDPOINTS), request_id: requestId };
      return `${JSON.stringify({ timestamp, service: pick(SERVICES), level: pick(LEVELS), message, metadata })}\n`;
    });
    return { bytes: Buffer.from(lines.join('')), count: perRecord, timestampMs };
  });
}
