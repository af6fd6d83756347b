import { createNames } from './event-batch.ts';
import type { Names } from './event-batch.ts';
import { createJsonScanner } from './json-scanner.ts';
import type { Scanner } from './scanner.ts';
import { hasSimd } from './simd-module.ts';
import { createSimdScanner } from './simd-scanner.ts';

/** Names are dropped at most this often, so that a flood of new ones costs little. */
const ROTATION_MS = 10 * 60_000;

/**
 * A scanner whose name tables start afresh once they have overflowed: names that are no longer used make room, and what
 * was counted under "other" gets its own name again. Batches carry their names, so whoever maps ids keeps one map a table.
 * Scans with SIMD where there is any.
 */
export function createRotatingScanner(capacity: Parameters<typeof createNames>[0], nowMs: () => number): Scanner {
  const createScanner = hasSimd() ? createSimdScanner : createJsonScanner;
  let names = createNames(capacity);
  let scanner = createScanner(names);
  let startedMs = nowMs();
  return {
    scan(body, limits) {
      if (hasOverflowed(names) && nowMs() - startedMs >= ROTATION_MS) {
        names = createNames(capacity);
        scanner = createScanner(names);
        startedMs = nowMs();
      }
      return scanner.scan(body, limits);
    },
  };
}

function hasOverflowed({ entities, endpoints, versions }: Names): boolean {
  return entities.overflowCount + endpoints.overflowCount + versions.overflowCount > 0;
}
