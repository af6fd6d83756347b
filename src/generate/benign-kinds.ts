import type { ConditionKind, ConditionMoment } from './condition.ts';
import { amount, ramp } from './condition.ts';
import type { ServiceState } from './fleet-state.ts';
import { logUniform } from './random-field.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Share of the troubles of delivery that concern every service. */
const EVERYWHERE = 0.4;

const entry = (_fleet: unknown, service: number): boolean => service === 0;
const inner = (_fleet: unknown, service: number): boolean => service > 0;

/** The services whose delivery is in trouble. */
function concerned({ state, target, condition }: ConditionMoment): readonly ServiceState[] {
  return amount(condition, 'everywhere') === 1 ? state.services : [target];
}

/** What happens in every healthy fleet and should wake nobody. */
export const BENIGN_KINDS = {
  campaign: {
    description: 'more users than usual for a while, borne without trouble; rises and falls over five minutes',
    durationMinutes: [15, 120],
    suits: entry,
    draw: (size) => ({ trafficFactor: 1.2 + 1.3 * size }),
    apply(moment) {
      moment.state.trafficFactor *= 1 + (amount(moment.condition, 'trafficFactor') - 1) * ramp(moment, 5 * MINUTE_MS);
    },
  },
  cron_peak: {
    description: 'at a full hour a job inside the fleet adds requests to one endpoint of one service',
    durationMinutes: [3, 20],
    suits: inner,
    startsAtMs: HOUR_MS,
    draw: (size) => ({ addedShare: 0.2 + 1.3 * size }),
    apply({ target, condition }) {
      target.jobShare += amount(condition, 'addedShare');
    },
  },
  benign_deployment: {
    description: 'a good release: a new version, caches cold for half a minute',
    durationMinutes: [0.5, 0.5],
    suits: () => true,
    weight: 2,
    draw: (size) => ({ latencyFactor: 1 + 0.2 * size }),
    apply({ target, condition }) {
      target.latencyFactor *= amount(condition, 'latencyFactor');
    },
    deployment: 'stays',
  },
  new_endpoint: {
    description: 'requests of one endpoint move to a new path over ten minutes, and stay there',
    durationMinutes: [10, 10],
    suits: () => true,
    lasts: true,
    draw: (size, next) => ({ movedShare: 0.1 + 0.9 * size, latencyFactor: 0.8 + 0.35 * next(), endpointDraw: next() }),
    apply({ fleet, target, condition, progress }) {
      const endpoints = fleet.services[condition.service]?.endpoints.length ?? 0;
      target.movedEndpoint = Math.floor(amount(condition, 'endpointDraw') * endpoints);
      target.movedShare = amount(condition, 'movedShare') * progress;
      target.movedLatencyFactor = amount(condition, 'latencyFactor');
    },
  },
  holiday: {
    description: 'fewer users for a day, blended over two hours',
    durationMinutes: [24 * 60, 24 * 60],
    suits: entry,
    startsAtMs: DAY_MS,
    background: true,
    weight: 0.2,
    draw: (size) => ({ trafficFactor: 0.75 - 0.35 * size }),
    apply(moment) {
      moment.state.trafficFactor *= 1 + (amount(moment.condition, 'trafficFactor') - 1) * ramp(moment, 2 * HOUR_MS);
    },
  },
  client_retry: {
    description: 'an impatient client repeats a share of the requests a moment later',
    durationMinutes: [5, 20],
    suits: entry,
    draw: (size) => ({ repeatedShare: 0.05 + 0.45 * size }),
    apply({ state, condition }) {
      state.repeatedShare += amount(condition, 'repeatedShare');
    },
  },
  late_events: {
    description: 'an agent is behind: a share of the events of a service, or of all, comes late',
    durationMinutes: [3, 15],
    suits: () => true,
    delays: true,
    draw: (size, next) => ({
      delaySeconds: logUniform(size, 5, 120),
      share: 0.2 + 0.8 * next(),
      everywhere: next() < EVERYWHERE ? 1 : 0,
    }),
    apply(moment) {
      for (const service of concerned(moment)) {
        service.lateShare = amount(moment.condition, 'share');
        service.lateMs = amount(moment.condition, 'delaySeconds') * 1000;
      }
    },
  },
  duplicate_events: {
    description: 'a share of the events of a service, or of all, is delivered twice',
    durationMinutes: [3, 20],
    suits: () => true,
    delays: true,
    draw: (size, next) => ({ share: logUniform(size, 0.02, 0.5), everywhere: next() < EVERYWHERE ? 1 : 0 }),
    apply(moment) {
      for (const service of concerned(moment)) service.duplicateShare = amount(moment.condition, 'share');
    },
  },
  clock_skew: {
    description: 'the clock of a service is wrong',
    durationMinutes: [10, 60],
    suits: () => true,
    draw: (size, next) => ({ skewSeconds: logUniform(size, 0.5, 30) * (next() < 0.5 ? -1 : 1) }),
    apply({ target, condition }) {
      target.skewMs = Math.round(amount(condition, 'skewSeconds') * 1000);
    },
  },
  blip: {
    description: 'a pause of a few seconds: a failover, a full collection',
    durationMinutes: [0.1, 0.3],
    suits: () => true,
    weight: 2,
    draw: (size, next) => ({ latencyFactor: logUniform(size, 1.3, 2.5), errorRate: next() < 0.3 ? 0.03 : 0 }),
    apply({ target, condition }) {
      target.latencyFactor *= amount(condition, 'latencyFactor');
      target.errorRate += amount(condition, 'errorRate');
    },
  },
} satisfies Record<string, ConditionKind>;

export type BenignName = keyof typeof BENIGN_KINDS;
export const BENIGN_NAMES = Object.keys(BENIGN_KINDS) as BenignName[];
