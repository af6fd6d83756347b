import { isoTime } from '../lib/clock.ts';
import { createPrng } from '../lib/prng.ts';
import type { Anomaly, Attribution, Signal } from '../model/anomaly.ts';
import type { Change, Incident } from '../model/incident.ts';
import type { Feature } from '../model/rollup.ts';
import { reportConfigSchema } from './config.ts';
import { MemoryStore } from './store.fixture.ts';
import type { StoredEvent } from './store.fixture.ts';

/** 2025-10-08T10:30:40Z, the onset of every scenario: on the 10 s grid, off the minute's. */
export const ONSET_MS = Date.UTC(2025, 9, 8, 10, 30, 40);
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const testConfig = reportConfigSchema.parse({});

/** What a service does in a stretch of time. */
export interface Behaviour {
  service: string;
  fromMs: number;
  toMs: number;
  perSecond: number;
  errorRate: number;
  /** Absent: its events carry no latency. */
  latencyMs?: number;
  endpoints?: string[];
  /** Of failing events; numbers in it are its placeholders. */
  message: string;
  template: string;
  /** Endpoint of failing events. */
  failingEndpoint?: string;
}

/** Evenly spaced events with seeded outcomes, ascending by time within each behaviour. */
export function eventsOf(behaviours: Behaviour[], seed = 7): StoredEvent[] {
  const prng = createPrng(seed);
  return behaviours
    .flatMap((behaviour) => {
      const { service, fromMs, toMs, perSecond, errorRate, latencyMs, endpoints, failingEndpoint } = behaviour;
      const events: StoredEvent[] = [];
      for (let ms = fromMs; ms < toMs; ms += SECOND / perSecond) {
        const failed = prng.next() < errorRate;
        const endpoint = failed && failingEndpoint ? failingEndpoint : endpoints?.[prng.below(endpoints.length)];
        events.push({
          ms: Math.floor(ms),
          service,
          level: failed ? 'ERROR' : 'INFO',
          message: failed ? behaviour.message : 'request served',
          template: failed ? behaviour.template : 'request served',
          ...(latencyMs !== undefined && { latencyMs: latencyMs * (0.5 + prng.exponential() / 2) }),
          ...(endpoint !== undefined && { endpoint }),
        });
      }
      return events;
    })
    .toSorted((a, b) => a.ms - b.ms);
}

export function attribution(feature: Feature, expected: number, observed: number, share = 0.6): Attribution {
  const direction = observed >= expected ? 'up' : 'down';
  return { feature, direction, expected, low: expected * 0.7, high: expected * 1.4, observed, share };
}

export function anomaly(id: string, service: string, signal: Signal, changed: Partial<Anomaly> = {}): Anomaly {
  return {
    id,
    service,
    signal,
    state: 'firing',
    startedAt: isoTime(ONSET_MS),
    detectedAt: isoTime(ONSET_MS + 20 * SECOND),
    resolvedAt: null,
    stage: 'trained',
    severity: 'high',
    score: 0.93,
    rawScore: -0.74,
    attribution: [],
    window: { from: isoTime(ONSET_MS), to: isoTime(ONSET_MS + MINUTE) },
    baseline: {
      from: isoTime(ONSET_MS - 60 * MINUTE),
      to: isoTime(ONSET_MS),
      description: 'its own history of the 60 min before',
    },
    incidentId: 'in-1',
    ...changed,
  };
}

export function incidentOf(anomalies: Anomaly[], changed: Partial<Incident> = {}): Incident {
  const causes = anomalies.map(({ id, service, signal }, i) => ({
    rank: i + 1,
    service,
    signal,
    reason: `${service} deviated${i === 0 ? ' first' : ' later'}: ${signal.replace('_', ' ')}.`,
    evidence: [id],
  }));
  return {
    id: 'in-1',
    status: 'open',
    severity: 'high',
    title: `${anomalies[0]?.service}: ${anomalies[0]?.signal}`,
    startedAt: isoTime(ONSET_MS),
    detectedAt: isoTime(ONSET_MS + 20 * SECOND),
    updatedAt: isoTime(ONSET_MS + 3 * MINUTE),
    acknowledgedAt: null,
    acknowledgedBy: null,
    resolvedAt: null,
    services: [...new Set(anomalies.map(({ service }) => service))],
    causes,
    anomalyIds: anomalies.map(({ id }) => id),
    mergedInto: null,
    ...changed,
  };
}

export function change(id: string, service: string, beforeMs: number, changed: Partial<Change> = {}): Change {
  return {
    id,
    at: isoTime(ONSET_MS - beforeMs),
    service,
    type: 'deployment',
    version: 'v2.4.1',
    previousVersion: 'v2.4.0',
    description: '',
    source: 'api',
    ...changed,
  };
}

export interface Scenario {
  store: MemoryStore;
  incident: Incident;
}

export function scenario(
  events: StoredEvent[],
  anomalies: Anomaly[],
  changes: Change[],
  changed: Partial<Incident> = {},
): Scenario {
  const store = new MemoryStore();
  const incident = incidentOf(anomalies, changed);
  store.events_ = events;
  store.documents.anomaly = anomalies;
  store.documents.incident = [incident];
  store.documents.change = changes;
  return { store, incident };
}

const CART = { message: 'cart item 4711 not found', template: 'cart item <num> not found' };
const TIMEOUT = {
  message: 'payment 90412 failed: connection pool exhausted after 5000 ms',
  template: 'payment <num> failed: connection pool exhausted after <num> ms',
};

let deploymentEvents: StoredEvent[] | undefined;

function eventsOfDeployment(): StoredEvent[] {
  const from = ONSET_MS - 25 * MINUTE;
  const end = ONSET_MS + 4 * MINUTE;
  const payment = { service: 'payment', perSecond: 10, endpoints: ['/pay', '/refund'] };
  const checkout = { service: 'checkout', perSecond: 10, endpoints: ['/checkout'], latencyMs: 80, ...CART };
  return eventsOf([
    { ...payment, ...CART, fromMs: from, toMs: ONSET_MS, errorRate: 0.004, latencyMs: 40 },
    { ...payment, ...TIMEOUT, fromMs: ONSET_MS, toMs: end, errorRate: 0.25, latencyMs: 400, failingEndpoint: '/pay' },
    { ...checkout, fromMs: from, toMs: ONSET_MS + 30 * SECOND, errorRate: 0.003 },
    { ...checkout, fromMs: ONSET_MS + 30 * SECOND, toMs: end, errorRate: 0.1, failingEndpoint: '/checkout' },
  ]);
}

/** A deployment of payment breaks it at the onset; checkout, which calls it, fails 30 s later. */
export function badDeployment(changed: Partial<Incident> = {}): Scenario {
  const events = (deploymentEvents ??= eventsOfDeployment());
  const later = isoTime(ONSET_MS + 30 * SECOND);
  const anomalies = [
    anomaly('an-1', 'payment', 'error_rate', {
      attribution: [attribution('error_rate', 0.004, 0.25), attribution('p95_latency', 90, 800, 0.3)],
    }),
    anomaly('an-2', 'checkout', 'error_rate', {
      startedAt: later,
      detectedAt: isoTime(ONSET_MS + 50 * SECOND),
      attribution: [attribution('error_rate', 0.003, 0.1)],
    }),
  ];
  const changes = [
    change('ch-1', 'payment', 3 * MINUTE + 12 * SECOND, { description: 'Pool size from 50 to 5' }),
    change('ch-2', 'search', 2 * 60 * MINUTE, { version: 'v9', previousVersion: null }),
    change('ch-3', 'checkout', 20 * 60 * MINUTE, { type: 'configuration', version: null, previousVersion: null }),
  ];
  return scenario(events, anomalies, changes, changed);
}

/** Traffic stops at the onset: no errors, no latency, no change. */
export function silence(): Scenario {
  const quiet = { service: 'prod/shop/mailer', perSecond: 4, errorRate: 0, ...CART };
  const other = { service: 'search', perSecond: 4, errorRate: 0, ...CART };
  const events = eventsOf([
    { ...quiet, fromMs: ONSET_MS - 20 * MINUTE, toMs: ONSET_MS },
    { ...other, fromMs: ONSET_MS - 20 * MINUTE, toMs: ONSET_MS + 4 * MINUTE },
  ]);
  const expected = attribution('event_count', 240, 0, 1);
  return scenario(events, [anomaly('an-1', 'prod/shop/mailer', 'silence', { attribution: [expected] })], []);
}

/** Five times the traffic, over after five minutes; the second time in a week. */
export function surge(): Scenario {
  const web = { service: 'web', errorRate: 0.01, latencyMs: 20, endpoints: ['/', '/search'], ...CART };
  const end = ONSET_MS + 5 * MINUTE;
  const events = eventsOf([
    { ...web, perSecond: 4, fromMs: ONSET_MS - 20 * MINUTE, toMs: ONSET_MS },
    { ...web, perSecond: 20, fromMs: ONSET_MS, toMs: end },
    { ...web, perSecond: 4, fromMs: end, toMs: end + 2 * MINUTE },
  ]);
  const over: Partial<Anomaly> = {
    state: 'resolved',
    resolvedAt: isoTime(end),
    attribution: [attribution('event_count', 240, 1200, 0.9)],
  };
  const resolvedAt = isoTime(end + MINUTE);
  const found = scenario(events, [anomaly('an-1', 'web', 'traffic', over)], [], {
    status: 'resolved',
    resolvedAt,
    updatedAt: resolvedAt,
  });
  const pastMs = ONSET_MS - 3 * 24 * 60 * MINUTE;
  found.store.documents.incident.push({
    ...found.incident,
    id: 'in-0',
    startedAt: isoTime(pastMs),
    resolvedAt: isoTime(pastMs + 12 * MINUTE),
  });
  return found;
}

/** A service just seen, with almost nothing known of it: seconds old, no baseline, no changes, no endpoints. */
export function poorData(): Scenario {
  const young = { service: 'new-service', perSecond: 2, ...CART };
  const events = eventsOf([{ ...young, fromMs: ONSET_MS - 30 * SECOND, toMs: ONSET_MS + 20 * SECOND, errorRate: 0 }]);
  const detected = isoTime(ONSET_MS + 10 * SECOND);
  const window = { from: isoTime(ONSET_MS), to: detected };
  const anomalies = [anomaly('an-1', 'new-service', 'multivariate', { stage: 'warming_up', detectedAt: detected, window })];
  return scenario(events, anomalies, [], { detectedAt: detected, updatedAt: detected });
}
