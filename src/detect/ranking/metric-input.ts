import type { ComponentKind } from './component-kind.ts';
import type { MetricRole } from './metric-role.ts';

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
  /** Where declared; else learned from behaviour. */
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
