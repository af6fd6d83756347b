import type { Config } from '../../config/config.ts';
import type { Database, Row } from '../../store/timescale/database.ts';
import type { Stage, Vitals } from '../vitals.ts';

/**
 * Of each partition how far the groups that read it have stored: what one of them has, the others have to have too. Groups that never came
 * by have no row, and are missed by the alerts on roles.
 */
const PROGRESS = `SELECT topic, log_partition AS part, max(next_offset) AS come, min(next_offset) AS done FROM partition_progress
  WHERE (topic = $1 AND consumer_group IN ('storage-writers', 'detectors'))
     OR (topic = $2 AND consumer_group = 'point-writers') GROUP BY topic, log_partition`;

/** Detectors tell how far they are as events come, and whoever reports stores that. */
const HEARD = `SELECT (SELECT sum(next_offset) FROM partition_progress WHERE topic = $1 AND consumer_group = 'detectors') AS come,
  extract(epoch FROM clock_timestamp() - (SELECT max(updated_at) FROM detector_watermarks))::float8 * 1000 AS heard_ms,
  extract(epoch FROM clock_timestamp() - (SELECT min(received_at) FROM pending_alerts WHERE settled_at IS NULL))::float8 * 1000
    AS alerts_ms,
  extract(epoch FROM clock_timestamp() - (SELECT min(due_at) FROM report_jobs
    WHERE claimed_until IS NULL OR claimed_until < clock_timestamp()))::float8 * 1000 AS reports_ms`;

export interface InstallationVitalsOptions {
  database: Pick<Database, 'query'>;
  config: Config;
}

function numberOf(row: Row | undefined, column: string): number {
  return Number(row?.[column] ?? 0);
}

/**
 * Vitals of all roles together, by what they have stored: whoever asks, a role that has died is seen. Rejects as `Database.query` does.
 */
export function installationVitals({ database, config }: InstallationVitalsOptions): () => Promise<Vitals> {
  const { topic_events: events, topic_metrics: points } = config.kafka;
  return async () => {
    const { rows } = await database.query(PROGRESS, [events, points]);
    const heard = (await database.query(HEARD, [events])).rows[0];
    const stages: Stage[] = rows.map((row) => {
      const name = row['topic'] === events ? 'events' : 'metrics';
      return { name, part: numberOf(row, 'part'), come: numberOf(row, 'come'), done: numberOf(row, 'done') };
    });
    if (heard?.['heard_ms'] !== null && heard?.['heard_ms'] !== undefined)
      stages.push({ name: 'alerts', come: numberOf(heard, 'come'), doneForMs: numberOf(heard, 'heard_ms') });
    const waits = [{ name: 'reports', ms: numberOf(heard, 'reports_ms') }];
    // With event time an alert waits for its time, however long that takes.
    if (config.clock === 'wall') waits.push({ name: 'alerts', ms: numberOf(heard, 'alerts_ms') });
    return { stages, waits: waits.filter(({ ms }) => ms > 0) };
  };
}
