import type { Condition, ConditionMoment } from './condition.ts';
import { amount } from './condition.ts';
import type { Fleet } from './fleet.ts';
import type { ServiceState } from './fleet-state.ts';
import { FAULT_MESSAGES } from './messages.ts';
import { hash32 } from './random-field.ts';

/** Above this utilisation a service sheds load, and this is as slow as load alone makes it. */
const FULL = 0.95;
const MAX_SLOWDOWN = 20;

/**
 * Callers of a slow service run out of workers after a lag, at all their endpoints and in the share in which they depend on it;
 * their callers after two lags and half as much.
 */
export function spreadCascade({ condition, fleet, state, nowMs }: ConditionMoment): void {
  const lagMs = amount(condition, 'lagSeconds') * 1000;
  const elapsedMs = nowMs - condition.startMs;
  if (elapsedMs < lagMs) return;
  const spread = amount(condition, 'spreadRate');
  const direct = fleet.services[condition.service]?.callers ?? [];
  for (const { service, dependence } of direct) {
    exhaust(state.services[service], spread * dependence);
    if (elapsedMs < 2 * lagMs) continue;
    for (const upper of fleet.services[service]?.callers ?? []) {
      exhaust(state.services[upper.service], (spread * dependence * upper.dependence) / 2);
    }
  }
}

function exhaust(service: ServiceState | undefined, rate: number): void {
  if (!service) return;
  service.errorRate += rate;
  service.errorMessages = FAULT_MESSAGES.cascade;
  service.latencyFactor *= 1 + 3 * rate;
}

/** Inner services that stand in the lost zone with the drawn one. */
export function zoneCompanions(condition: Condition, fleet: Fleet): number[] {
  const others = fleet.services.length - 1;
  const companions: number[] = [];
  for (let i = 0; i < Math.min(amount(condition, 'companions'), others - 1); i++) {
    let service = 1 + (hash32(condition.startMs / 1000, i, 61) % others);
    while (service === condition.service || companions.includes(service)) service = 1 + (service % others);
    companions.push(service);
  }
  return companions;
}

/** Until the loss is noticed its share of the calls is refused; then the others bear it, as M/M/1 servers do (Kleinrock, 1975). */
export function loseZone(moment: ConditionMoment): void {
  const { condition, fleet, state, nowMs } = moment;
  const lost = amount(condition, 'lostShare');
  const before = amount(condition, 'utilisation');
  const after = before / (1 - lost);
  const noticed = nowMs - condition.startMs >= amount(condition, 'noticeSeconds') * 1000;
  const slowdown = after < 1 ? Math.min(MAX_SLOWDOWN, (1 - before) / (1 - after)) : MAX_SLOWDOWN;
  for (const index of [condition.service, ...zoneCompanions(condition, fleet)]) {
    const service = state.services[index];
    if (!service) continue;
    if (!noticed) {
      service.refusedShare = lost;
      continue;
    }
    service.latencyFactor *= slowdown;
    if (after <= FULL) continue;
    service.errorRate += 1 - FULL / after;
    service.errorMessages = FAULT_MESSAGES.zone_loss;
  }
}
