import type { DetectorOutput } from '../detect/detector.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Anomaly } from '../model/anomaly.ts';
import { entityMatches } from '../model/entity.ts';
import type { Incident } from '../model/incident.ts';
import type { SimulatedAlert, SimulatedIncident, SimulationDifference, SimulationSide } from '../model/simulation.ts';

/** Entries of each list of a result. */
export const MAX_LISTED = 1000;
/** Alerts and incidents of one side; a configuration that calls more often is not worth counting on. */
const MAX_COUNTED = 100_000;

export interface TallyRange {
  /** Detection times told, `[fromMs, toMs)`. */
  fromMs: number;
  toMs: number;
  service: string | null;
}

/** The newest form of everything that one configuration says. */
export class SimulationTally {
  readonly #range: TallyRange;
  readonly #alerts = new Map<string, SimulatedAlert>();
  readonly #incidents = new Map<string, SimulatedIncident>();

  constructor(range: TallyRange) {
    this.#range = range;
  }

  /** Throws `too_large` when it is too much to count. */
  take({ anomalies, incidents }: DetectorOutput): void {
    for (const anomaly of anomalies) {
      if (this.#tells(anomaly.detectedAt, [anomaly.service])) this.#alerts.set(anomaly.id, alertOf(anomaly));
    }
    for (const incident of incidents) {
      if (this.#tells(incident.detectedAt, incident.services)) this.#incidents.set(incident.id, incidentOf(incident));
    }
    if (this.#alerts.size + this.#incidents.size <= MAX_COUNTED) return;
    throw new HeliosError('too_large', `cannot simulate: more than ${MAX_COUNTED} alerts; take a shorter range`);
  }

  /** In order of detection. */
  alerts(): SimulatedAlert[] {
    return [...this.#alerts.values()].toSorted(byDetection);
  }

  side(serviceDays: number): SimulationSide {
    const alerts = this.alerts();
    const incidents = [...this.#incidents.values()].toSorted(byDetection);
    const alertCount = alerts.filter(({ quiet }) => !quiet).length;
    return {
      alertCount,
      quietCount: alerts.length - alertCount,
      incidentCount: incidents.filter(({ mergedInto }) => mergedInto === null).length,
      alertsPerServiceDay: serviceDays > 0 ? alertCount / serviceDays : null,
      alerts: alerts.slice(0, MAX_LISTED),
      incidents: incidents.slice(0, MAX_LISTED),
    };
  }

  #tells(detectedAt: string, services: readonly string[]): boolean {
    const { fromMs, toMs, service } = this.#range;
    const atMs = Date.parse(detectedAt);
    return atMs >= fromMs && atMs < toMs && (service === null || services.some((id) => entityMatches(id, service)));
  }
}

function alertOf(anomaly: Anomaly): SimulatedAlert {
  const { id, service, signal, severity, startedAt, detectedAt, resolvedAt, quiet, incidentId } = anomaly;
  return { id, service, signal, severity, startedAt, detectedAt, resolvedAt, quiet: Boolean(quiet), incidentId };
}

function incidentOf(incident: Incident): SimulatedIncident {
  const { id, severity, title, services, startedAt, detectedAt, resolvedAt, mergedInto } = incident;
  return { id, severity, title, services, startedAt, detectedAt, resolvedAt, mergedInto };
}

function byDetection(a: SimulatedAlert | SimulatedIncident, b: SimulatedAlert | SimulatedIncident): number {
  return Date.parse(a.detectedAt) - Date.parse(b.detectedAt) || (a.id < b.id ? -1 : 1);
}

function bySeries(alerts: readonly SimulatedAlert[]): Map<string, SimulatedAlert[]> {
  return Map.groupBy(alerts, ({ service, signal }) => `${service}\n${signal}`);
}

/** The first alert of the same service and signal whose time overlaps. */
function counterpartOf(alert: SimulatedAlert, others: Map<string, SimulatedAlert[]>): SimulatedAlert | undefined {
  const endOf = ({ resolvedAt }: SimulatedAlert): number => (resolvedAt === null ? Infinity : Date.parse(resolvedAt));
  return others
    .get(`${alert.service}\n${alert.signal}`)
    ?.find((other) => Date.parse(other.startedAt) < endOf(alert) && Date.parse(alert.startedAt) < endOf(other));
}

/** What calls in one configuration alone, and what calls in both at another time. */
export function differenceOf(present: SimulationTally, overridden: SimulationTally): SimulationDifference {
  const [before, after] = [present, overridden].map((tally) => tally.alerts().filter(({ quiet }) => !quiet)) as [
    SimulatedAlert[],
    SimulatedAlert[],
  ];
  const seriesBefore = bySeries(before);
  const seriesAfter = bySeries(after);
  const onlyPresent: SimulatedAlert[] = [];
  const counts = { both: 0, sooner: 0, later: 0 };
  for (const alert of before) {
    const other = counterpartOf(alert, seriesAfter);
    if (!other) {
      onlyPresent.push(alert);
      continue;
    }
    const delayMs = Date.parse(other.detectedAt) - Date.parse(alert.detectedAt);
    counts.both++;
    if (delayMs < 0) counts.sooner++;
    if (delayMs > 0) counts.later++;
  }
  const onlyOverridden = after.filter((alert) => counterpartOf(alert, seriesBefore) === undefined);
  return {
    ...counts,
    onlyPresentCount: onlyPresent.length,
    onlyOverriddenCount: onlyOverridden.length,
    onlyPresent: onlyPresent.slice(0, MAX_LISTED),
    onlyOverridden: onlyOverridden.slice(0, MAX_LISTED),
  };
}
