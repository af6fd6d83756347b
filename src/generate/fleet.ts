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
  path: string;
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
  attachExtensions(services, prng);
  const entry = services[0] as Service;
  const totalWeight = entry.endpoints.reduce((sum, endpoint) => sum + endpoint.weight, 0);
  for (const endpoint of entry.endpoints) {
    endpoint.weight /= totalWeight;
    visit(endpoint, endpoint.weight);
  }
  for (const service of services) service.visits = service.endpoints.reduce((sum, endpoint) => sum + endpoint.visits, 0);
  return { services, eventsPerRequest: services.reduce((sum, service) => sum + service.visits, 0) };
}

function createService(blueprint: ServiceBlueprint, service: number, prng: Prng): Service {
  const endpoints = blueprint.endpoints.map((endpoint) => ({
    service,
    path: endpoint.path,
    medianMs: endpoint.medianMs * Math.exp(0.2 * prng.normal()),
    sigma: 0.3 + 0.25 * prng.next(),
    errorRate: 0.002 * Math.exp(0.6 * prng.normal()),
    weight: endpoint.weight ?? 0,
    calls: [],
    visits: 0,
  }));
  const version = `${1 + prng.below(4)}.${prng.below(20)}.${prng.below(10)}`;
  return { name: blueprint.name, endpoints, version, visits: 0 };
}

function connect(service: Service, blueprint: ServiceBlueprint, byName: Map<string, Service>): void {
  for (const [index, endpoint] of service.endpoints.entries()) {
    for (const { service: name, endpoint: path, probability, optional } of blueprint.endpoints[index]?.calls ?? []) {
      const target = byName.get(name)?.endpoints.find((other) => other.path === path);
      if (target) endpoint.calls.push({ target, probability, optional: optional === true });
    }
  }
}

/** Every service beyond the blueprint is called by one endpoint of an earlier one, so that it sees traffic. */
function attachExtensions(services: Service[], prng: Prng): void {
  for (const service of services.slice(FLEET_BLUEPRINT.length)) {
    const caller = services[1 + prng.below(FLEET_BLUEPRINT.length - 1)] as Service;
    for (const target of service.endpoints) {
      const from = caller.endpoints[prng.below(caller.endpoints.length)] as Endpoint;
      from.calls.push({ target, probability: 0.2 + 0.4 * prng.next(), optional: true });
    }
  }
}

function visit(endpoint: Endpoint, expected: number): void {
  endpoint.visits += expected;
  for (const { target, probability } of endpoint.calls) visit(target, expected * probability);
}
