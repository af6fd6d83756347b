import type { MessageTemplate } from './message-template.ts';
import { messageTemplate } from './message-template.ts';

const templates = (...texts: string[]): readonly MessageTemplate[] => texts.map(messageTemplate);

export const INFO_MESSAGES = templates(
  'request completed in {ms} ms',
  'handled {path} for account {n}',
  'served {path} from replica {n}',
  'response sent, {n} bytes',
);
export const DEBUG_MESSAGES = templates('cache lookup for key {id}', 'entering handler {path}');
export const WARN_MESSAGES = templates('slow query on shard {n}: {ms} ms', 'cache miss ratio above target for pool {id}');
export const SLOW_MESSAGES = templates('request took {ms} ms, over the budget of 2500 ms');
export const ERROR_MESSAGES = templates(
  'unexpected state of record {n}',
  'could not acquire lock {id} within {ms} ms',
  'connection reset by database replica {n}',
);
export const UPSTREAM_MESSAGES = templates(
  'call to {peer} failed with status 500 after {ms} ms',
  'upstream {peer} returned an error for request {id}',
);
export const TIMEOUT_MESSAGES = templates('call to {peer} timed out after 2500 ms');
export const REFUSED_MESSAGES = templates('connection to {peer} refused');
export const FALLBACK_MESSAGES = templates('{peer} unavailable, continuing without it');

/** What the requests of a faulty service say, by fault. */
export const FAULT_MESSAGES = {
  bad_deployment: templates(
    'field total of order {n} is undefined in release {version}',
    'cannot decode payload {id}: schema of release {version} differs',
  ),
  error_burst: templates('database connection pool exhausted, {n} waiting', 'transaction {id} rolled back: deadlock detected'),
  traffic_surge: templates('request queue full, {n} waiting, shedding load', 'thread pool saturated, rejected task {id}'),
  memory_leak: templates('out of memory while handling {path}, heap {n} KiB', 'garbage collection paused for {ms} ms'),
  cascade: templates('worker pool exhausted, {n} requests waiting for a connection'),
  zone_loss: templates('load shed: concurrency limit {n} reached'),
  endpoint_outage: templates('handler {path} panicked at offset {n}'),
  retry_storm: templates('rate limit of backend reached, attempt {n} rejected'),
  bad_config: templates('invalid credentials for backend {id}: access denied', 'no route configured for {path}'),
} as const;
