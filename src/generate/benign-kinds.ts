import type { ConditionKind } from './condition.ts';
import { amount, ramp } from './condition.ts';
import { logUniform } from './random-field.ts';

/** What happens in every healthy fleet and should wake nobody. */
export const BENIGN_KINDS = {
  benign_surge: {
    description: 'more users than usual for a while, borne without trouble; rises and falls over three minutes',
    durationMinutes: [10, 40],
    suits: (_fleet, service) => service === 0,
    draw: (size) => ({ trafficFactor: 1.15 + 0.35 * size }),
    apply(moment) {
      moment.state.trafficFactor *= 1 + (amount(moment.condition, 'trafficFactor') - 1) * ramp(moment, 180_000);
    },
  },
  benign_deployment: {
    description: 'a good release: a new version, caches cold for half a minute',
    durationMinutes: [0.5, 0.5],
    suits: () => true,
    draw: (size) => ({ latencyFactor: 1 + 0.2 * size }),
    apply({ target, condition }) {
      target.latencyFactor *= amount(condition, 'latencyFactor');
    },
    deployment: 'stays',
  },
  batch_job: {
    description: 'a job inside the fleet adds requests to one endpoint of one service',
    durationMinutes: [3, 12],
    suits: (_fleet, service) => service > 0,
    draw: (size) => ({ addedShare: 0.2 + 0.4 * size }),
    apply({ target, condition }) {
      target.batchShare += amount(condition, 'addedShare');
    },
  },
  blip: {
    description: 'a pause of a few seconds: a failover, a full collection',
    durationMinutes: [0.1, 0.3],
    suits: () => true,
    draw: (size, next) => ({ latencyFactor: logUniform(size, 1.3, 2.5), errorRate: next() < 0.3 ? 0.03 : 0 }),
    apply({ target, condition }) {
      target.latencyFactor *= amount(condition, 'latencyFactor');
      target.errorRate += amount(condition, 'errorRate');
    },
  },
} satisfies Record<string, ConditionKind>;

export type BenignName = keyof typeof BENIGN_KINDS;
export const BENIGN_NAMES = Object.keys(BENIGN_KINDS) as BenignName[];
