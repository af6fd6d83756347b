import type { MetricSeries } from '../src/store/store.ts';

export interface ListPage<T> {
  items: T[];
  nextCursor: string | null;
}

/** GET of the JSON API; rejects with the problem's text unless the answer is 200. */
export async function getJson<T>(url: string, path: string, query: Record<string, string | number> = {}): Promise<T> {
  const target = new URL(path, url);
  for (const [name, value] of Object.entries(query)) target.searchParams.set(name, String(value));
  const response = await fetch(target);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`GET ${target.pathname}${target.search}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

/** Every item of a list, page by page. */
export async function* listAll<T>(url: string, path: string, query: Record<string, string | number> = {}): AsyncGenerator<T> {
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: ListPage<T> = await getJson(url, path, { limit: 1000, ...query, ...(cursor === '' ? {} : { cursor }) });
    yield* page.items;
    cursor = page.nextCursor;
  }
}

export function getMetrics(
  url: string,
  query: Record<string, string | number>,
): Promise<{ step: number; series: MetricSeries[] }> {
  return getJson(url, '/api/v1/metrics', query);
}

/** Prometheus samples of `/metrics` without labels, by name. */
export async function getSelfMetrics(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(new URL('/metrics', url))).text();
  return new Map([...text.matchAll(/^([a-z_]+) ([-+.\de]+)$/gim)].map(([, name, value]) => [name as string, Number(value)]));
}

/** Waits until `check` gives something other than undefined; rejects with `what` after `timeoutMs`. */
export async function waitFor<T>(what: string, timeoutMs: number, check: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (let pauseMs = 20; ; pauseMs = Math.min(1000, pauseMs * 1.5)) {
    const value = await check();
    if (value !== undefined) return value;
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, pauseMs);
    });
  }
}

/** Events, or points of series, that have been read back from the log since the process started; they may not be committed yet. */
export async function readRecords(url: string, isMetrics: boolean): Promise<number> {
  const metrics = await getSelfMetrics(url);
  return metrics.get(isMetrics ? 'helios_metric_pipeline_points_total' : 'helios_pipeline_events_total') ?? 0;
}

/** Waits until that many have been read; how many it is then. */
export function waitForRecords(url: string, isMetrics: boolean, records: number, timeoutMs: number): Promise<number> {
  return waitFor(`${records} records in the pipeline`, timeoutMs, async () => {
    const read = await readRecords(url, isMetrics);
    return read >= records ? read : undefined;
  });
}

/** Waits until the pipeline has taken in this many events. */
export async function waitForPipeline(url: string, events: number, timeoutMs: number): Promise<void> {
  await waitForRecords(url, false, events, timeoutMs);
}

/** Events of all time that the API counts. */
export async function countEvents(url: string): Promise<number> {
  const query = { from: 0, to: Date.UTC(2100, 0) };
  const { items } = await getJson<ListPage<{ eventCount: number }>>(url, '/api/v1/services', query);
  return items.reduce((sum, { eventCount }) => sum + eventCount, 0);
}

/** Waits until the API counts this many events or more; how many it counts then. */
export function waitForEvents(url: string, events: number, timeoutMs: number): Promise<number> {
  return waitFor(`${events} events in the API`, timeoutMs, async () => {
    const counted = await countEvents(url);
    return counted >= events ? counted : undefined;
  });
}
