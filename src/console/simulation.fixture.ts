import type { Simulation, SimulationSide } from '../model/simulation.ts';
import type { Simulations } from './dependencies.ts';

const AT = '2025-10-08T10:00:00.000Z';

/** Everything that the application asked of what it was given, in order. */
export type Calls = [name: string, ...args: unknown[]][];

const sampleSide: SimulationSide = {
  alertCount: 1,
  quietCount: 0,
  incidentCount: 1,
  alertsPerServiceDay: 0.5,
  alerts: [
    {
      id: 'ano-1',
      service: 'cart',
      signal: 'latency',
      severity: 'high',
      startedAt: AT,
      detectedAt: AT,
      resolvedAt: null,
      quiet: false,
      incidentId: 'inc-1',
    },
  ],
  incidents: [
    {
      id: 'inc-1',
      severity: 'high',
      title: 'slow',
      services: ['cart'],
      startedAt: AT,
      detectedAt: AT,
      resolvedAt: null,
      mergedInto: null,
    },
  ],
};

export const sampleSimulation: Simulation = {
  id: 'sim-1',
  state: 'done',
  createdAt: AT,
  startedAt: AT,
  endedAt: AT,
  overrides: { 'anomaly_detection.false_alarm_budget': 1 },
  present: { 'anomaly_detection.false_alarm_budget': 0.05 },
  service: null,
  from: null,
  to: AT,
  progress: 1,
  error: null,
  result: {
    historyFrom: AT,
    historyLost: false,
    serviceDays: 2,
    present: sampleSide,
    overridden: sampleSide,
    difference: {
      both: 1,
      sooner: 0,
      later: 0,
      onlyPresentCount: 0,
      onlyOverriddenCount: 0,
      onlyPresent: [],
      onlyOverridden: [],
    },
  },
};

/** Knows the sample alone, and notes the questions. */
export function stubSimulations(calls: Calls): Simulations {
  const { result: _, ...status } = sampleSimulation;
  const known = (id: string): Simulation | undefined => (id === 'sim-1' ? sampleSimulation : undefined);
  return {
    create: (request) => {
      calls.push(['simulate', request]);
      return sampleSimulation;
    },
    get: known,
    list: () => [status],
    cancel: (id) => {
      calls.push(['cancel', id]);
      return Promise.resolve(known(id));
    },
  };
}
