import { CleanWindows, type Span, type TimedWindow } from '../detect/clean-windows.ts';
import type { Incident } from '../model/incident.ts';
import type { Feature } from '../model/rollup.ts';
import type { MetricsAnswer, Page, Store } from '../store/store.ts';

const PAGE = 1000;

export interface WindowRange {
  service: string;
  fromMs: number;
  toMs: number;
  stepMs: number;
}

/** One row a window that holds events, columns in the order of `features`; NaN where a window has no latency. */
function windowsOf(answer: MetricsAnswer, features: readonly Feature[]): TimedWindow[] {
  const byName = new Map(answer.series.map((series) => [series.name, series.points]));
  const windows: TimedWindow[] = [];
  for (const [i, [startMs, count]] of (byName.get('event_count') ?? []).entries()) {
    if (!count) continue;
    windows.push({ startMs, row: Float64Array.from(features, (feature) => byName.get(feature)?.[i]?.[1] ?? NaN) });
  }
  return windows;
}

/** Stored windows of a service, incidents and all: to be judged, not to be learned. */
export async function storedWindows(store: Store, range: WindowRange, features: readonly Feature[]): Promise<TimedWindow[]> {
  const names = [...new Set<Feature>(['event_count', ...features])];
  return windowsOf(await store.metrics({ ...range, names }), features);
}

/** Times of the incidents that a service is part of; one that is open has no end. */
async function incidentSpans(store: Store, service: string, toMs: number): Promise<Span[]> {
  const spans: Span[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<Incident> = await store.list('incident', {
      service,
      toMs,
      limit: PAGE,
      ...(cursor === null ? {} : { cursor }),
    });
    for (const { startedAt, resolvedAt } of page.items) {
      spans.push({ fromMs: Date.parse(startedAt), toMs: resolvedAt === null ? Infinity : Date.parse(resolvedAt) });
    }
    cursor = page.nextCursor;
  } while (cursor !== null);
  return spans;
}

/** Stored windows that a model may learn: none that overlaps an incident of the service or lies within a window's width of one. */
export async function trainingWindows(store: Store, range: WindowRange, features: readonly Feature[]): Promise<CleanWindows> {
  const windows = await storedWindows(store, range, features);
  const incidents = await incidentSpans(store, range.service, range.toMs + range.stepMs);
  return CleanWindows.outside(windows, range.stepMs, incidents, range.stepMs);
}
