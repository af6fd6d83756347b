import type { AlertEvidence, AlertMessage, FiledAlert } from '../model/alert.ts';
import { alertKey } from '../model/alert.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { Change } from '../model/incident.ts';
import { encodeMovement, type CoMovement } from './co-movement.ts';

/** How long others wait, in event time, for anomalies of received metrics that are behind the events. */
const METRIC_PATIENCE_MS = 300_000;
const IDLE_SLACK_MS = 1000;

export interface Progress {
  clock: 'wall' | 'events';
  /** The wall clock, where it closes steps too. */
  nowMs: number | null;
  /** Event time below which every step is closed; -Infinity before the first event. */
  closedMs: number;
  latestPointMs: number;
}

/** Event time up to which a detector has said everything, milliseconds; -Infinity when it cannot tell. */
function saidUntil({ clock, nowMs, closedMs, latestPointMs }: Progress, latenessMs: number): number {
  // Where nothing has ever come, others shall not wait.
  if (closedMs === -Infinity) return nowMs === null ? -Infinity : nowMs - IDLE_SLACK_MS - latenessMs;
  if (clock === 'wall' || latestPointMs === -Infinity) return closedMs;
  return Math.min(closedMs, Math.max(latestPointMs - latenessMs, closedMs - METRIC_PATIENCE_MS));
}

export interface AlertDraftOptions {
  partition: number;
  /** What other methods say of causes among this partition's services in [fromMs, untilMs). */
  evidence: (fromMs: number, untilMs: number) => AlertEvidence[];
  movementOf: (service: string) => CoMovement | undefined;
  latenessMs: number;
}

/** How far back causes are looked for. */
const REACH_MS = 600_000;

/** What one partition's detector has to tell since it last did, each thing once and in its newest form. */
export class AlertDraft {
  readonly #options: AlertDraftOptions;
  readonly #messages = new Map<string, FiledAlert>();
  /** Services that fall together ask for the same stretch of time. */
  readonly #evidence = new Map<string, AlertEvidence[]>();
  #toldUntilMs = -Infinity;

  constructor(options: AlertDraftOptions) {
    this.#options = options;
  }

  anomaly(anomaly: Anomaly, atMs: number): void {
    const { partition, movementOf } = this.#options;
    const movement = movementOf(anomaly.service);
    const evidence = this.#evidenceSince(Date.parse(anomaly.startedAt), atMs);
    this.#add({
      type: 'anomaly',
      partition,
      atMs,
      anomaly: { ...anomaly, incidentId: null },
      evidence,
      ...(movement ? { movement: encodeMovement(movement) } : {}),
    });
  }

  change(change: Change): void {
    this.#add({ type: 'change', partition: this.#options.partition, atMs: Date.parse(change.at), change });
  }

  /** What was found, and how far this detector is when that has changed. */
  take(progress: Progress): AlertMessage[] {
    const alerts: AlertMessage[] = [...this.#messages.values()];
    this.#clear();
    const watermarkMs = saidUntil(progress, this.#options.latenessMs);
    if (watermarkMs > this.#toldUntilMs) {
      this.#toldUntilMs = watermarkMs;
      alerts.push({ type: 'watermark', partition: this.#options.partition, of: 'events', watermarkMs });
    }
    return alerts;
  }

  forget(): void {
    this.#clear();
    this.#toldUntilMs = -Infinity;
  }

  #clear(): void {
    this.#messages.clear();
    this.#evidence.clear();
  }

  #add(message: FiledAlert): void {
    this.#messages.set(`${message.atMs} ${alertKey(message)}`, message);
  }

  #evidenceSince(startMs: number, untilMs: number): AlertEvidence[] {
    const fromMs = Math.max(startMs, untilMs - REACH_MS);
    const key = `${fromMs} ${untilMs}`;
    let rows = this.#evidence.get(key);
    if (!rows) this.#evidence.set(key, (rows = this.#options.evidence(fromMs, untilMs)));
    return rows;
  }
}
