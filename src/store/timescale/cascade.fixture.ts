import { anomalyOf, MINUTE, over, T0 } from '../../detect/anomaly.fixture.ts';
import { createPrng } from '../../lib/prng.ts';
import type { Prng } from '../../lib/prng.ts';
import type { AlertMessage, FiledAlert } from '../../model/alert.ts';
import type { Change } from '../../model/incident.ts';

export const PARTITIONS = 4;
export const CASCADE_SERVICES = 40;
/** Root of the cascade, and a service that nothing of it reaches. */
export const ROOT = 's0';
export const LONER = 'loner';
const HOUR = 60 * MINUTE;

const nameOf = (service: number): string => `s${service}`;
const partitionOf = (service: number): number => (service * 7) % PARTITIONS;

export const DEPLOYMENT: Change = {
  id: 'ch-1',
  at: new Date(T0 - MINUTE).toISOString(),
  service: ROOT,
  type: 'deployment',
  version: '2',
  previousVersion: '1',
  description: 'service.version changed from 1 to 2',
  source: 'service.version',
};

/** s0 is called by s1 and s2, these by s3 to s6, and so on: what is wrong with s0 reaches all, from callee to caller. */
function edges(): FiledAlert[] {
  const pairs = Array.from({ length: CASCADE_SERVICES - 1 }, (_, i) => ({
    caller: nameOf(i + 1),
    callee: nameOf(Math.floor(i / 2)),
    count: 100,
  }));
  const lonely = { caller: 'lone-caller', callee: LONER, count: 9 };
  return [{ type: 'edges', partition: 0, atMs: T0 - HOUR, edges: [...pairs, lonely] }];
}

/** All that the detectors say: a cascade over forty services, each of which fires, gets worse and ends, and later a fault of another. */
export function cascadeAlerts(): FiledAlert[] {
  const alerts: FiledAlert[] = [...edges(), { type: 'change', partition: partitionOf(0), atMs: T0 - MINUTE, change: DEPLOYMENT }];
  const add = (service: string, partition: number, startMs: number, endMs: number): void => {
    const signal = partition % 2 === 0 ? 'error_rate' : 'latency';
    const firing = anomalyOf(service, startMs, { signal });
    const evidence = service === ROOT ? [{ service, points: 0.4, reason: 'cpu is up', showsAs: 'metric' as const }] : [];
    const told = { type: 'anomaly' as const, partition, evidence };
    alerts.push(
      { ...told, atMs: startMs + 20_000, anomaly: firing },
      { ...told, atMs: startMs + 60_000, anomaly: { ...firing, severity: 'critical', score: 0.95 } },
      { ...told, atMs: endMs + 120_000, anomaly: over({ ...firing, severity: 'critical', score: 0.95 }, endMs) },
    );
  };
  for (let service = 0; service < CASCADE_SERVICES; service++) {
    const depth = Math.floor(Math.log2(service + 1));
    add(nameOf(service), partitionOf(service), T0 + depth * 20_000, T0 + 10 * MINUTE + depth * 10_000);
  }
  add(LONER, 3, T0 + 2 * HOUR, T0 + 2 * HOUR + 5 * MINUTE);
  return alerts;
}

/** What one read of the topic brings. */
export type AlertRecord = AlertMessage[];

export function shuffled<T>(items: readonly T[], prng: Prng): T[] {
  const keyed = items.map((item) => ({ item, order: prng.next() }));
  return keyed.toSorted((a, b) => a.order - b.order).map(({ item }) => item);
}

/**
 * The alerts as each partition's topic holds them: in steps of event time, each with its watermark, and some records twice, as a detector
 * that died before its commit tells them again.
 */
export function recordsByPartition(alerts: readonly FiledAlert[], seed: number): AlertRecord[][] {
  const prng = createPrng(seed);
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    const own = alerts.filter((alert) => alert.partition === partition);
    const times = [...new Set(own.map(({ atMs }) => atMs))].toSorted((a, b) => a - b);
    const records: AlertRecord[] = [];
    for (const timeMs of [...times, T0 + 5 * HOUR]) {
      const found: AlertMessage[] = shuffled(
        own.filter(({ atMs }) => atMs === timeMs),
        prng,
      );
      found.push({ type: 'watermark', partition, of: 'events', watermarkMs: timeMs });
      found.push({ type: 'watermark', partition, of: 'traces', watermarkMs: timeMs });
      records.push(found);
      if (prng.next() < 0.3) records.push(...records.slice(-1 - prng.below(3)));
    }
    return records;
  });
}
