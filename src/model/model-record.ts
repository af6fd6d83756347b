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
  metrics: { trainingWindows: number; scoreMin: number; scoreMedian: number; scoreMax: number; flaggedShare: number };
}

/** A model with its trees and its scaler, as it is stored. */
export interface StoredModel {
  record: ModelRecord;
  /** Opaque to the store: written and read by detect/. */
  payload: Uint8Array;
}
