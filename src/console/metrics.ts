import type { MetricDefinition } from '../lib/metrics.ts';

export const httpRequests: MetricDefinition = {
  name: 'helios_console_requests_total',
  type: 'counter',
  help: 'Answered API requests; route is the path pattern, "unmatched" for unknown paths',
  labels: ['method', 'route', 'status'],
};

export const httpRequestSeconds: MetricDefinition = {
  name: 'helios_console_request_seconds',
  type: 'histogram',
  help: 'Time from the request line to the end of the answer; event streams are not counted',
  labels: ['route'],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
};

export const streamReaders: MetricDefinition = {
  name: 'helios_console_stream_readers',
  type: 'gauge',
  help: 'Open readers of the event stream',
};

export const streamEvents: MetricDefinition = {
  name: 'helios_console_stream_events_total',
  type: 'counter',
  help: 'Documents published on the event stream',
  labels: ['type'],
};

export const streamCuts: MetricDefinition = {
  name: 'helios_console_stream_cuts_total',
  type: 'counter',
  help: 'Readers disconnected because they fell too far behind',
};

export const mcpCalls: MetricDefinition = {
  name: 'helios_console_mcp_calls_total',
  type: 'counter',
  help: 'Tools called over the Model Context Protocol; outcome is ok or the code of an error',
  labels: ['tool', 'outcome'],
};

export const consoleMetrics: readonly MetricDefinition[] = [
  httpRequests,
  httpRequestSeconds,
  streamReaders,
  streamEvents,
  streamCuts,
  mcpCalls,
];
