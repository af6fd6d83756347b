import type { MetricDefinition } from '../lib/metrics.ts';

/** What the pipeline reports of the detector, from its status and its output. */
export const DETECT_METRICS = {
  entities: { name: 'helios_detect_entities', type: 'gauge', help: 'Services watched' },
  openAnomalies: { name: 'helios_detect_open_anomalies', type: 'gauge', help: 'Anomalies that are firing' },
  openIncidents: { name: 'helios_detect_open_incidents', type: 'gauge', help: 'Incidents that are not resolved' },
  watermark: {
    name: 'helios_detect_watermark_seconds',
    type: 'gauge',
    help: 'Event time below which every sub-window is closed, seconds since the epoch',
  },
  lateEvents: {
    name: 'helios_detect_late_events',
    type: 'gauge',
    help: 'Events that came after their sub-window was closed: stored, not windowed',
  },
  lateSeconds: {
    name: 'helios_detect_data_late_seconds',
    type: 'gauge',
    help: 'How long the data of all services together has been missing; not that they are down',
  },
  silentServices: {
    name: 'helios_detect_silent_services',
    type: 'gauge',
    help: 'Services without events now: the data of all is late, it is usual for them (expected_zero), or they stopped (dead)',
    labels: ['kind'],
  },
  quietAnomalies: {
    name: 'helios_detect_quiet_anomalies',
    type: 'gauge',
    help: 'Firing anomalies that happen often, are no worse than usual, and opened no incident',
  },
  anomalies: {
    name: 'helios_detect_anomalies_total',
    type: 'counter',
    help: 'Anomalies that fired',
    labels: ['signal', 'severity'],
  },
  trainedModels: { name: 'helios_detect_trained_models_total', type: 'counter', help: 'Isolation forests trained' },
} as const satisfies Record<string, MetricDefinition>;
