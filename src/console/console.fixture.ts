import type { FastifyInstance } from 'fastify';
import { ManualClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { silentLogger } from '../lib/logger.ts';
import { silentMetrics } from '../lib/metrics.ts';
import { redactionConfigSchema } from '../lib/redaction/config.ts';
import { createRedactor } from '../lib/redaction/redactor.ts';
import type { AccessRole, Authorize } from '../model/access.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { ClientReport } from '../model/client.ts';
import type { Change, Incident } from '../model/incident.ts';
import type { GridRow, GridTable, ModelComparison, ModelRecord, ModelVerdicts } from '../model/model-record.ts';
import type { Report } from '../model/report.ts';
import type { MetricStore } from '../store/metric-store.ts';
import type { Documents, Store } from '../store/store.ts';
import { MemoryRecords } from '../store/record-store.fixture.ts';
import { consoleConfigSchema } from './config.ts';
import { createConsole } from './console.ts';
import { stubFeedback } from './feedback.fixture.ts';
import type { ConsoleDependencies, ModelService } from './dependencies.ts';
import { mcpConfigSchema } from './mcp/config.ts';
import { stubSimulations, type Calls } from './simulation.fixture.ts';
import { stubSpending } from './spending.fixture.ts';
import { StreamHub } from './stream-hub.ts';

/** 2025-10-08T10:30:00Z, when every test begins. */
export const NOW_MS = Date.UTC(2025, 9, 8, 10, 30);
const AT = '2025-10-08T10:00:00.000Z';

export const sampleAnomaly: Anomaly = {
  id: 'ano-1',
  service: 'prod/shop/payment',
  signal: 'latency',
  state: 'firing',
  startedAt: AT,
  detectedAt: AT,
  resolvedAt: null,
  stage: 'baseline',
  severity: 'high',
  score: 0.9,
  rawScore: -0.8,
  attribution: [{ feature: 'p95_latency', direction: 'up', expected: 80, low: 60, high: 110, observed: 900, share: 0.7 }],
  window: { from: AT, to: AT },
  baseline: { from: AT, to: AT, description: 'the hour before' },
  incidentId: 'inc-1',
};

export const sampleIncident: Incident = {
  id: 'inc-1',
  status: 'open',
  severity: 'high',
  title: 'payment is slow',
  startedAt: AT,
  detectedAt: AT,
  updatedAt: AT,
  acknowledgedAt: null,
  acknowledgedBy: null,
  resolvedAt: null,
  services: ['prod/shop/payment', 'cart'],
  causes: [{ rank: 1, service: 'prod/shop/payment', signal: 'latency', reason: 'It was first.', evidence: ['ano-1'] }],
  anomalyIds: ['ano-1'],
  mergedInto: null,
};

export const sampleChange: Change = {
  id: 'chg-1',
  at: AT,
  service: 'cart',
  type: 'deployment',
  version: '1.2.0',
  previousVersion: '1.1.0',
  description: '',
  source: 'api',
};

export const sampleReport: Report = {
  incidentId: 'inc-1',
  version: 1,
  phase: 'facts',
  verdict: 'LIKELY',
  createdAt: AT,
  sections: {
    summary: 'Slow.',
    impactAssessment: 'Some.',
    rootCauseAnalysis: 'Unknown.',
    recommendedActions: { immediate: ['Look.'], shortTerm: [], longTerm: [] },
  },
  timeline: [{ at: AT, text: 'It began.', evidence: ['E1'] }],
  evidence: [
    {
      id: 'E1',
      type: 'metric',
      service: 'cart',
      feature: 'p95_latency',
      value: 900,
      unit: 'ms',
      from: AT,
      to: AT,
      query: '/api/v1/metrics?service=cart',
      pointer: '/series/0/points/0/1',
    },
  ],
  costUsd: 0,
  markdown: '# payment is slow\n',
};

export const sampleModel: ModelRecord = {
  version: 'v1',
  service: 'cart',
  state: 'active',
  model: 'isolation_forest',
  trainedAt: AT,
  trainedFrom: AT,
  trainedTo: AT,
  features: ['event_count'],
  parameters: { nEstimators: 100, maxSamples: 256, contamination: 0.05, seed: 1, windowMs: 300_000 },
  offset: -0.5,
  dataHash: 'ab'.repeat(32),
  excludedWindows: 4,
  metrics: { trainingWindows: 300, scoreMin: -0.7, scoreMedian: -0.4, scoreMax: -0.3, flaggedShare: 0.05 },
};

const sampleRow: GridRow = {
  trees: 50,
  samples: 128,
  contamination: 0.05,
  features: ['event_count'],
  rankAgreement: 0.9,
  flagAgreement: 0.7,
  stability: 0.8,
  precision: null,
  recall: null,
  f1: null,
};

export const sampleGrid: GridTable = { rows: [sampleRow], best: sampleRow };

const sampleVerdicts: ModelVerdicts = {
  version: 'v1',
  flagged: 5,
  flaggedShare: 0.05,
  quantiles: { p01: -0.7, p05: -0.6, p50: -0.4, p95: -0.35 },
  precision: 0.5,
  recall: null,
};

export const sampleComparison: ModelComparison = {
  service: 'cart',
  from: AT,
  to: AT,
  windows: 100,
  versions: [sampleVerdicts, { ...sampleVerdicts, version: 'v2' }],
  agreement: 0.99,
  bothFlagged: 4,
  rankCorrelation: 0.95,
};

export const sampleClient: ClientReport = {
  client: 'shop-writer',
  peer: null,
  firstSeen: AT,
  lastSeen: AT,
  requests: 3,
  accepted: 2,
  bytes: 400,
  rejected: 1,
  rejectedBy: [{ field: 'level', reason: 'is required', count: 1 }],
  refused: [{ code: 'rate_limited', count: 1 }],
  lastErrors: [{ door: 'http', at: AT, code: 'rate_limited', message: 'cannot take the request: the client is over its rate' }],
  inFlight: 0,
  heldBytes: 0,
};

/** Answers the samples to everything, and notes the questions. */
export function stubStore(calls: Calls): Store {
  const documents: Documents = { anomaly: sampleAnomaly, incident: sampleIncident, change: sampleChange, report: sampleReport };
  const ids = { anomaly: 'ano-1', incident: 'inc-1', change: 'chg-1', report: 'inc-1' };
  const note = <T>(name: string, answer: T, ...args: unknown[]): Promise<T> => {
    calls.push([name, ...args]);
    return Promise.resolve(answer);
  };
  const seen = { firstSeen: AT, lastSeen: AT };
  const event = {
    timestamp: AT,
    service: 'cart',
    level: 'ERROR' as const,
    message: 'no',
    metadata: { latency_ms: 5 },
    trace_id: 'ab',
  };
  return {
    services: (query) => note('services', [{ service: 'cart', ...seen, eventCount: 2, errorCount: 1 }], query),
    metrics: (query) =>
      note(
        'metrics',
        {
          stepMs: query.stepMs,
          series: [{ name: 'error_rate', labels: { service: 'cart' }, unit: 'ratio', points: [[query.fromMs, 0.5]] }],
        },
        query,
      ),
    events: (query) => note('events', { items: [event], nextCursor: 'next' }, query),
    templates: (query) =>
      note('templates', [{ service: 'cart', templateId: 't', template: 'no <*>', count: 3, ...seen, example: 'no 1' }], query),
    list: (kind, query) => note('list', { items: [documents[kind]], nextCursor: null }, kind, query),
    get: (kind, key) => note('get', key === ids[kind] ? documents[kind] : undefined, kind, key),
    put: (kind, document) => note('put', undefined, kind, document),
    models: {
      list: () => note('models.list', [sampleModel]),
      get: (version) => note('models.get', undefined, version),
      add: () => note('models.add', 'v1'),
      activate: (version) => note('models.activate', sampleModel, version),
      rollBack: (service) => note('models.rollBack', sampleModel, service),
    },
    records: new MemoryRecords(),
    rollups: (query) => note('rollups', [], query),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const SAMPLE_SERIES = {
  name: 'queue.depth',
  kind: 'gauge',
  unit: '1',
  service: 'cart',
  environment: 'prod',
  namespace: '',
  labels: { queue: 'a' },
} as const;

function stubMetricStore(calls: Calls): MetricStore {
  return {
    series: (query) => {
      calls.push(['series', query]);
      const isKnown = !query.names?.some((name) => name !== SAMPLE_SERIES.name);
      return Promise.resolve({ items: isKnown ? [{ ...SAMPLE_SERIES, firstSeen: AT, lastSeen: AT }] : [], nextCursor: null });
    },
    points: (query) => {
      calls.push(['points', query]);
      return Promise.resolve([
        {
          key: SAMPLE_SERIES,
          unit: '1',
          points: [
            [query.fromMs, 3],
            [query.fromMs + 1, NaN],
          ],
        },
      ]);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function stubModels(calls: Calls): ModelService {
  const note = <T>(name: string, answer: T, ...args: unknown[]): Promise<T> => {
    calls.push([name, ...args]);
    return Promise.resolve(answer);
  };
  const { version, service, state, trainedAt, metrics } = sampleModel;
  const contributions = [{ feature: 'event_count' as const, share: 1 }];
  return {
    train: (request) => note('train', { models: [sampleModel], grid: request.grid ? sampleGrid : null }, request),
    predict: (request) =>
      note('predict', { version, service, score: -0.7, isAnomaly: true, threshold: -0.6, contributions }, request),
    list: () => note('models', [sampleModel]),
    metrics: () => note('modelMetrics', [{ version, service, state, trainedAt, ...metrics }]),
    activate: (name) => note('activate', sampleModel, name),
    rollBack: (name) => note('rollBack', sampleModel, name),
    compare: (request) => note('compare', sampleComparison, request),
  };
}

/** Keys named after their role; `cart-responder` may speak for cart only. */
export const keyedAuthorize: Authorize = (headers, role) => {
  const key = headers['x-api-key'];
  if (typeof key !== 'string') throw new HeliosError('unauthenticated', 'cannot take the request: no API key');
  const held: AccessRole = key === 'cart-responder' ? 'respond' : (key as AccessRole);
  if (held !== role && held !== 'admin') throw new HeliosError('forbidden', `cannot take the request: it needs the role ${role}`);
  return { id: key, services: key === 'cart-responder' ? (service) => service === 'cart' : null };
};

export interface Fixture extends AsyncDisposable {
  app: FastifyInstance;
  calls: Calls;
  clock: ManualClock;
  stream: StreamHub;
}

/** An application over stubs, with any dependency replaced. Open to all unless `authorize` is given. */
export async function createFixture(changed: Partial<ConsoleDependencies> = {}): Promise<Fixture> {
  const calls: Calls = [];
  const clock = new ManualClock(NOW_MS);
  const stream = new StreamHub({ startMs: NOW_MS });
  const respond =
    (verb: string) =>
    (id: string, by: string): Promise<Incident | undefined> => {
      calls.push([verb, id, by]);
      return Promise.resolve(id === 'inc-1' ? sampleIncident : undefined);
    };
  const app = await createConsole({
    store: stubStore(calls),
    metricStore: stubMetricStore(calls),
    authorize: () => ({ id: '', services: null }),
    clock,
    logger: silentLogger,
    metrics: silentMetrics,
    config: consoleConfigSchema.parse({}),
    version: '1.2.3',
    control: {
      acknowledge: respond('acknowledge'),
      resolve: respond('resolve'),
      decideNewNormal: (id, decision, by) => respond(decision)(id, by),
      recordChange: (change) => {
        calls.push(['recordChange', change]);
        return Promise.resolve();
      },
    },
    models: stubModels(calls),
    simulations: stubSimulations(calls),
    clients: {
      list: (query) => {
        calls.push(['clients', query]);
        return { items: [sampleClient], nextCursor: '100' };
      },
    },
    feedback: stubFeedback(calls),
    spending: stubSpending(calls),
    slack: { signingSecrets: () => [], onAction: () => Promise.resolve() },
    mcp: { config: mcpConfigSchema.parse({}), redactor: createRedactor(redactionConfigSchema.parse({})) },
    readiness: () => ({ ready: true, reasons: [] }),
    renderMetrics: () => Promise.resolve('helios_up 1\n'),
    stream,
    ...changed,
  });
  return { app, calls, clock, stream, [Symbol.asyncDispose]: () => app.close() };
}
