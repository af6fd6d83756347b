import type { Control, NewNormalDecision } from '../console/dependencies.ts';
import type { DetectorCommand } from '../detect/detector.ts';
import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Incident } from '../model/incident.ts';
import type { Store } from '../store/store.ts';

export interface ControlOptions {
  store: Store;
  command: (command: DetectorCommand) => Promise<Incident | undefined>;
  clock: Clock;
}

/** People's commands go through the pipeline, which owns incidents; one that it has let go of is read from the store. */
export function createControl({ store, command, clock }: ControlOptions): Control {
  async function apply(type: 'acknowledge' | 'resolve', incidentId: string, by: string): Promise<Incident | undefined> {
    const known = await store.get('incident', incidentId);
    if (!known) return undefined;
    if (known.status === 'resolved') {
      if (type === 'resolve') return known;
      throw new HeliosError('conflict', `cannot acknowledge incident ${incidentId}: it is resolved`);
    }
    return (await command({ type, incidentId, by, atMs: clock.nowMs() })) ?? known;
  }
  async function decideNewNormal(incidentId: string, decision: NewNormalDecision, by: string): Promise<Incident | undefined> {
    const known = await store.get('incident', incidentId);
    if (!known) return undefined;
    const refuse = (why: string): HeliosError =>
      new HeliosError('conflict', `cannot ${decision} a new normal of incident ${incidentId}: ${why}`);
    if (!known.newNormal) throw refuse('it proposes none');
    if (known.status === 'resolved') throw refuse('it is resolved');
    const decided = await command({ type: 'new_normal', incidentId, decision, by, atMs: clock.nowMs() });
    if (!decided) throw refuse('its services are no longer watched');
    return decided;
  }
  return {
    decideNewNormal,
    acknowledge: (incidentId, by) => apply('acknowledge', incidentId, by),
    resolve: (incidentId, by) => apply('resolve', incidentId, by),
    async recordChange(change) {
      await command({ type: 'change', change });
    },
  };
}
