/** A valid event that uses most of what an event may say. */
export const EVENT = {
  timestamp: '2025-10-08T10:30:45.123Z',
  service: 'payment',
  level: 'ERROR',
  message: 'Database "timeout" \u00e9',
  metadata: {
    latency_ms: 12.5,
    endpoint: '/checkout',
    request_id: 'r1',
    'service.version': '1.2.3',
    nested: { a: [1, { b: null }] },
  },
  trace_id: '8b51e36eaee3265bec099d0c5c63fd37',
  span_id: '517d16044e5eb3ee',
};

/** The same event as JSON, with some fields changed; undefined leaves one out. */
export const variant = (changes: Record<string, unknown>): string => JSON.stringify({ ...EVENT, ...changes });
