import { SpanNames } from './span-names.ts';

/** What a feature of a visit is about. A call has it or not. */
export const FEATURE_KINDS = ['operation', 'call', 'template', 'error'] as const;
export const OPERATION = 0;
export const CALL = 1;
export const TEMPLATE = 2;
export const ERROR = 3;

/** A feature is "at least 1, 2, 4 or 8 times". */
export const REPEAT_CLASSES = 4;

const MAX_SERVICES = 1 << 12;
const MAX_NUMBERS = 1 << 14;

/** A feature taken apart: of which visit, about which endpoint, visit or template, and at least how often. */
export interface Feature {
  visit: number;
  kind: number;
  part: number;
  atLeast: number;
}

export function featureKey(visit: number, kind: number, part: number, repeatClass: number): number {
  return ((visit * FEATURE_KINDS.length + kind) * REPEAT_CLASSES + repeatClass) * MAX_NUMBERS + part;
}

export function featureOf(key: number): Feature {
  const part = key % MAX_NUMBERS;
  const rest = (key - part) / MAX_NUMBERS;
  const classed = Math.floor(rest / REPEAT_CLASSES);
  return {
    visit: Math.floor(classed / FEATURE_KINDS.length),
    kind: classed % FEATURE_KINDS.length,
    part,
    atLeast: 2 ** (rest % REPEAT_CLASSES),
  };
}

export function edgeKey(caller: number, visit: number): number {
  return caller * MAX_NUMBERS + visit;
}

/** Calling service and called visit of an edge. */
export function edgeOf(key: number): { caller: number; visit: number } {
  return { caller: Math.floor(key / MAX_NUMBERS), visit: key % MAX_NUMBERS };
}

/** In order of their numbers. Plain data. */
export interface TraceNamesState {
  services: readonly string[];
  endpoints: readonly string[];
  templates: readonly string[];
  visits: readonly number[];
}

/** Numbers of services, endpoints, templates and visits (an entry endpoint of a service), from 1 on; beyond a table's cap 0. */
export class TraceNames {
  readonly services: SpanNames;
  readonly endpoints: SpanNames;
  readonly templates: SpanNames;
  readonly #visits: Map<number, number>;
  readonly #visitKeys: number[];

  constructor(state: TraceNamesState = { services: [], endpoints: [], templates: [], visits: [0] }) {
    this.services = new SpanNames(MAX_SERVICES - 1, state.services);
    this.endpoints = new SpanNames(MAX_NUMBERS - 1, state.endpoints);
    this.templates = new SpanNames(MAX_NUMBERS - 1, state.templates);
    this.#visitKeys = [...state.visits];
    this.#visits = new Map(state.visits.map((key, number) => [key, number]));
  }

  /** To be kept with every state that holds keys made of these numbers. */
  get state(): TraceNamesState {
    const { services, endpoints, templates } = this;
    return {
      services: [...services.all],
      endpoints: [...endpoints.all],
      templates: [...templates.all],
      visits: [...this.#visitKeys],
    };
  }

  visitNumber(service: number, endpoint: number): number {
    const key = service * MAX_NUMBERS + endpoint;
    const known = this.#visits.get(key);
    if (known !== undefined) return known;
    if (service === 0 || this.#visitKeys.length >= MAX_NUMBERS) return 0;
    this.#visits.set(key, this.#visitKeys.length);
    return this.#visitKeys.push(key) - 1;
  }

  serviceOf(visit: number): number {
    return Math.floor((this.#visitKeys[visit] ?? 0) / MAX_NUMBERS);
  }

  endpointOf(visit: number): number {
    return (this.#visitKeys[visit] ?? 0) % MAX_NUMBERS;
  }

  /** The template, endpoint or "service endpoint" that a feature is about. */
  partName({ kind, part }: Feature): string {
    if (kind === TEMPLATE) return this.templates.name(part);
    if (kind !== CALL) return this.endpoints.name(part);
    return `${this.services.name(this.serviceOf(part))} ${this.endpoints.name(this.endpointOf(part))}`;
  }
}
