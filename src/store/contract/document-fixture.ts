/** Documents and models for the store's tests. */
import { isoTime } from '../../lib/clock.ts';
import type { Anomaly } from '../../model/anomaly.ts';
import type { Change, Incident } from '../../model/incident.ts';
import type { StoredModel } from '../../model/model-record.ts';
import type { Report } from '../../model/report.ts';

export function anomalyOf(id: string, startedAtMs: number, service = 'cart'): Anomaly {
  const startedAt = isoTime(startedAtMs);
  return {
    id,
    service,
    signal: 'latency',
    state: 'firing',
    startedAt,
    detectedAt: startedAt,
    resolvedAt: null,
    stage: 'baseline',
    severity: 'high',
    score: 0.9,
    rawScore: null,
    attribution: [],
    window: { from: startedAt, to: startedAt },
    baseline: { from: startedAt, to: startedAt, description: 'the hour before' },
    incidentId: null,
  };
}

export function incidentOf(id: string, startedAtMs: number, services: string[]): Incident {
  const startedAt = isoTime(startedAtMs);
  return {
    id,
    status: 'open',
    severity: 'high',
    title: `latency of ${services.join(', ')}`,
    startedAt,
    detectedAt: startedAt,
    updatedAt: startedAt,
    acknowledgedAt: null,
    acknowledgedBy: null,
    resolvedAt: null,
    services,
    causes: [],
    anomalyIds: [],
    mergedInto: null,
  };
}

export function changeOf(id: string, atMs: number, service = 'cart'): Change {
  return {
    id,
    at: isoTime(atMs),
    service,
    type: 'deployment',
    version: '2.0.0',
    previousVersion: '1.9.0',
    description: 'a deployment',
    source: 'api',
  };
}

export function reportOf(incidentId: string, version: number, createdAtMs: number): Report {
  const recommendedActions = { immediate: [], shortTerm: [], longTerm: [] };
  return {
    incidentId,
    version,
    phase: 'facts',
    verdict: 'LIKELY',
    createdAt: isoTime(createdAtMs),
    sections: { summary: 's', impactAssessment: 'i', rootCauseAnalysis: 'r', recommendedActions },
    timeline: [],
    evidence: [],
    costUsd: 0,
    markdown: '# Report',
  };
}

export function modelOf(service: string, state: 'active' | 'inactive', trainedAtMs = Date.UTC(2025, 9, 8)): StoredModel {
  const at = isoTime(trainedAtMs);
  return {
    record: {
      version: '',
      service,
      state,
      model: 'isolation_forest',
      trainedAt: at,
      trainedFrom: at,
      trainedTo: at,
      features: ['event_count'],
      parameters: { nEstimators: 100, maxSamples: 256, contamination: 'auto', seed: 1, windowMs: 300_000 },
      offset: -0.5,
      metrics: { trainingWindows: 100, scoreMin: -0.7, scoreMedian: -0.45, scoreMax: -0.4, flaggedShare: 0.01 },
    },
    payload: Buffer.from(`trees of ${service}`),
  };
}
