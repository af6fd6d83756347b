import type { Prng } from '../../lib/prng.ts';
import type { Database } from './database.ts';

/** An event as far as aggregates care. */
export interface SampleEvent {
  timeMs: number;
  service: string;
  kind: number;
  level: number;
  weight: number;
  latencyMs: number | null;
}

/** Events of three services from `fromMs` on, `spanMs` long: requests, log records, inner spans, sampled ones, and some without latency. */
export function sampleEvents(prng: Prng, count: number, fromMs: number, spanMs: number): SampleEvent[] {
  return Array.from({ length: count }, () => ({
    timeMs: fromMs + prng.below(spanMs),
    service: ['pay', 'cart', 'risk'][prng.below(3)] as string,
    kind: prng.below(4),
    level: 1 + prng.below(5),
    weight: prng.below(10) === 0 ? 1 + prng.below(20) : 1,
    latencyMs: prng.below(5) === 0 ? null : Math.exp(prng.normal() * 1.2 + 3),
  }));
}

/** Stores them; the position is the index. */
export async function insertEvents(database: Database, events: readonly SampleEvent[]): Promise<void> {
  await database.query(
    `INSERT INTO events (time, service, kind, level, weight, latency_ms, log_partition, log_position, environment, namespace,
        service_version, message, metadata)
      SELECT to_timestamp(t / 1000), s, k, l, w, nullif(ms, -1), 0, i, 'prod', '', '', 'took a while', '{"route":"a"}'
      FROM unnest($1::double precision[], $2::text[], $3::smallint[], $4::smallint[], $5::smallint[], $6::double precision[])
        WITH ORDINALITY AS e (t, s, k, l, w, ms, i)`,
    [
      events.map(({ timeMs }) => timeMs),
      events.map(({ service }) => service),
      events.map(({ kind }) => kind),
      events.map(({ level }) => level),
      events.map(({ weight }) => weight),
      events.map(({ latencyMs }) => latencyMs ?? -1),
    ],
  );
}

/** Materialises every continuous aggregate by hand, as the server's jobs do; nothing on ordinary tables. */
export async function refreshAggregates(database: Database): Promise<void> {
  if (database.supports.timescale === null) return;
  for (const kind of ['event_metrics', 'event_latency']) {
    for (const suffix of ['1m', '5m', '1h'])
      await database.query(`CALL refresh_continuous_aggregate('${kind}_${suffix}', NULL, NULL)`);
  }
}
