import type { Fleet } from './fleet.ts';
import type { MessageTemplate } from './message-template.ts';

/** How a service behaves during one second; the defaults are a good day. */
export interface ServiceState {
  /** Multiplies the service's own time. */
  latencyFactor: number;
  /** Added to every endpoint's share of failing requests. */
  errorRate: number;
  /** Share of requests that hang beyond their callers' timeout. */
  hangShare: number;
  /** Multiplies the number of calls made to the service. */
  callFactor: number;
  /** Times that callers repeat a failed call. */
  retries: number;
  /** The endpoint that `endpointErrorRate` concerns, or -1. */
  failingEndpoint: number;
  endpointErrorRate: number;
  /** Requests from inside at the service's last endpoint, relative to its usual requests (a batch job). */
  batchShare: number;
  /** Refuses connections and emits nothing. */
  down: boolean;
  version: string;
  /** What failing requests say; null for the everyday messages. */
  errorMessages: readonly MessageTemplate[] | null;
  /** Share of successful requests logged as warnings. */
  warnShare: number;
}

/** How the fleet behaves during one second. */
export interface FleetState {
  /** Multiplies the users' requests. */
  trafficFactor: number;
  services: ServiceState[];
}

export function createFleetState(fleet: Fleet): FleetState {
  return { trafficFactor: 1, services: fleet.services.map(({ version }) => healthyState(version)) };
}

export function healthyState(version: string): ServiceState {
  return {
    latencyFactor: 1,
    errorRate: 0,
    hangShare: 0,
    callFactor: 1,
    retries: 0,
    failingEndpoint: -1,
    endpointErrorRate: 0,
    batchShare: 0,
    down: false,
    version,
    errorMessages: null,
    warnShare: 0.01,
  };
}
