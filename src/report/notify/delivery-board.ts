import type { Incident } from '../../model/incident.ts';
import type { Report } from '../../model/report.ts';
import type { Store } from '../../store/store.ts';
import { isFinal } from './delivery-record.ts';
import type { Sighting } from './delivery-judgement.ts';

/** Open incidents that are looked at; beyond it the oldest wait until others are resolved. */
const MAX_OPEN = 500;
/** Newest incidents that are looked at whatever their status, so that none that was short is missed. */
const NEWEST = 100;
/** Reports of a closed incident may still change for a while. */
const AFTERMATH_MS = 15 * 60_000;

interface Entry extends Sighting {
  text: string;
  isReportStale: boolean;
  /** When it was last seen to change while it was over; null while it is not. */
  finalSeenMs: number | null;
}

/** Incidents that somebody may have to be told of, as the store has them, with their newest reports. */
export class DeliveryBoard {
  readonly #store: Store;
  readonly #entries = new Map<string, Entry>();
  #newestUpdate = '';

  constructor(store: Store) {
    this.#store = store;
  }

  /** The latest `updatedAt` of all incidents seen; '' before any. */
  get newestUpdate(): string {
    return this.#newestUpdate;
  }

  get sightings(): ReadonlyMap<string, Sighting> {
    return this.#entries;
  }

  /** Forgets that the report of an incident was read; without an id, of all. */
  expire(incidentId?: string): void {
    for (const [id, entry] of this.#entries) if (incidentId === undefined || incidentId === id) entry.isReportStale = true;
  }

  /**
   * Reads incidents that are open, that are new, and those of `ids`, which it answers without those that the store no longer has. Rejects as the
   * store does.
   */
  async refresh(ids: ReadonlySet<string>, nowMs: number): Promise<Set<string>> {
    const pages = await Promise.all([
      this.#store.list('incident', { status: 'open', limit: MAX_OPEN }),
      this.#store.list('incident', { status: 'acknowledged', limit: MAX_OPEN }),
      this.#store.list('incident', { limit: NEWEST }),
    ]);
    const found = new Map(pages.flatMap(({ items }) => items).map((incident) => [incident.id, incident]));
    const others = [...ids].filter((id) => !found.has(id));
    const fetched = await Promise.all(others.map((id) => this.#store.get('incident', id)));
    for (const incident of fetched) if (incident) found.set(incident.id, incident);
    for (const id of this.#entries.keys()) if (!found.has(id)) this.#entries.delete(id);
    for (const incident of found.values()) this.#see(incident, nowMs);
    return new Set([...ids].filter((id) => found.has(id)));
  }

  /** Reads the reports of those of `ids` that may have changed. */
  async readReports(ids: Iterable<string>, nowMs: number): Promise<void> {
    const stale = [...ids].map((id) => this.#entries.get(id)).filter((entry) => entry?.isReportStale === true) as Entry[];
    await Promise.all(
      stale.map(async (entry) => {
        // Before the answer: what is told while it is under way makes it stale again.
        entry.isReportStale = false;
        let report: Report | undefined;
        try {
          report = await this.#store.get('report', entry.incident.id);
        } catch (error) {
          entry.isReportStale = true;
          throw error;
        }
        if ((report?.version ?? 0) === (entry.report?.version ?? 0)) return;
        entry.report = report ?? null;
        entry.changedMs = nowMs;
      }),
    );
  }

  /** Whether its report may change without anybody saying so. */
  isLively(id: string, nowMs: number): boolean {
    const seenMs = this.#entries.get(id)?.finalSeenMs;
    return seenMs === null || (seenMs !== undefined && nowMs - seenMs < AFTERMATH_MS);
  }

  #see(incident: Incident, nowMs: number): void {
    if (incident.updatedAt > this.#newestUpdate) this.#newestUpdate = incident.updatedAt;
    const text = JSON.stringify(incident);
    const known = this.#entries.get(incident.id);
    if (known?.text === text) return;
    // Whatever changes afterwards, such as what people say of it, may change its report as well.
    const finalSeenMs = isFinal(incident) ? nowMs : null;
    const times = { seenMs: known?.seenMs ?? nowMs, changedMs: nowMs };
    this.#entries.set(incident.id, { incident, text, report: known?.report ?? null, isReportStale: true, finalSeenMs, ...times });
  }
}
