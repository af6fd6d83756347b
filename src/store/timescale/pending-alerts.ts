import type { AlertMessage, AlertSource, FiledAlert } from '../../model/alert.ts';
import { alertKey, NEVER_MS } from '../../model/alert.ts';
import type { Session } from './database.ts';
import { storableJson, storableText } from './storable-text.ts';

export interface SettleOptions {
  /** events: an alert is due when every detector is past it; wall: also when it has waited for `holdMs`. */
  mode: 'wall' | 'events';
  /** Of the events. */
  partitions: number;
  /** Of the traces; 0 when nobody joins them. Counts only in mode events: calls are an aid, and not waited for. */
  tracePartitions: number;
  holdMs: number;
}

/** Alerts that are settled together, unless more have the time of the last one. */
const AT_ONCE = 2000;

/** Keeps alerts until they are settled; those that are known, settled or not, change nothing. */
export async function saveAlerts(session: Session, messages: readonly AlertMessage[]): Promise<void> {
  const rows = messages
    .filter((message): message is FiledAlert => message.type !== 'watermark')
    .map((message) => ({ timeMs: message.atMs, id: storableText(alertKey(message)), message }))
    // One order for all, so that two writers never wait for each other.
    .toSorted((a, b) => a.timeMs - b.timeMs || (a.id < b.id ? -1 : 1));
  if (rows.length === 0) return;
  await session.query(
    `INSERT INTO pending_alerts (time_ms, id, message)
     SELECT a.time_ms, a.id, a.message::jsonb FROM unnest($1::float8[], $2::text[], $3::text[]) AS a (time_ms, id, message)
     ON CONFLICT DO NOTHING`,
    [rows.map(({ timeMs }) => timeMs), rows.map(({ id }) => id), rows.map(({ message }) => storableJson(message))],
  );
}

/** Watermarks only go on, but for a partition in which something happens again. */
export async function saveWatermarks(session: Session, messages: readonly AlertMessage[]): Promise<void> {
  const newest = new Map<string, { source: AlertSource; partition: number; watermarkMs: number }>();
  for (const message of messages) {
    if (message.type !== 'watermark') continue;
    const { of: source, partition, watermarkMs } = message;
    const key = `${source} ${partition}`;
    const knownMs = newest.get(key)?.watermarkMs ?? NEVER_MS;
    if (watermarkMs > knownMs || knownMs === NEVER_MS) newest.set(key, { source, partition, watermarkMs });
  }
  const rows = [...newest.values()].toSorted((a, b) => a.partition - b.partition || (a.source < b.source ? -1 : 1));
  if (rows.length === 0) return;
  await session.query(
    `INSERT INTO detector_watermarks AS w (source, log_partition, watermark_ms)
     SELECT * FROM unnest($1::text[], $2::integer[], $3::float8[])
     ON CONFLICT (source, log_partition) DO UPDATE SET watermark_ms = excluded.watermark_ms, updated_at = now()
       WHERE excluded.watermark_ms > w.watermark_ms OR w.watermark_ms = $4`,
    [
      rows.map(({ source }) => source),
      rows.map(({ partition }) => partition),
      rows.map(({ watermarkMs }) => watermarkMs),
      NEVER_MS,
    ],
  );
}

/** Event time that all partitions of a source are past; -Infinity while one has said nothing. */
function watermarkOf(source: AlertSource, partitions: string): string {
  return `(SELECT CASE WHEN count(*) < ${partitions} THEN '-Infinity' ELSE min(watermark_ms) END FROM detector_watermarks
    WHERE source = '${source}' AND log_partition < ${partitions})`;
}

/** $1: partitions of the events; $2: of the traces, or how long to wait at most, milliseconds. */
const DUE_UNTIL = {
  events: `least(${watermarkOf('events', '$1::integer')}, CASE WHEN $2 > 0 THEN ${watermarkOf('traces', '$2::float8')} END)`,
  // What is older than one that has waited long enough goes with it, for the order's sake.
  wall: `greatest(${watermarkOf('events', '$1::integer')}, (SELECT max(time_ms) FROM pending_alerts
    WHERE settled_at IS NULL AND received_at < clock_timestamp() - make_interval(secs => $2::float8 / 1000)))`,
};

/** How far event time has come, milliseconds; -Infinity when nobody can tell. */
export async function eventTime(session: Session, { mode, partitions }: SettleOptions): Promise<number> {
  const { rows } =
    mode === 'wall'
      ? await session.query('SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms')
      : await session.query(`SELECT ${watermarkOf('events', '$1::integer')} AS now_ms`, [partitions]);
  const nowMs = Number(rows[0]?.['now_ms'] ?? -Infinity);
  // Where nothing happens anywhere no time goes by.
  return nowMs >= NEVER_MS ? -Infinity : nowMs;
}

/** The alerts that are due, oldest first; the caller is alone at the desk. */
export async function takeDue(session: Session, options: SettleOptions): Promise<FiledAlert[]> {
  const { mode, partitions, tracePartitions, holdMs } = options;
  const { rows } = await session.query(
    `SELECT message FROM pending_alerts WHERE settled_at IS NULL AND time_ms <= ${DUE_UNTIL[mode]}
     ORDER BY time_ms FETCH FIRST ${AT_ONCE} ROWS WITH TIES`,
    [partitions, mode === 'wall' ? holdMs : tracePartitions],
  );
  return rows.map(({ message }) => message as FiledAlert);
}

/** They stay, without what they said, to be known again. */
export async function markSettled(session: Session, alerts: readonly FiledAlert[]): Promise<void> {
  await session.query(
    `UPDATE pending_alerts p SET settled_at = clock_timestamp(), message = NULL
     FROM unnest($1::float8[], $2::text[]) AS a (time_ms, id) WHERE p.time_ms = a.time_ms AND p.id = a.id`,
    [alerts.map(({ atMs }) => atMs), alerts.map((alert) => storableText(alertKey(alert)))],
  );
}
