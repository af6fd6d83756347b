import { isoTime } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { EventBatch, Names } from '../model/event-batch.ts';
import type { Change } from '../model/incident.ts';
import { hashId } from './identifier.ts';

/** Reads deployments and rollbacks off `service.version`. Deterministic for the order of the events. */
export interface VersionTracker {
  observe(batch: EventBatch): void;
  /** The changes found since the last call, in order of the events. */
  drain(): Change[];
  snapshot(): unknown;
  /** Throws `corrupt_data` when `state` is not a snapshot. */
  restore(state: unknown): void;
}

interface VersionState {
  version: string;
  firstSeenMs: number;
  lastSeenMs: number;
  /** Mean time between two events: of all at first, of about the last MEAN_GAPS later on. */
  meanGapMs: number;
  gapCount: number;
}

interface EntityState {
  entity: string;
  /** The one whose event came last. */
  current: VersionState;
  versions: VersionState[];
  /** Event times of the changes of the last hour. */
  changesMs: number[];
}

interface VersionSnapshot {
  entities: (Omit<EntityState, 'current'> & { current: number })[];
  changes: Change[];
}

/** A version counts as gone after this long without an event while another one had some. */
const GONE_MS = 10 * 60_000;
/** ... and after this many of its own mean gaps, so that two versions of a quiet service do not seem to alternate. */
const GONE_GAPS = 8;
const MEAN_GAPS = 50;
const MAX_VERSIONS = 8;
/** Services that put a build id of every instance into their version do not flood the list of changes. */
const MAX_CHANGES_PER_HOUR = 6;
const HOUR_MS = 3_600_000;
const MAX_ENTITIES = 20_000;
const ID_STEP_MS = GONE_MS;

export function createVersionTracker(): VersionTracker {
  return new Tracker();
}

class Tracker implements VersionTracker {
  readonly #entities = new Map<string, EntityState>();
  #names: Names | undefined;
  /** `#entities` and the id of their current version, by the entity ids of `#names`. */
  #byId: ({ state: EntityState; versionId: number } | undefined)[] = [];
  #changes: Change[] = [];

  observe(batch: EventBatch): void {
    if (batch.names !== this.#names) {
      this.#names = batch.names;
      this.#byId = [];
    }
    for (let i = 0; i < batch.count; i++) {
      const versionId = batch.version[i] as number;
      if (versionId === 0) continue;
      const known = this.#byId[batch.entity[i] as number];
      const timestamp = batch.timestamp[i] as number;
      if (known !== undefined && known.versionId === versionId && timestamp - known.state.current.lastSeenMs < GONE_MS) {
        extend(known.state.current, timestamp);
      } else this.#see(batch.names, batch.entity[i] as number, versionId, timestamp);
    }
  }

  drain(): Change[] {
    const drained = this.#changes;
    this.#changes = [];
    return drained;
  }

  snapshot(): VersionSnapshot {
    const entities = [...this.#entities.values()].map(({ entity, current, versions, changesMs }) => ({
      entity,
      current: versions.indexOf(current),
      versions: versions.map((version) => ({ ...version })),
      changesMs: [...changesMs],
    }));
    return { entities, changes: this.#changes.map((change) => ({ ...change })) };
  }

  restore(state: unknown): void {
    const snapshot = (state ?? {}) as VersionSnapshot;
    if (!Array.isArray(snapshot.entities) || !Array.isArray(snapshot.changes)) {
      throw new HeliosError('corrupt_data', 'cannot restore service versions: not a snapshot');
    }
    this.#entities.clear();
    this.#byId = [];
    for (const { entity, current, versions, changesMs } of snapshot.entities) {
      const copies = versions.map((version) => ({ ...version }));
      this.#entities.set(entity, {
        entity,
        current: copies[current] as VersionState,
        versions: copies,
        changesMs: [...changesMs],
      });
    }
    this.#changes = snapshot.changes.map((change) => ({ ...change }));
  }

  /** An event whose version is not the entity's last one, or was away. */
  #see(names: Names, entityId: number, versionId: number, timestamp: number): void {
    // What is beyond the capacity of a name table is a mixture, and says nothing about any one service.
    if (entityId === names.entities.otherId || versionId === names.versions.otherId) return;
    const entity = names.entities.name(entityId);
    const version = names.versions.name(versionId);
    let state = this.#entities.get(entity);
    if (state === undefined) {
      if (this.#entities.size >= MAX_ENTITIES) this.#forgetOldest();
      const first = newVersion(version, timestamp);
      state = { entity, current: first, versions: [first], changesMs: [] };
      this.#entities.set(entity, state);
    } else {
      const known = state.versions.find((candidate) => candidate.version === version);
      state.current = known === undefined ? this.#arrive(state, version, timestamp) : this.#resume(state, known, timestamp);
    }
    this.#byId[entityId] = { state, versionId };
  }

  /** A version that is not remembered: a deployment, unless its event is older than what is known. */
  #arrive(state: EntityState, version: string, timestamp: number): VersionState {
    const previous = latest(state.versions) as VersionState;
    if (timestamp >= previous.firstSeenMs) this.#change(state, 'deployment', previous, version, timestamp);
    const arrived = newVersion(version, timestamp);
    if (state.versions.length >= MAX_VERSIONS) {
      const oldest = state.versions.toSorted((a, b) => a.lastSeenMs - b.lastSeenMs)[0] as VersionState;
      state.versions.splice(state.versions.indexOf(oldest), 1);
    }
    state.versions.push(arrived);
    return arrived;
  }

  /** A version that is remembered: it went on beside another one, or it was gone and is back. */
  #resume(state: EntityState, known: VersionState, timestamp: number): VersionState {
    const previous = latest(state.versions.filter((candidate) => candidate !== known));
    const goneMs = Math.max(GONE_MS, GONE_GAPS * known.meanGapMs);
    if (timestamp - known.lastSeenMs >= goneMs && previous !== undefined && previous.lastSeenMs > known.lastSeenMs) {
      const type = known.firstSeenMs < previous.firstSeenMs ? 'rollback' : 'deployment';
      this.#change(state, type, previous, known.version, timestamp);
    }
    extend(known, timestamp);
    return known;
  }

  #change(state: EntityState, type: 'deployment' | 'rollback', previous: VersionState, version: string, timestamp: number): void {
    state.changesMs = state.changesMs.filter((changeMs) => Math.abs(timestamp - changeMs) < HOUR_MS);
    if (state.changesMs.length >= MAX_CHANGES_PER_HOUR) return;
    state.changesMs.push(timestamp);
    const verb = type === 'rollback' ? 'went back' : 'changed';
    this.#changes.push({
      id: hashId('change', state.entity, previous.version, version, Math.floor(timestamp / ID_STEP_MS)),
      at: isoTime(timestamp),
      service: state.entity,
      type,
      version,
      previousVersion: previous.version,
      description: `service.version ${verb} from ${previous.version} to ${version}`,
      source: 'service.version',
    });
  }

  /** Drops the half of the entities that was silent for longest. */
  #forgetOldest(): void {
    const bySilence = [...this.#entities.values()].toSorted((a, b) => a.current.lastSeenMs - b.current.lastSeenMs);
    for (const { entity } of bySilence.slice(0, bySilence.length / 2)) this.#entities.delete(entity);
    this.#byId = [];
  }
}

function newVersion(version: string, timestamp: number): VersionState {
  return { version, firstSeenMs: timestamp, lastSeenMs: timestamp, meanGapMs: 0, gapCount: 0 };
}

function extend(version: VersionState, timestamp: number): void {
  const gapMs = Math.max(0, timestamp - version.lastSeenMs);
  version.gapCount = Math.min(MEAN_GAPS, version.gapCount + 1);
  version.meanGapMs += (gapMs - version.meanGapMs) / version.gapCount;
  version.lastSeenMs = Math.max(version.lastSeenMs, timestamp);
}

function latest(versions: VersionState[]): VersionState | undefined {
  return versions.reduce<VersionState | undefined>(
    (best, next) => (best && best.lastSeenMs >= next.lastSeenMs ? best : next),
    undefined,
  );
}
