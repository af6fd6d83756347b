import type { Prng } from '../lib/prng.ts';
import { createPrng } from '../lib/prng.ts';
import type { ServiceBlueprint } from './fleet-blueprint.ts';
import { blueprintOf, FLEET_BLUEPRINT } from './fleet-blueprint.ts';
import { hash32 } from './random-field.ts';

export interface Call {
  target: Endpoint;
  probability: number;
  optional: boolean;
}

export interface Endpoint {
  /** Position of the owning service in the fleet. */
  service: number;
  /** Position among the endpoints of its service. */
  index: number;
  path: string;
  /** Where its requests go once they have moved (`new_endpoint`). */
  movedPath: string;
  /** Own time, without calls, is lognormal with this median (milliseconds) and sigma. */
  medianMs: number;
  sigma: number;
  /** Share of requests that fail by themselves on a good day. */
  errorRate: number;
  /** Share of the users' requests that enter here; 0 inside the fleet. */
  weight: number;
  calls: Call[];
  /** Expected visits per request of a user. */
  visits: number;
}

export interface Service {
  name: string;
  endpoints: Endpoint[];
  /** The version on the first day. */
  version: string;
  /** Expected events of this service per request of a user. */
  visits: number;
  /** Share of the service's mean latency that is its own time and not that of its calls. */
  ownShare: number;
  /** Positions of the services that call it, each with the share of its requests in which it does. */
  callers: Caller[];
}

export interface Caller {
  service: number;
  dependence: number;
}

export interface Fleet {
  services: Service[];
  /** Expected events of the whole fleet per request of a user. */
  eventsPerRequest: number;
}

/** The fleet of a seed: the blueprint's shape, with latencies, error rates and versions of its own. */
export function createFleet(seed: number, count: number): Fleet {
  const prng = createPrng(hash32(seed, 11));
  const blueprints = blueprintOf(count);
  const services = blueprints.map((blueprint, index) => createService(blueprint, index, prng));
  const byName = new Map(services.map((service) => [service.name, service]));
  for (const [index, blueprint] of blueprints.entries()) connect(services[index] as Service, blueprint, byName);
  const entry = services[0] as Service;
  const totalWeight = entry.endpoints.reduce((sum, endpoint) => sum + endpoint.weight, 0);
  for (const endpoint of entry.endpoints) {
    endpoint.weight /= totalWeight;
    visit(endpoint, endpoint.weight);
  }
  attachExtensions(services, prng);
  for (const service of services) service.visits = service.endpoints.reduce((sum, endpoint) => sum + endpoint.visits, 0);
  findCallers(services);
  for (const service of services) service.ownShare = ownShareOf(service);
  return { services, eventsPerRequest: services.reduce((sum, service) => sum + service.visits, 0) };
}

function createService(blueprint: ServiceBlueprint, service: number, prng: Prng): Service {
  const endpoints = blueprint.endpoints.map((endpoint, position) => ({
    service,
    index: position,
    path: endpoint.path,
    movedPath: `/v2${endpoint.path}`,
    medianMs: endpoint.medianMs * Math.exp(0.2 * prng.normal()),
    sigma: 0.3 + 0.25 * prng.next(),
    errorRate: 0.002 * Math.exp(0.6 * prng.normal()),
    weight: endpoint.weight ?? 0,
    calls: [],
    visits: 0,
  }));
  const version = `${1 + prng.below(4)}.${prng.below(20)}.${prng.below(10)}`;
  return { name: blueprint.name, endpoints, version, visits: 0, ownShare: 0, callers: [] };
}

function connect(service: Service, blueprint: ServiceBlueprint, byName: Map<string, Service>): void {
  for (const [index, endpoint] of service.endpoints.entries()) {
    for (const { service: name, endpoint: path, probability, optional } of blueprint.endpoints[index]?.calls ?? []) {
      const target = byName.get(name)?.endpoints.find((other) => other.path === path);
      if (target) endpoint.calls.push({ target, probability, optional: optional === true });
    }
  }
}

/**
 * Every service beyond the blueprint is called by one endpoint of an earlier one, so that it sees traffic and the graph grows in
 * depth too. Of three drawn callers the one with the fewest calls is taken: no request waits for a hundred others.
 */
function attachExtensions(services: Service[], prng: Prng): void {
  for (let index = FLEET_BLUEPRINT.length; index < services.length; index++) {
    const drawn = [0, 0, 0].map(() => services[1 + prng.below(index - 1)] as Service);
    const calls = ({ endpoints }: Service): number => endpoints.reduce((sum, endpoint) => sum + endpoint.calls.length, 0);
    const caller = drawn.reduce((least, other) => (calls(other) < calls(least) ? other : least));
    for (const target of (services[index] as Service).endpoints) {
      const visited = caller.endpoints.filter(({ visits }) => visits > 0);
      const from = visited[prng.below(visited.length)] as Endpoint;
      const probability = 0.3 + 0.6 * prng.next();
      from.calls.push({ target, probability, optional: prng.next() < 0.5 });
      visit(target, from.visits * probability);
    }
  }
}

function findCallers(services: readonly Service[]): void {
  for (const [service, { endpoints, visits }] of services.entries()) {
    const callsTo = new Map<number, number>();
    for (const endpoint of endpoints) {
      for (const { target, probability } of endpoint.calls) {
        callsTo.set(target.service, (callsTo.get(target.service) ?? 0) + endpoint.visits * probability);
      }
    }
    for (const [target, calls] of callsTo) {
      if (calls > 0) services[target]?.callers.push({ service, dependence: Math.min(1, calls / visits) });
    }
  }
}

function ownShareOf({ endpoints }: Service): number {
  const mean = (of: (endpoint: Endpoint) => number): number =>
    endpoints.reduce((sum, endpoint) => sum + of(endpoint) * endpoint.visits, 0);
  return mean(ownMeanMs) / mean(wholeMeanMs);
}

/** Mean of the lognormal. */
function ownMeanMs({ medianMs, sigma }: Endpoint): number {
  return medianMs * Math.exp(sigma ** 2 / 2);
}

function wholeMeanMs(endpoint: Endpoint): number {
  return endpoint.calls.reduce((sum, call) => sum + call.probability * wholeMeanMs(call.target), ownMeanMs(endpoint));
}

function visit(endpoint: Endpoint, expected: number): void {
  endpoint.visits += expected;
  for (const { target, probability } of endpoint.calls) visit(target, expected * probability);
}
