import type { Prng } from '../src/lib/prng.ts';

const AREAS = ['pay', 'order', 'cart', 'user', 'auth', 'search', 'stock', 'ship', 'mail', 'risk'];
const PARTS = ['api', 'db', 'svc', 'job', 'gw'];
const RESOURCES = ['checkout', 'login', 'items', 'refund', 'status', 'cart', 'quote', 'track'];
const VERSIONS = [1, 2, 3, 4, 5];
/** One event in ten is an error, as on a bad day: error messages cost a template each. */
const LEVELS = ['INFO', 'INFO', 'INFO', 'INFO', 'INFO', 'INFO', 'WARN', 'WARN', 'DEBUG', 'ERROR'] as const;
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

/** What every format says of an event, beside its time and its id. */
export interface LoadEvent {
  service: string;
  level: (typeof LEVELS)[number];
  message: string;
  /** Log-normal around 55 ms, whole milliseconds. */
  latencyMs: number;
  endpoint: string;
}

export function pick<T>(list: readonly T[], prng: Prng): T {
  return list[prng.below(list.length)] as T;
}

export function drawEvent(prng: Prng): LoadEvent {
  const latencyMs = Math.min(9999, Math.floor(Math.exp(4 + 0.8 * prng.normal())) + 1);
  const message = pick(MESSAGES, prng)(latencyMs, 10_000 + prng.below(90_000));
  return { service: pick(LOAD_SERVICES, prng), level: pick(LEVELS, prng), message, latencyMs, endpoint: pick(ENDPOINTS, prng) };
}
