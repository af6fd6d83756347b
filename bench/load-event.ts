import type { Prng } from '../src/lib/prng.ts';

/** Placeholders of a line, as long as what is written over them before every send. */
export const TIMESTAMP_PLACEHOLDER = '2025-10-08T10:30:45.123Z';
export const ID_PLACEHOLDER = '@@ID-32@';

const AREAS = ['pay', 'order', 'cart', 'user', 'auth', 'search', 'stock', 'ship', 'mail', 'risk'];
const PARTS = ['api', 'db', 'svc', 'job', 'gw'];
const RESOURCES = ['checkout', 'login', 'items', 'refund', 'status', 'cart', 'quote', 'track'];
const VERSIONS = [1, 2, 3, 4, 5];
/** One event in ten is an error, as on a bad day: error messages cost a template each. */
const LEVELS = ['INFO', 'INFO', 'INFO', 'INFO', 'INFO', 'INFO', 'WARN', 'WARN', 'DEBUG', 'ERROR'];
const MESSAGES: readonly ((latencyMs: number, id: number) => string)[] = [
  (latencyMs, id) => `Request took ${latencyMs}ms order ${id}`,
  (latencyMs, id) => `Cache miss took ${latencyMs}ms key ${id}`,
  (latencyMs, id) => `Retry after ${latencyMs}ms for job ${id}`,
  (latencyMs, id) => `DB timeout after ${latencyMs}ms order ${id}`,
  (latencyMs, id) => `Upstream took ${latencyMs}ms user ${id}`,
];

/** 50 services and 40 endpoints. */
export const LOAD_SERVICES = AREAS.flatMap((area) => PARTS.map((part) => `${area}-${part}`));
const ENDPOINTS = RESOURCES.flatMap((resource) => VERSIONS.map((version) => `/v${version}/${resource}`));

function pick<T>(list: readonly T[], prng: Prng): T {
  return list[prng.below(list.length)] as T;
}

/** One event of about 200 bytes as a JSON line, without the newline; latency is log-normal around 55 ms. */
export function loadEvent(prng: Prng): string {
  const latencyMs = Math.min(9999, Math.floor(Math.exp(4 + 0.8 * prng.normal())) + 1);
  const message = pick(MESSAGES, prng)(latencyMs, 10_000 + prng.below(90_000));
  const metadata = `{"latency_ms":${latencyMs},"endpoint":"${pick(ENDPOINTS, prng)}","request_id":"req_${ID_PLACEHOLDER}"}`;
  const head = `{"timestamp":"${TIMESTAMP_PLACEHOLDER}","service":"${pick(LOAD_SERVICES, prng)}","level":"${pick(LEVELS, prng)}"`;
  return `${head},"message":"${message}","metadata":${metadata}}`;
}
