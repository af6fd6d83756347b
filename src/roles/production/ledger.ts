import { createIncidentBook } from '../../detect/incident-book.ts';
import { createIncidentLedger } from '../../store/timescale/incident-ledger.ts';
import type { IncidentLedger } from '../../store/timescale/incident-ledger.ts';
import type { Engines } from './engines.ts';

/** The ledger of incidents with its book, as reporters settle alerts in it and consoles decide. */
export function openLedger({ config, database, logger }: Pick<Engines, 'config' | 'database' | 'logger'>): IncidentLedger {
  const book = createIncidentBook(config.anomaly_detection);
  return createIncidentLedger({ database, book, reportIntervalMs: config.report.update_interval, logger });
}
