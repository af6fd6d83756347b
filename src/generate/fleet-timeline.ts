import type { Condition } from './condition.ts';
import type { Fleet } from './fleet.ts';
import type { FleetState, ServiceState } from './fleet-state.ts';
import { createFleetState, resetFleetState } from './fleet-state.ts';
import { smoothNoise, hash32 } from './random-field.ts';
import { kindOf } from './schedule.ts';
import { trafficFactor } from './traffic.ts';

interface VersionChange {
  atMs: number;
  service: number;
  version: string;
}

/** How the fleet behaves at any second: a pure function of the time, the seed and the planned conditions. */
export class FleetTimeline {
  readonly #fleet: Fleet;
  readonly #conditions: readonly Condition[];
  readonly #seed: number;
  readonly #changes: VersionChange[];
  /** Those whose effect stays after their end. */
  readonly #lasting: readonly Condition[];
  readonly #wanderKeys: readonly number[];

  constructor(fleet: Fleet, conditions: readonly Condition[], seed: number) {
    this.#fleet = fleet;
    this.#conditions = conditions;
    this.#seed = seed;
    this.#changes = versionChanges(fleet, conditions);
    this.#lasting = conditions.filter(({ kind }) => kindOf(kind).lasts === true);
    this.#wanderKeys = fleet.services.map((_, index) => hash32(seed, 31, index));
  }

  at(nowMs: number): FleetState {
    const state = createFleetState(this.#fleet);
    this.fill(state, nowMs);
    return state;
  }

  /** The same into a state that is there already. */
  fill(state: FleetState, nowMs: number): void {
    resetFleetState(state, this.#fleet);
    const { services } = state;
    state.trafficFactor = trafficFactor(this.#seed, nowMs);
    for (let i = 0; i < services.length; i++) {
      (services[i] as ServiceState).latencyFactor = Math.exp(0.04 * smoothNoise(this.#wanderKeys[i] as number, nowMs / 300_000));
    }
    for (const { atMs, service, version } of this.#changes) {
      if (atMs > nowMs) break;
      if (services[service]) services[service].version = version;
    }
    for (const condition of this.#conditions) {
      if (condition.startMs > nowMs) break;
      if (condition.endMs > nowMs) this.#apply(condition, state, nowMs);
    }
    for (const condition of this.#lasting) if (condition.endMs <= nowMs) this.#apply(condition, state, nowMs);
    // Busier machines answer a little slower, whatever the reason for the load.
    const load = Math.max(0.7, 0.88 + 0.12 * state.trafficFactor);
    for (const service of services) service.latencyFactor *= load;
  }

  /** The version of a service at a moment. */
  versionAt(service: number, nowMs: number): string {
    const last = this.#changes.findLast((change) => change.service === service && change.atMs <= nowMs);
    return last?.version ?? this.#fleet.services[service]?.version ?? '';
  }

  /** Whether anything held events back in `[fromMs, toMs)`. */
  isDelayed(fromMs: number, toMs: number): boolean {
    return this.#conditions.some(({ kind, startMs, endMs }) => kindOf(kind).delays && startMs < toMs && endMs > fromMs);
  }

  #apply(condition: Condition, state: FleetState, nowMs: number): void {
    const target = state.services[condition.service];
    if (!target) return;
    const progress = Math.min(1, (nowMs - condition.startMs) / (condition.endMs - condition.startMs));
    kindOf(condition.kind).apply({ condition, fleet: this.#fleet, state, target, nowMs, progress });
  }
}

function versionChanges(fleet: Fleet, conditions: readonly Condition[]): VersionChange[] {
  const current = fleet.services.map(({ version }) => version);
  const newest = [...current];
  const changes: VersionChange[] = [];
  for (const { kind, service, startMs, endMs } of conditions) {
    const { deployment } = kindOf(kind);
    if (!deployment) continue;
    const previous = current[service] as string;
    // A version that was rolled back is not released again.
    const version = nextVersion(newest[service] as string);
    newest[service] = version;
    changes.push({ atMs: startMs, service, version });
    if (deployment === 'rollback') changes.push({ atMs: endMs, service, version: previous });
    else current[service] = version;
  }
  return changes.toSorted((a, b) => a.atMs - b.atMs);
}

function nextVersion(version: string): string {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  return `${major}.${minor + 1}.0`;
}
