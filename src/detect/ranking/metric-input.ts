import type { MetricRole } from './metric-role.ts';

/**
 * `transit`: declared to pass calls on and to do no work of its own (load balancer, gateway, client or remote stub). One that is not
 * declared shows it by its behaviour: its excess is that of its callee, so nothing arises in it.
 */
export type ComponentKind = 'service' | 'transit';

/** One series of an entity in two windows, oldest value first; NaN = missing. Rows of one entity's series go together. */
export interface RankedSeries {
  name: string;
  /** UCUM unit, where known. */
  unit?: string;
  /** Where declared; else found from unit and behaviour. */
  role?: MetricRole;
  normal: ArrayLike<number>;
  anomalous: ArrayLike<number>;
  /** Rows just before the anomalous window, when the normal window is from another time. */
  recent?: ArrayLike<number>;
}

export interface RankedEntity {
  name: string;
  series: readonly RankedSeries[];
  /** Where declared. */
  kind?: ComponentKind;
  /** Whether a deployment or other change of this entity preceded the anomaly. */
  changed?: boolean;
}

export interface MetricCauseInput {
  entities: readonly RankedEntity[];
  /** Directed calls, [caller, callee] by name. Names that are no entity are ignored. */
  calls?: readonly (readonly [string, string])[];
  /** Where the symptom was seen: the entity and, if known, the series. */
  entry?: { entity: string; series?: string };
}
