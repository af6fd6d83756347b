import {
  KINDS,
  levelCode,
  MAX_LATENCY_MS,
  MAX_MESSAGE_BYTES,
  MAX_METADATA_BYTES,
  MAX_METADATA_DEPTH,
  MAX_SERVICE_BYTES,
  MAX_WEIGHT,
} from './event.ts';
import { entityId } from './entity.ts';
import { parseRfc3339 } from './rfc3339.ts';
import type { ScanLimits } from './scanner.ts';

/** One accepted event, as the columns hold it; names as strings, "" for none. */
export interface EventRow {
  timestamp: number;
  latency: number;
  weight: number;
  kind: number;
  level: number;
  entity: string;
  endpoint: string;
  version: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
}

export interface RuleViolation {
  field: string;
  reason: string;
}

type JsonObject = Record<string, unknown>;

/** Metadata keys of an entity's parts and of the version, first present string wins. */
export const ENVIRONMENT_KEYS = ['deployment.environment.name', 'deployment.environment', 'environment'] as const;
export const NAMESPACE_KEYS = ['service.namespace', 'namespace'] as const;
export const VERSION_KEYS = ['service.version', 'service_version', 'version'] as const;
export const MAX_ID_BYTES = 128;
/** A longer endpoint is accepted, and counted under "other". */
export const MAX_ENDPOINT_BYTES = 512;

const TOP_LEVEL_KEYS = new Set(['timestamp', 'service', 'level', 'message', 'metadata', 'trace_id', 'span_id', 'parent_span_id']);

const violation = (field: string, reason: string): RuleViolation => ({ field, reason });

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Stops counting just past `limit`, so that a hostile depth cannot exhaust the stack. */
function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (limit === 0) return true;
  return Object.values(value).some((inner) => isDeeperThan(inner, limit - 1));
}

function firstString(metadata: JsonObject, keys: readonly string[]): string {
  for (const key of keys) {
    const value = metadata[key];
    if (Object.hasOwn(metadata, key) && typeof value === 'string' && value !== '') return value;
  }
  return '';
}

/** Metadata of an event: its own, plus every unknown top-level key that it does not hold itself. */
export function mergedMetadata(event: JsonObject): JsonObject {
  const own = isObject(event['metadata']) ? event['metadata'] : {};
  const isUnknown = (key: string): boolean => !TOP_LEVEL_KEYS.has(key) && !(key === 'kind' && kindCode(event[key]) >= 0);
  const unknownKeys = Object.keys(event).filter(isUnknown);
  if (unknownKeys.length === 0) return own;
  const merged: JsonObject = Object.create(null) as JsonObject;
  for (const key of unknownKeys) merged[key] = event[key];
  for (const [key, value] of Object.entries(own)) merged[key] = value;
  return merged;
}

function kindCode(value: unknown): number {
  return (KINDS as readonly unknown[]).indexOf(value);
}

function requiredString(event: JsonObject, field: string, maxBytes: number, allowEmpty: boolean): RuleViolation | null {
  const value = event[field];
  if (value === undefined) return violation(field, 'is required');
  if (typeof value !== 'string') return violation(field, 'must be a string');
  if (!allowEmpty && value === '') return violation(field, 'must not be empty');
  return Buffer.byteLength(value) > maxBytes ? violation(field, `is longer than ${maxBytes} bytes`) : null;
}

function judgeTimestamp(value: unknown, limits: ScanLimits): number | RuleViolation {
  if (value === undefined) return violation('timestamp', 'is required');
  if (typeof value !== 'string') return violation('timestamp', 'must be an RFC 3339 string');
  const ms = parseRfc3339(value);
  if (Number.isNaN(ms)) return violation('timestamp', 'is not an RFC 3339 time such as 2025-10-08T10:30:45Z');
  if (ms > limits.latestMs) return violation('timestamp', 'is too far in the future');
  if (ms < limits.earliestMs) return violation('timestamp', 'is older than the retention');
  return ms;
}

function judgeMetadata(event: JsonObject, metadata: JsonObject): RuleViolation | null {
  const own = event['metadata'];
  if (own !== undefined && own !== null && !isObject(own)) return violation('metadata', 'must be a JSON object');
  if (isDeeperThan(metadata, MAX_METADATA_DEPTH)) return violation('metadata', `nests deeper than ${MAX_METADATA_DEPTH}`);
  if (Buffer.byteLength(JSON.stringify(metadata)) > MAX_METADATA_BYTES) {
    return violation('metadata', `is longer than ${MAX_METADATA_BYTES} bytes`);
  }
  const latency = metadata['latency_ms'];
  if (latency !== undefined && latency !== null && !(typeof latency === 'number' && latency >= 0 && latency <= MAX_LATENCY_MS)) {
    return violation('metadata.latency_ms', 'must be a number from 0 to 1e9');
  }
  const endpoint = metadata['endpoint'];
  if (endpoint !== undefined && endpoint !== null && typeof endpoint !== 'string') {
    return violation('metadata.endpoint', 'must be a string');
  }
  for (const keys of [ENVIRONMENT_KEYS, NAMESPACE_KEYS]) {
    for (const key of keys) {
      const value = metadata[key];
      if (typeof value === 'string' && Buffer.byteLength(value) > MAX_ID_BYTES) {
        return violation(`metadata.${key}`, `is longer than ${MAX_ID_BYTES} bytes`);
      }
    }
  }
  return null;
}

function judgeIds(event: JsonObject): RuleViolation | null {
  for (const field of ['trace_id', 'span_id', 'parent_span_id']) {
    const value = event[field];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string') return violation(field, 'must be a string');
    if (Buffer.byteLength(value) > MAX_ID_BYTES) return violation(field, `is longer than ${MAX_ID_BYTES} bytes`);
  }
  return null;
}

function stringOr(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `adjusted_count` counts a sampled event for those that were left out; anything else that stands there is only metadata. */
function weightOf(value: unknown): number {
  return typeof value === 'number' && value >= 1 && value <= MAX_WEIGHT ? value : 1;
}

/** The event rules, plainly: a parsed JSON value to a row, or to the first rule that it breaks. */
export function judgeEvent(value: unknown, limits: ScanLimits): EventRow | RuleViolation {
  if (!isObject(value)) return violation('', 'must be a JSON object');
  const timestamp = judgeTimestamp(value['timestamp'], limits);
  if (typeof timestamp !== 'number') return timestamp;
  const badService = requiredString(value, 'service', MAX_SERVICE_BYTES, false);
  if (badService) return badService;
  if (limits.services?.allows(value['service'] as string) === false)
    return violation('service', 'is not allowed for this API key');
  const level = levelCode(value['level']);
  if (level === 0) {
    const reason = value['level'] === undefined ? 'is required' : 'is not one of DEBUG, INFO, WARN, ERROR, CRITICAL';
    return violation('level', reason);
  }
  const badMessage = requiredString(value, 'message', MAX_MESSAGE_BYTES, true);
  if (badMessage) return badMessage;
  const metadata = mergedMetadata(value);
  const bad = judgeMetadata(value, metadata) ?? judgeIds(value);
  if (bad) return bad;
  const environment = firstString(metadata, ENVIRONMENT_KEYS);
  const namespace = firstString(metadata, NAMESPACE_KEYS);
  const latency = metadata['latency_ms'];
  return {
    timestamp,
    latency: typeof latency === 'number' ? latency : NaN,
    weight: weightOf(metadata['adjusted_count']),
    kind: Math.max(0, kindCode(value['kind'])),
    level,
    entity: entityId({ environment, namespace, service: value['service'] as string }),
    endpoint: stringOr(metadata['endpoint']),
    version: firstString(metadata, VERSION_KEYS),
    traceId: stringOr(value['trace_id']),
    spanId: stringOr(value['span_id']),
    parentSpanId: stringOr(value['parent_span_id']),
  };
}
