import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { detectConfigSchema } from '../detect/config.ts';
import { createDetector } from '../detect/engine.ts';
import type { EventBatch } from '../model/event-batch.ts';
import type { Incident } from '../model/incident.ts';
import { createRotatingScanner } from '../model/rotating-scanner.ts';
import { NO_LIMITS } from '../model/scanner.ts';
import type { EventIncident } from './evaluated-stream.ts';

const BATCH_BYTES = 262_144;
const LINE_END = 0x0a;

/** Bodies of whole lines, as a sender would post them. */
function* bodiesOf(path: string): Generator<Uint8Array> {
  const raw = readFileSync(path);
  const bytes = raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw;
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(LINE_END, Math.min(bytes.length, at + BATCH_BYTES));
    const next = end < 0 ? bytes.length : end + 1;
    yield bytes.subarray(at, next);
    at = next;
  }
}

/** Batches as the live scanner makes them; each is valid until the next. */
export function* batchesOf(path: string): Generator<EventBatch> {
  const scanner = createRotatingScanner({}, () => 0);
  for (const body of bodiesOf(path)) yield scanner.scan(body, NO_LIMITS).batch;
}

function eventIncident({ startedAt, detectedAt, resolvedAt, updatedAt, causes, services }: Incident): EventIncident {
  const detectedMs = Date.parse(detectedAt);
  const endMs = Math.max(detectedMs, Date.parse(resolvedAt ?? updatedAt));
  const episodes = [{ entity: services[0] ?? '', startMs: detectedMs, endMs }];
  return { startMs: detectedMs, endMs, episodes, detectedMs, onsetMs: Date.parse(startedAt), causes };
}

/** Plays a file of events through the event engine in event time; the incidents in the order in which they were found. */
export function detectIncidents(path: string, seed: number): EventIncident[] {
  const detector = createDetector({ config: detectConfigSchema.parse({}), clock: 'events', seed });
  const incidents = new Map<string, Incident>();
  for (const batch of batchesOf(path)) {
    let newestMs = 0;
    for (let i = 0; i < batch.count; i++) newestMs = Math.max(newestMs, batch.timestamp[i] as number);
    detector.observe(batch, newestMs, '');
    for (const incident of detector.advance(null).incidents) incidents.set(incident.id, incident);
    detector.drainTemplates();
  }
  return [...incidents.values()]
    .filter(({ mergedInto }) => mergedInto === null)
    .map(eventIncident)
    .sort((a, b) => a.detectedMs - b.detectedMs);
}
