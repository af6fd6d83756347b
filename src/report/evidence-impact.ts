import type { Signal } from '../model/anomaly.ts';
import { productFact } from './evidence-derived.ts';
import { beforeValue, windowValue, worstValue } from './evidence-metrics.ts';
import { lastEventFact, sampleFacts } from './evidence-sample.ts';
import type { SampleFacts } from './evidence-sample.ts';
import type { Fact, NumberFact } from './evidence.ts';
import type { Patience } from './patience.ts';
import type { Period } from './period.ts';
import type { EvidenceStore } from './query.ts';

/** Services whose events are looked at. */
const MAX_SAMPLED = 3;

/** Events of a stretch, the share of them that failed, and how many that is. */
export interface CountFacts {
  events: NumberFact;
  errorRate: NumberFact;
  failed: NumberFact;
}

/** How hard one service is hit. Counts are over the whole incident, `before` over the stretch before it. */
export interface ImpactFacts {
  service: string;
  during: CountFacts | undefined;
  before: CountFacts | undefined;
  /** Events before, also where there are none, whose error rate is not known; undefined when the store does not know the service. */
  eventsBefore: NumberFact | undefined;
  eventsDuring: NumberFact | undefined;
  /** 95th percentile of latency, milliseconds: before, and in the worst bucket of the incident. */
  latencyBefore: NumberFact | undefined;
  latencyWorst: NumberFact | undefined;
  sample: SampleFacts | undefined;
  lastEvent: Fact | undefined;
}

/** Whether there is no event of the service, neither before nor during the incident. */
export function isUnknown({ eventsBefore, eventsDuring }: ImpactFacts): boolean {
  return (eventsBefore?.value ?? 0) === 0 && (eventsDuring?.value ?? 0) === 0;
}

interface Counted {
  events: NumberFact | undefined;
  counts: CountFacts | undefined;
}

async function countedFacts(store: EvidenceStore, service: string, fromMs: number, toMs: number): Promise<Counted> {
  const [events, errorRate] = await Promise.all([
    windowValue(store, { service, feature: 'event_count', fromMs, toMs }),
    windowValue(store, { service, feature: 'error_rate', fromMs, toMs }),
  ]);
  const failed = events && errorRate && productFact(errorRate, { ...events, unit: 'events' });
  return { events, counts: failed && { events, errorRate, failed } };
}

/** An affected service, and how it shows. */
export interface AffectedService {
  service: string;
  signals: ReadonlySet<Signal>;
}

/** Impact on the given services, in their order; silent ones are asked for their last event. */
export async function impactFacts(
  store: EvidenceStore,
  services: readonly AffectedService[],
  period: Period,
  patience: Patience,
): Promise<ImpactFacts[]> {
  const { onsetMs, endMs, before } = period;
  return Promise.all(
    services.map(async ({ service, signals }, i) => {
      const isSlow = signals.has('latency') && !signals.has('error_rate');
      const [during, earlier, latencyBefore, latencyWorst, sample, lastEvent] = await Promise.all([
        countedFacts(store, service, onsetMs, endMs),
        countedFacts(store, service, before.fromMs, before.toMs),
        beforeValue(store, service, 'p95_latency', period),
        worstValue(store, { service, feature: 'p95_latency', direction: 'up', period }),
        i < MAX_SAMPLED ? sampleFacts(store, service, isSlow, { period, patience }) : undefined,
        signals.has('silence') ? patience(lastEventFact(store, service, period)) : undefined,
      ]);
      return {
        service,
        during: during.counts,
        before: earlier.counts,
        eventsBefore: earlier.events,
        eventsDuring: during.events,
        latencyBefore,
        latencyWorst,
        sample,
        lastEvent,
      };
    }),
  );
}
