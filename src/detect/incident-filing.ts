import type { Anomaly } from '../model/anomaly.ts';
import type { Change, Incident } from '../model/incident.ts';
import type { DetectorCommand } from './detector.ts';
import { findCauses, type FindCauses } from './found-causes.ts';
import type { IncidentGroup } from './incident-grouping.ts';
import { createIncidentDesk, fileAnomaly, judgeIncident, openGroups, recordChange, type IncidentDesk } from './incident-desk.ts';
import type { Kinship } from './kinship.ts';

export interface FilingOptions {
  kinship: Kinship;
  gapMs: number;
  /** Firing anomalies that went to another incident, with its id. */
  onMoved: (incidentOf: ReadonlyMap<string, string>) => void;
}

type Judgement = Extract<DetectorCommand, { type: 'acknowledge' | 'resolve' | 'new_normal' }>;

/** The desk at work: anomalies and decisions in, and what they changed out, each document once in its newest form. */
export class IncidentFiling {
  desk: IncidentDesk = createIncidentDesk();
  readonly #options: FilingOptions;
  readonly #anomalies = new Map<string, Anomaly>();
  readonly #incidents = new Map<string, Incident>();

  constructor(options: FilingOptions) {
    this.#options = options;
  }

  get openGroups(): IncidentGroup[] {
    return openGroups(this.desk);
  }

  /** Returns the incident, or null for an anomaly that calls nobody. */
  file(anomaly: Anomaly, atMs: number): string | null {
    if (anomaly.quiet && !this.desk.incidentOf.has(anomaly.id)) {
      this.#anomalies.set(anomaly.id, anomaly);
      return null;
    }
    const { kinship, gapMs, onMoved } = this.#options;
    const [filed, incident, { incidents, moved }] = fileAnomaly(this.desk, anomaly, kinship, gapMs, atMs);
    this.#anomalies.set(filed.id, filed);
    this.#publish([...incidents, incident]);
    if (moved.size > 0) onMoved(moved);
    return incident.id;
  }

  /** An anomaly that changed without concerning its incident. */
  note(anomaly: Anomaly): void {
    this.#anomalies.set(anomaly.id, anomaly);
  }

  /** Returns the incidents that the change concerns. */
  recordChange(change: Change, nowMs: number): Incident[] {
    const touched = recordChange(this.desk, change, this.#options.kinship, nowMs);
    this.#publish(touched);
    return touched;
  }

  /** Undefined when the incident is unknown, or proposes nothing to decide on. */
  judge(judgement: Judgement): Incident | undefined {
    const group = judgeIncident(this.desk, judgement);
    if (group) this.#publish([group.incident]);
    return group?.incident;
  }

  /** Asks other methods for causes. */
  findCauses(find: FindCauses, nowMs: number): void {
    const { groups, changes } = this.desk;
    const changed = findCauses(groups, find, { changes, graph: this.#options.kinship }, nowMs);
    this.#publish(changed.map(({ incident }) => incident));
  }

  /** The form of an incident that the next `drain` tells, if it tells one. */
  changed(incidentId: string): Incident | undefined {
    return this.#incidents.get(incidentId);
  }

  /** What changed since the last call. */
  drain(): { anomalies: Anomaly[]; incidents: Incident[] } {
    const drained = { anomalies: [...this.#anomalies.values()], incidents: [...this.#incidents.values()] };
    this.forget();
    return drained;
  }

  forget(): void {
    this.#anomalies.clear();
    this.#incidents.clear();
  }

  #publish(incidents: readonly Incident[]): void {
    for (const incident of incidents) this.#incidents.set(incident.id, incident);
  }
}
