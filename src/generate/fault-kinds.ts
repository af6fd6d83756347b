import type { ConditionKind, ConditionMoment } from './condition.ts';
import { amount } from './condition.ts';
import type { Fleet } from './fleet.ts';
import { spreadCascade, loseZone, zoneCompanions } from './fault-effects.ts';
import { FAULT_MESSAGES } from './messages.ts';
import { logUniform } from './random-field.ts';

const anyService = (): boolean => true;
/** Services that spend enough time themselves for a slowdown of it to be one of theirs. */
export const working = (fleet: Fleet, service: number): boolean => (fleet.services[service]?.ownShare ?? 0) >= 0.3;
/** Services inside the fleet: they have callers. */
const inner = (_fleet: Fleet, service: number): boolean => service > 0;

function multiply(moment: ConditionMoment, name: string): void {
  moment.target.latencyFactor *= amount(moment.condition, name);
}

function addErrors({ target, condition }: ConditionMoment, messages: keyof typeof FAULT_MESSAGES, share = 1): void {
  target.errorRate += amount(condition, 'errorRate') * share;
  target.errorMessages = FAULT_MESSAGES[messages];
}

/** Faults by name; docs/generator.md states their distributions in words. Rates are shares of requests. */
export const FAULT_KINDS = {
  bad_deployment: {
    description: 'a release with a bug: errors, and in three of ten also latency, until it is rolled back',
    durationMinutes: [5, 30],
    suits: anyService,
    draw: (size, next) => ({
      errorRate: logUniform(size, 0.03, 0.5),
      latencyFactor: next() < 0.3 ? logUniform(next(), 1.3, 3) : 1,
    }),
    apply(moment) {
      addErrors(moment, 'bad_deployment');
      multiply(moment, 'latencyFactor');
    },
    deployment: 'rollback',
  },
  latency_increase: {
    description: 'every endpoint of a service becomes slower at once',
    durationMinutes: [5, 30],
    suits: working,
    draw: (size) => ({ latencyFactor: logUniform(size, 1.3, 8) }),
    apply: (moment) => multiply(moment, 'latencyFactor'),
  },
  slow_burn: {
    description: 'a service becomes slower in a straight line, then stays slow',
    durationMinutes: [30, 90],
    suits: working,
    draw: (size) => ({ finalLatencyFactor: logUniform(size, 1.5, 6) }),
    apply({ target, condition, progress }) {
      target.latencyFactor *= 1 + (amount(condition, 'finalLatencyFactor') - 1) * Math.min(1, progress / 0.7);
    },
  },
  tail_latency: {
    description: 'a small share of the requests is much slower: the p99 moves, the p95 does not',
    durationMinutes: [8, 40],
    suits: working,
    draw: (size, next) => ({ tailFactor: logUniform(size, 5, 40), tailShare: 0.012 + 0.018 * next() }),
    apply({ target, condition }) {
      target.tailFactor = amount(condition, 'tailFactor');
      target.tailShare = amount(condition, 'tailShare');
    },
  },
  error_burst: {
    description: 'a share of all requests of a service fails',
    durationMinutes: [3, 20],
    suits: anyService,
    draw: (size) => ({ errorRate: logUniform(size, 0.03, 0.6) }),
    apply: (moment) => addErrors(moment, 'error_burst'),
  },
  dependency_timeout: {
    description: 'a share of the requests of a service hangs past its callers timeout: they fail, it is only slow',
    durationMinutes: [4, 25],
    suits: inner,
    draw: (size) => ({ hangShare: logUniform(size, 0.05, 0.9) }),
    apply({ target, condition }) {
      target.hangShare = Math.max(target.hangShare, amount(condition, 'hangShare'));
    },
  },
  cascade: {
    description: 'a service becomes slow, and exhausts the pools of its callers, then of theirs',
    durationMinutes: [8, 30],
    suits: inner,
    draw: (size, next) => ({
      latencyFactor: logUniform(size, 4, 20),
      errorRate: logUniform(next(), 0.02, 0.2),
      spreadRate: 0.1 + 0.4 * next(),
      lagSeconds: 30 + 60 * next(),
    }),
    apply(moment) {
      multiply(moment, 'latencyFactor');
      addErrors(moment, 'cascade');
      spreadCascade(moment);
    },
  },
  traffic_drop: {
    description: 'most of the requests to a service no longer arrive',
    durationMinutes: [5, 30],
    suits: anyService,
    draw: (size) => ({ remainingShare: 0.7 - 0.65 * size }),
    apply({ state, target, condition }) {
      const remaining = amount(condition, 'remainingShare');
      if (condition.service === 0) state.trafficFactor *= remaining;
      else target.callFactor *= remaining;
    },
  },
  traffic_surge: {
    description: 'more users than a service can bear: traffic, latency and errors rise together',
    durationMinutes: [5, 25],
    suits: anyService,
    draw: (size, next) => ({
      trafficFactor: 1.8 + 3.2 * size,
      latencyFactor: 2 + 4 * size,
      errorRate: logUniform(next(), 0.02, 0.2),
    }),
    apply(moment) {
      moment.state.trafficFactor *= amount(moment.condition, 'trafficFactor');
      multiply(moment, 'latencyFactor');
      addErrors(moment, 'traffic_surge');
    },
  },
  silence: {
    description: 'a service crashes: it refuses connections and emits nothing',
    durationMinutes: [3, 20],
    suits: anyService,
    draw: () => ({ size: 1 }),
    apply({ target }) {
      target.refusedShare = 1;
    },
  },
  zone_loss: {
    description: 'a share of the instances of a service and of some beside it is gone; the others bear its load',
    durationMinutes: [8, 40],
    suits: inner,
    draw: (size, next) => ({
      lostShare: 0.25 + 0.42 * size,
      utilisation: 0.35 + 0.35 * next(),
      noticeSeconds: 20 + 40 * next(),
      companions: Math.floor(3 * next()),
    }),
    companions: zoneCompanions,
    apply: loseZone,
  },
  memory_leak: {
    description: 'latency and pauses grow exponentially, errors in the last third, then the process is killed and starts anew',
    durationMinutes: [20, 60],
    suits: anyService,
    draw: (size, next) => ({
      finalLatencyFactor: logUniform(size, 2, 10),
      errorRate: logUniform(next(), 0.02, 0.2),
      restartSeconds: 5 + 15 * next(),
    }),
    apply(moment) {
      const { target, condition, progress, nowMs } = moment;
      target.latencyFactor *= amount(condition, 'finalLatencyFactor') ** progress;
      target.tailFactor = 5;
      target.tailShare = 0.1 * progress * progress;
      if (progress > 2 / 3) addErrors(moment, 'memory_leak', 3 * progress - 2);
      if (condition.endMs - nowMs <= amount(condition, 'restartSeconds') * 1000) target.refusedShare = 1;
    },
  },
  endpoint_outage: {
    description: 'one endpoint of a service fails or is slow, the others are well',
    durationMinutes: [4, 25],
    suits: (fleet, service) => (fleet.services[service]?.endpoints.filter(({ visits }) => visits > 0).length ?? 0) > 1,
    draw(size, next, works) {
      const endpointDraw = next();
      if (next() < 0.4 && works) return { latencyFactor: logUniform(size, 3, 15), errorRate: 0, endpointDraw };
      return { errorRate: 0.4 + 0.6 * size, latencyFactor: 1, endpointDraw };
    },
    apply({ fleet, target, condition }) {
      const endpoints = fleet.services[condition.service]?.endpoints ?? [];
      const visited = endpoints.filter(({ visits }) => visits > 0);
      const chosen = visited[Math.floor(amount(condition, 'endpointDraw') * visited.length)];
      target.failingEndpoint = chosen ? endpoints.indexOf(chosen) : -1;
      target.endpointErrorRate = amount(condition, 'errorRate');
      target.endpointLatencyFactor = amount(condition, 'latencyFactor');
      target.errorMessages = FAULT_MESSAGES.endpoint_outage;
    },
  },
  retry_storm: {
    description: 'a service fails now and then, its callers repeat up to three times and so make it slower',
    durationMinutes: [4, 20],
    suits: inner,
    draw: (size, next) => ({ errorRate: logUniform(size, 0.1, 0.6), latencyFactor: 1.2 + 2 * next() }),
    apply(moment) {
      addErrors(moment, 'retry_storm');
      multiply(moment, 'latencyFactor');
      moment.target.retries = 3;
    },
  },
  bad_config: {
    description: 'a configuration change without a new version: errors and warnings',
    durationMinutes: [4, 25],
    suits: anyService,
    draw: (size) => ({ errorRate: logUniform(size, 0.05, 0.6) }),
    apply(moment) {
      addErrors(moment, 'bad_config');
      moment.target.warnShare = 0.2;
    },
  },
} satisfies Record<string, ConditionKind>;

export type FaultName = keyof typeof FAULT_KINDS;
export const FAULT_NAMES = Object.keys(FAULT_KINDS) as FaultName[];

export function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(FAULT_KINDS, name);
}
