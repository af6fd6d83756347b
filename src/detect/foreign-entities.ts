import { MAX_ROLLUP_ENDPOINTS } from '../model/rollup.ts';
import { createEntityState, openEntity, takeWindows, type Entity } from './entity-state.ts';
import type { PartialWindow } from './partial-record.ts';
import { toSparse, type SubWindow } from './sub-window.ts';

/** They only hold sums from one record to the next. */
const RING_STEPS = 1;
/** Endpoints beyond the detector's table share an id, which has no name. */
const NO_NAME = 'other';

/** Entities that another partition's detector judges, whose events are here: what came of them since the last record. */
export class ForeignEntities {
  readonly #entities = new Map<string, Entity>();
  readonly #pool: SubWindow[];
  #endpointNames: string[] = [];

  constructor(pool: SubWindow[]) {
    this.#pool = pool;
  }

  get size(): number {
    return this.#entities.size;
  }

  named(name: string): Entity {
    let entity = this.#entities.get(name);
    if (!entity) this.#entities.set(name, (entity = openEntity(createEntityState(name, RING_STEPS))));
    return entity;
  }

  /** One that was summed by its log records until now has requests: those are dropped, as its own detector would. */
  withRequests({ state }: Entity): Entity {
    const fresh = openEntity(createEntityState(state.id, RING_STEPS));
    fresh.state.hasRequests = true;
    this.#entities.set(state.id, fresh);
    return fresh;
  }

  clear(): void {
    this.#entities.clear();
    this.#endpointNames = [];
  }

  /** Empties them; `endpoints` are the detector's names and ids. In the order of entities, then of time. */
  take(endpoints: ReadonlyMap<string, number>): PartialWindow[] {
    const taken: PartialWindow[] = [];
    for (const entity of this.#entities.values()) {
      if (entity.state.open.size === 0) continue;
      if (endpoints.size > this.#endpointNames.length) this.#endpointNames = [...endpoints.keys()];
      for (const window of takeWindows(entity)) {
        if (window.count > 0) taken.push(this.#partialOf(entity, window));
        this.#pool.push(window);
      }
    }
    return taken;
  }

  #partialOf({ state }: Entity, window: SubWindow): PartialWindow {
    const { index: step, count, errorCount, latencyCount, latencySum, latencySquareSum } = window;
    const { buckets, counts } = toSparse(window.histogram);
    const names = [...window.endpoints].map((id) => this.#endpointNames[id - 1] ?? NO_NAME);
    return {
      entity: state.id,
      isLog: !state.hasRequests,
      step,
      count,
      errorCount,
      latencyCount,
      latencySum,
      latencySquareSum,
      buckets: [...buckets],
      counts: [...counts],
      endpoints: names.slice(0, MAX_ROLLUP_ENDPOINTS),
    };
  }
}
