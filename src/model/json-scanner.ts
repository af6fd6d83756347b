import { BodyScanner } from './body-scanner.ts';
import { createEventBatch } from './event-batch.ts';
import type { Names } from './event-batch.ts';
import { EventFastPath } from './event-fast-path.ts';
import type { Scanner } from './scanner.ts';

/** The scanner in plain JavaScript. */
export function createJsonScanner(names: Names): Scanner {
  return new BodyScanner(new EventFastPath(createEventBatch(names)));
}
