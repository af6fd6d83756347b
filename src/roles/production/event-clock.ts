import type { Clock } from '../../lib/clock.ts';
import type { Database } from '../../store/timescale/database.ts';
import type { Engines } from './engines.ts';

const REFRESH_MS = 1000;

/** Milliseconds since the epoch; 0 before the first event. */
export async function readEventTime(database: Database): Promise<number> {
  const { rows } = await database.query(
    `SELECT coalesce(max(watermark_ms), 0) AS ms FROM detector_watermarks WHERE source = 'events' AND watermark_ms < 8.64e15`,
  );
  return Number(rows[0]?.['ms']);
}

/** Event time as far as the detectors are: what "now" means where time advances with the data. */
export function createEventClock({ clock, database }: Engines): Clock & Disposable {
  let nowMs = 0;
  const refresh = async (): Promise<void> => {
    nowMs = Math.max(nowMs, await readEventTime(database));
  };
  // What cannot be read now can later; until then the clock stands.
  const stop = clock.every(REFRESH_MS, () => void refresh().catch(() => undefined));
  return { ...clock, nowMs: () => nowMs, [Symbol.dispose]: stop };
}
