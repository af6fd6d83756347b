import type { MetricDefinition } from '../lib/metrics.ts';

export const REQUESTS: MetricDefinition = {
  name: 'helios_ingest_requests_total',
  type: 'counter',
  help: 'Requests to an ingest door by the code of their answer',
  labels: ['door', 'code'],
};
export const EVENTS_ACCEPTED: MetricDefinition = {
  name: 'helios_ingest_events_accepted_total',
  type: 'counter',
  help: 'Events acknowledged as durable',
  labels: ['door'],
};
export const EVENTS_REJECTED: MetricDefinition = {
  name: 'helios_ingest_events_rejected_total',
  type: 'counter',
  help: 'Events rejected by a rule, by the field at fault',
  labels: ['door', 'field'],
};
export const POINTS_ACCEPTED: MetricDefinition = {
  name: 'helios_ingest_points_accepted_total',
  type: 'counter',
  help: 'Points of metric series acknowledged as durable',
  labels: ['door'],
};
export const POINTS_REJECTED: MetricDefinition = {
  name: 'helios_ingest_points_rejected_total',
  type: 'counter',
  help: 'Points of metric series left out, by the field at fault',
  labels: ['door', 'field'],
};
export const CLIENTS_EVICTED: MetricDefinition = {
  name: 'helios_ingest_clients_evicted_total',
  type: 'counter',
  help: 'Clients whose counts were dropped because too many are known',
};
export const BYTES_RECEIVED: MetricDefinition = {
  name: 'helios_ingest_bytes_received_total',
  type: 'counter',
  help: 'Bytes of request bodies as sent',
  labels: ['door'],
};
export const REQUEST_SECONDS: MetricDefinition = {
  name: 'helios_ingest_request_seconds',
  type: 'histogram',
  help: 'Time from the request to its answer',
  labels: ['door'],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
};
export const PENDING_BYTES: MetricDefinition = {
  name: 'helios_ingest_pending_bytes',
  type: 'gauge',
  help: 'Bytes of requests being read or waiting for their commit',
};

export const INGEST_METRICS = [
  REQUESTS,
  EVENTS_ACCEPTED,
  EVENTS_REJECTED,
  POINTS_ACCEPTED,
  POINTS_REJECTED,
  BYTES_RECEIVED,
  REQUEST_SECONDS,
  PENDING_BYTES,
  CLIENTS_EVICTED,
];
