import type { Anomaly, Quiet } from '../model/anomaly.ts';
import type { QuietRules } from '../model/feedback.ts';
import type { Change, Incident } from '../model/incident.ts';
import type { DetectorCommand } from './detector.ts';
import { findCauses, type FindCauses } from './found-causes.ts';
import type { IncidentGroup } from './incident-grouping.ts';
import { createIncidentDesk, fileAnomaly, judgeIncident, labelIncident, openGroups, recordChange } from './incident-desk.ts';
import type { IncidentDesk } from './incident-desk.ts';
import type { Kinship } from './kinship.ts';
import { createQuietDesk, dueToCall, hush, noLongerHushed } from './quiet-rules.ts';

export interface FilingOptions {
  kinship: Kinship;
  gapMs: number;
  /** Firing anomalies that went to another incident, with its id. */
  onMoved: (incidentOf: ReadonlyMap<string, string>) => void;
}

type Judgement = Extract<DetectorCommand, { type: 'acknowledge' | 'resolve' | 'new_normal' | 'label' }>;

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
    const quiet = this.desk.incidentOf.has(anomaly.id) ? null : (anomaly.quiet ?? this.#hush(anomaly, atMs));
    if (quiet) {
      this.#anomalies.set(anomaly.id, { ...anomaly, quiet });
      return null;
    }
    const { kinship, gapMs, onMoved } = this.#options;
    const [filed, incident, { incidents, moved }] = fileAnomaly(this.desk, anomaly, kinship, gapMs, atMs);
    this.#anomalies.set(filed.id, filed);
    this.#publish([...incidents, incident]);
    if (moved.size > 0) onMoved(moved);
    return incident.id;
  }

  /** Puts rules in force instead of those before, unless it has newer ones; what they no longer hold back calls at once. */
  setRules({ rules, revision }: QuietRules, atMs: number): void {
    const quiet = (this.desk.quiet ??= createQuietDesk());
    if (revision <= quiet.revision) return;
    this.desk.quiet = { ...quiet, rules, revision };
    for (const anomaly of noLongerHushed(this.desk.quiet)) this.#call(anomaly, atMs);
  }

  /** Event time at which something that is held back calls; Infinity when nothing is. */
  get wakesAtMs(): number {
    return Math.min(Infinity, ...(this.desk.quiet?.hushed.values().map(({ untilMs }) => untilMs) ?? []));
  }

  /** What was held back for as long as a rule allows calls now, as of the time at which that was over. */
  wake(nowMs: number): void {
    const { quiet } = this.desk;
    if (!quiet || quiet.hushed.size === 0) return;
    for (const { anomaly, atMs } of dueToCall(quiet, nowMs)) this.#call(anomaly, atMs);
  }

  /** Anomalies that a rule keeps from calling now. */
  get hushedCount(): number {
    return this.desk.quiet?.hushed.size ?? 0;
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
    const { desk } = this;
    const group = judgement.type === 'label' ? labelIncident(desk, judgement) : judgeIncident(desk, judgement);
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

  #hush(anomaly: Anomaly, atMs: number): Quiet | null {
    return this.desk.quiet ? hush(this.desk.quiet, anomaly, atMs) : null;
  }

  #call(anomaly: Anomaly, atMs: number): void {
    this.desk.quiet?.hushed.delete(anomaly.id);
    const incidentId = this.file(anomaly, atMs);
    if (incidentId !== null) this.#options.onMoved(new Map([[anomaly.id, incidentId]]));
  }

  #publish(incidents: readonly Incident[]): void {
    for (const incident of incidents) this.#incidents.set(incident.id, incident);
  }
}
