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
  /** Share of requests whose own time is multiplied by `tailFactor` too. */
  tailShare: number;
  tailFactor: number;
  /** Multiplies the number of calls made to the service. */
  callFactor: number;
  /** Times that callers repeat a failed call. */
  retries: number;
  /** The endpoint that `endpointErrorRate` and `endpointLatencyFactor` concern, or -1. */
  failingEndpoint: number;
  endpointErrorRate: number;
  endpointLatencyFactor: number;
  /** The endpoint whose requests move to a new path, or -1, the share of them, and what it does to their own time. */
  movedEndpoint: number;
  movedShare: number;
  movedLatencyFactor: number;
  /** Requests from inside at the service's last endpoint, relative to its usual requests (a job). */
  jobShare: number;
  /** Share of the calls that meet an instance that is gone: refused, and nothing is emitted. 1 when the service is down. */
  refusedShare: number;
  version: string;
  /** What failing requests say; null for the everyday messages. */
  errorMessages: readonly MessageTemplate[] | null;
  /** Share of successful requests logged as warnings. */
  warnShare: number;
  /** Share of the events that come late, and by how long at most. */
  lateShare: number;
  lateMs: number;
  /** Share of the events that are delivered twice. */
  duplicateShare: number;
  /** What the service's clock is ahead by. */
  skewMs: number;
}

/** How the fleet behaves during one second. */
export interface FleetState {
  /** Multiplies the users' requests. */
  trafficFactor: number;
  /** Share of the users' requests that are repeated a moment later. */
  repeatedShare: number;
  services: ServiceState[];
}

export function createFleetState(fleet: Fleet): FleetState {
  return { trafficFactor: 1, repeatedShare: 0, services: fleet.services.map(({ version }) => healthyState(version)) };
}

export function healthyState(version: string): ServiceState {
  return {
    latencyFactor: 1,
    errorRate: 0,
    hangShare: 0,
    tailShare: 0,
    tailFactor: 1,
    callFactor: 1,
    retries: 0,
    failingEndpoint: -1,
    endpointErrorRate: 0,
    endpointLatencyFactor: 1,
    movedEndpoint: -1,
    movedShare: 0,
    movedLatencyFactor: 1,
    jobShare: 0,
    refusedShare: 0,
    version,
    errorMessages: null,
    warnShare: 0.01,
    lateShare: 0,
    lateMs: 0,
    duplicateShare: 0,
    skewMs: 0,
  };
}

const HEALTHY = healthyState('');

/** Makes a state that of a good day again: a stream uses one object for all its seconds. */
export function resetFleetState(state: FleetState, fleet: Fleet): void {
  state.trafficFactor = 1;
  state.repeatedShare = 0;
  for (let i = 0; i < state.services.length; i++) {
    const service = Object.assign(state.services[i] as ServiceState, HEALTHY);
    service.version = fleet.services[i]?.version ?? '';
  }
}
