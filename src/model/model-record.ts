/** A trained isolation forest as the model API shows it. */
export interface ModelRecord {
  /** "v1", "v2", …; one series over all services. */
  version: string;
  service: string;
  state: 'active' | 'inactive';
  model: 'isolation_forest';
  trainedAt: string;
  trainedFrom: string;
  trainedTo: string;
  features: string[];
  parameters: { nEstimators: number; maxSamples: number; contamination: number | 'auto'; seed: number; windowMs: number };
  /** `score_samples` convention. */
  offset: number;
  /** SHA-256 over the training rows, hexadecimal; absent in records of versions that did not tell it, as is the next. */
  dataHash?: string;
  /** Windows of the span that were left out because they overlap an incident of the service. */
  excludedWindows?: number;
  metrics: { trainingWindows: number; scoreMin: number; scoreMedian: number; scoreMax: number; flaggedShare: number };
}

/** A model with its trees and its scaler, as it is stored. */
export interface StoredModel {
  record: ModelRecord;
  /** Opaque to the store: written and read by detect/. */
  payload: Uint8Array;
}

/** How one of two compared models judges the windows. */
export interface ModelVerdicts {
  version: string;
  /** Windows whose score is below the model's offset. */
  flagged: number;
  flaggedShare: number;
  /** Of the scores. */
  quantiles: { p01: number; p05: number; p50: number; p95: number };
  /** By windows; null without labels, or when there is nothing to divide by. */
  precision: number | null;
  recall: number | null;
}

/** Two versions over the same stored windows. */
export interface ModelComparison {
  service: string;
  from: string;
  to: string;
  windows: number;
  versions: [ModelVerdicts, ModelVerdicts];
  /** Share of the windows that both judge alike. */
  agreement: number;
  bothFlagged: number;
  /** Spearman's, of the scores; null when one of the models gives a single score. */
  rankCorrelation: number | null;
}

/** One combination of hyper-parameters. */
export interface GridRow {
  trees: number;
  samples: number;
  contamination: number;
  features: string[];
  /** Of two forests from different halves and seeds: rank correlation of the scores, Cohen's kappa of what they flag; 1 is the same. */
  rankAgreement: number;
  flagAgreement: number;
  /** Mean of the two. */
  stability: number;
  /** By windows; null without truth. */
  precision: number | null;
  recall: number | null;
  f1: number | null;
}

export interface GridTable {
  /** Best first. */
  rows: GridRow[];
  /** The one that was kept: the cheapest of those that are equally good. */
  best: GridRow;
}
