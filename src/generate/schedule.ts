import { HeliosError } from '../lib/errors.ts';
import type { Prng } from '../lib/prng.ts';
import { createPrng } from '../lib/prng.ts';
import { BENIGN_KINDS, BENIGN_NAMES } from './benign-kinds.ts';
import type { Condition, ConditionKind, Effect } from './condition.ts';
import type { FaultName } from './fault-kinds.ts';
import { FAULT_KINDS, FAULT_NAMES, working } from './fault-kinds.ts';
import type { Fleet } from './fleet.ts';
import type { FaultPlan, ResolvedOptions } from './generator-options.ts';
import { hash32, logUniform } from './random-field.ts';

const MINUTE_MS = 60_000;
/** Quiet time kept between two faults, and between a fault and anything harmless. */
const SEPARATION_MS = 20 * MINUTE_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MIN_FAULT_MS = 30_000;

const KINDS: Record<string, ConditionKind> = { ...FAULT_KINDS, ...BENIGN_KINDS };

export function kindOf(name: string): ConditionKind {
  return KINDS[name] as ConditionKind;
}

/** Everything that will happen, in order of start: the faults, then harmless things in the gaps between them. */
export function planConditions(options: ResolvedOptions, fleet: Fleet): Condition[] {
  const faults = planFaults(options, fleet, createPrng(hash32(options.seed, 21)));
  const benign = planBenign(options, fleet, faults, createPrng(hash32(options.seed, 22)));
  return [...faults, ...benign].toSorted((a, b) => a.startMs - b.startMs || a.service - b.service);
}

function planFaults(options: ResolvedOptions, fleet: Fleet, prng: Prng): Condition[] {
  const { faults, anomalousShare } = options;
  if (anomalousShare !== undefined) return sharedFaults(options, fleet, prng, anomalousShare * options.durationMs);
  if (faults === undefined) return renewalFaults(options, fleet, prng);
  if (typeof faults === 'number') {
    return slottedFaults(options, fleet, prng, drawKinds(options, prng, faults));
  }
  const [first] = faults;
  if (typeof first === 'string') return slottedFaults(options, fleet, prng, faults as readonly FaultName[]);
  return (faults as readonly FaultPlan[]).map((plan) => plannedFault(plan, fleet, prng));
}

/** Kinds in a shuffled round robin, so that a long list holds each about equally often. */
function drawKinds({ faultKinds }: ResolvedOptions, prng: Prng, count: number): FaultName[] {
  const kinds = faultKinds.length > 0 ? faultKinds : FAULT_NAMES;
  const drawn: FaultName[] = [];
  while (drawn.length < count) {
    const deck = kinds.map((kind) => ({ kind, order: prng.next() })).toSorted((a, b) => a.order - b.order);
    drawn.push(...deck.map(({ kind }) => kind));
  }
  return drawn.slice(0, count);
}

function renewalFaults(options: ResolvedOptions, fleet: Fleet, prng: Prng): Condition[] {
  const endMs = options.startMs + options.durationMs;
  const expected = Math.ceil((3 * options.durationMs) / options.faultGapMs) + 10;
  const faults: Condition[] = [];
  let at = options.startMs + options.warmUpMs;
  for (const kind of drawKinds(options, prng, expected)) {
    at += SEPARATION_MS * (faults.length > 0 ? 1 : 0) + Math.max(0, options.faultGapMs - SEPARATION_MS) * prng.exponential();
    const fault = drawCondition(kind, fleet, prng, at);
    if (fault.endMs > endMs) break;
    faults.push(fault);
    at = fault.endMs;
  }
  return faults;
}

/** One fault in each of as many equal parts of the time after the warm-up, shortened where it must be. */
function slottedFaults(options: ResolvedOptions, fleet: Fleet, prng: Prng, kinds: readonly FaultName[]): Condition[] {
  const firstMs = options.startMs + options.warmUpMs;
  const slotMs = (options.durationMs - options.warmUpMs) / kinds.length;
  if (slotMs * 0.6 < MIN_FAULT_MS) {
    throw new HeliosError(
      'invalid_argument',
      `cannot generate events: ${kinds.length} faults do not fit into the time after the warm-up`,
    );
  }
  return kinds.map((kind, slot) => {
    const drawn = drawCondition(kind, fleet, prng, 0);
    const lengthMs = wholeSeconds(Math.min(drawn.endMs, 0.6 * slotMs));
    const startMs = wholeSeconds(firstMs + slot * slotMs + prng.next() * (0.8 * slotMs - lengthMs));
    return { ...drawn, startMs, endMs: startMs + lengthMs };
  });
}

/** Faults that last `totalMs` together, the last one cut, each in a part of its own of the time after the warm-up. */
function sharedFaults(options: ResolvedOptions, fleet: Fleet, prng: Prng, totalMs: number): Condition[] {
  const drawn: Condition[] = [];
  let leftMs = totalMs;
  for (const kind of drawKinds(options, prng, Math.ceil(totalMs / MIN_FAULT_MS))) {
    if (leftMs < MIN_FAULT_MS) break;
    const fault = drawCondition(kind, fleet, prng, 0);
    fault.endMs = Math.min(fault.endMs, wholeSeconds(leftMs));
    leftMs -= fault.endMs;
    drawn.push(fault);
  }
  const firstMs = options.startMs + options.warmUpMs;
  const slotMs = (options.durationMs - options.warmUpMs) / drawn.length;
  if (drawn.some(({ endMs }) => endMs + SEPARATION_MS > slotMs)) {
    throw new HeliosError(
      'invalid_argument',
      'cannot generate events: faults of that share do not fit with quiet time between them',
    );
  }
  return drawn.map((fault, slot) => {
    const startMs = wholeSeconds(firstMs + slot * slotMs + prng.next() * (slotMs - SEPARATION_MS - fault.endMs));
    return { ...fault, startMs, endMs: startMs + fault.endMs };
  });
}

function plannedFault(plan: FaultPlan, fleet: Fleet, prng: Prng): Condition {
  const drawn = drawCondition(plan.kind, fleet, prng, plan.startMs);
  const service = plan.service === undefined ? drawn.service : fleet.services.findIndex(({ name }) => name === plan.service);
  if (service < 0) throw new HeliosError('invalid_argument', `cannot generate events: no service named "${plan.service}"`);
  const endMs = plan.durationMs === undefined ? drawn.endMs : drawn.startMs + wholeSeconds(plan.durationMs);
  return { ...drawn, service, endMs, effect: { ...drawn.effect, ...plan.effect } as Effect };
}

function planBenign(options: ResolvedOptions, fleet: Fleet, faults: readonly Condition[], prng: Prng): Condition[] {
  const endMs = options.startMs + options.durationMs;
  const benign: Condition[] = [];
  if (options.benignGapMs === Infinity) return benign;
  let cron: Condition | undefined;
  for (let at = options.startMs; ;) {
    at += options.benignGapMs * prng.exponential();
    if (at >= endMs) break;
    const condition = drawCondition(drawBenign(prng), fleet, prng, at);
    if (condition.endMs > endMs) continue;
    if (isFree(condition, faults)) benign.push(condition);
    if (condition.kind === 'cron_peak') cron ??= condition;
  }
  return cron ? [...benign, ...dailyAfter(cron, faults, endMs)] : benign;
}

function drawBenign(prng: Prng): string {
  const weights = BENIGN_NAMES.map((name) => kindOf(name).weight ?? 1);
  let draw = prng.next() * weights.reduce((sum, weight) => sum + weight, 0);
  const at = weights.findIndex((weight) => (draw -= weight) < 0);
  return BENIGN_NAMES.at(at) as string;
}

function isFree(condition: Condition, faults: readonly Condition[]): boolean {
  if (kindOf(condition.kind).background) return true;
  return !faults.some(
    (fault) => condition.startMs < fault.endMs + SEPARATION_MS && condition.endMs > fault.startMs - SEPARATION_MS,
  );
}

/** A job's later days. */
function dailyAfter(cron: Condition, faults: readonly Condition[], endMs: number): Condition[] {
  const days: Condition[] = [];
  for (let shift = DAY_MS; cron.endMs + shift <= endMs; shift += DAY_MS) {
    const day = { ...cron, startMs: cron.startMs + shift, endMs: cron.endMs + shift };
    if (isFree(day, faults)) days.push(day);
  }
  return days;
}

/** A condition of a kind with service, duration and effect drawn; every kind takes the same number of draws. */
function drawCondition(name: string, fleet: Fleet, prng: Prng, atMs: number): Condition {
  const kind = kindOf(name);
  const [shortest, longest] = kind.durationMinutes;
  const { startsAtMs } = kind;
  const startMs = startsAtMs === undefined ? wholeSeconds(atMs) : Math.ceil(atMs / startsAtMs) * startsAtMs;
  const durationMs = wholeSeconds(logUniform(prng.next(), shortest, longest) * MINUTE_MS);
  const suited = fleet.services
    .map((_, index) => index)
    .filter((index) => fleet.services[index]?.visits !== 0 && kind.suits(fleet, index));
  const service = suited[Math.floor(prng.next() * suited.length)] ?? 0;
  const size = prng.next();
  const further = createPrng(prng.below(2 ** 32));
  const effect: Effect = { size, ...kind.draw(size, () => further.next(), working(fleet, service)) };
  return { kind: name, benign: Object.hasOwn(BENIGN_KINDS, name), startMs, endMs: startMs + durationMs, service, effect };
}

function wholeSeconds(ms: number): number {
  return Math.round(ms / 1000) * 1000;
}
