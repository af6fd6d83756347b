import type { MetricDefinition } from '../../lib/metrics.ts';

export const DELIVERY_METRICS = {
  notifications: {
    name: 'helios_notifications_total',
    type: 'counter',
    help: 'Messages to receivers; outcome is sent, failed (tried again later), gave_up (older than notify.give_up_after), gone (nothing left to change) or refused (never tried again)',
    labels: ['receiver', 'outcome'],
  },
  delay: {
    name: 'helios_notification_delay_seconds',
    type: 'histogram',
    help: 'Time from seeing what is new about an incident to the receiver having it, notify.group_wait included, quiet hours and limits not',
    labels: ['receiver'],
    buckets: [0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 1800, 7200],
  },
  pending: {
    name: 'helios_notifications_pending',
    type: 'gauge',
    help: 'Incidents of which a receiver lacks what is new: it does not answer, or has reached notify.max_messages_per_hour',
    labels: ['receiver'],
  },
} as const satisfies Record<string, MetricDefinition>;
