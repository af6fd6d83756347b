import type { MetricDefinition } from '../../lib/metrics.ts';

export const DATABASE_ERRORS = {
  name: 'helios_database_errors_total',
  type: 'counter',
  help: 'Statements and connections that failed, by error code',
  labels: ['code'],
} as const satisfies MetricDefinition;

export const DATABASE_CONNECTIONS = {
  name: 'helios_database_connections',
  type: 'gauge',
  help: 'Connections of the pool: lent, idle, and callers that wait for one',
  labels: ['state'],
} as const satisfies MetricDefinition;

export const DATABASE_METRICS = [DATABASE_ERRORS, DATABASE_CONNECTIONS] as const;
