import { getJson, listAll, waitFor } from '../../bench/server-api.ts';
import type { Event } from '../../src/model/event.ts';

const WAIT_MS = 30_000;

/** Events of a service, oldest first, once there are this many. */
export function storedEvents(url: string, service: string, count: number): Promise<Event[]> {
  return waitFor(`${count} events of ${service}`, WAIT_MS, async () => {
    const events = await Array.fromAsync(listAll<Event>(url, '/api/v1/events', { service, from: 0, to: Date.UTC(2100, 0) }));
    return events.length >= count ? events.toReversed() : undefined;
  });
}

export interface StoredSeries {
  name: string;
  labels: Record<string, string>;
  points: [number, number | string | null][];
}

/** Received series of a name with their points as they are stored, once `isComplete` says so. */
export function storedSeries(
  url: string,
  query: Record<string, string>,
  isComplete: (series: StoredSeries[]) => boolean,
): Promise<StoredSeries[]> {
  return waitFor(`the series ${JSON.stringify(query)}`, WAIT_MS, async () => {
    const range = { from: 0, to: Date.UTC(2100, 0), step: 'raw', source: 'received' };
    const { series } = await getJson<{ series: StoredSeries[] }>(url, '/api/v1/metrics', { ...range, ...query });
    return isComplete(series) ? series : undefined;
  });
}

export function portOf(url: string): string {
  return new URL(url.includes('://') ? url : `http://${url}`).port;
}
