import type { Feedback, FeedbackPreview, FeedbackService } from '../model/feedback.ts';
import type { Calls } from './simulation.fixture.ts';

const AT = '2025-10-08T10:00:00.000Z';

export const sampleFeedback: Feedback = {
  id: 'inc-1.1',
  label: 'expected',
  incidentId: 'inc-1',
  services: ['prod/shop/payment', 'cart'],
  from: AT,
  to: null,
  by: 'ada',
  at: AT,
  note: null,
  cause: null,
  rule: {
    id: 'inc-1.1',
    label: 'expected',
    by: 'ada',
    at: AT,
    patterns: [
      {
        service: 'prod/shop/payment',
        match: 'entity',
        signal: 'latency',
        severity: 'high',
        features: [{ feature: 'p95_latency', direction: 'up', limit: 1025 }],
        durationMs: 3_600_000,
        hours: { from: 2, to: 4 },
      },
    ],
  },
  effect: '14 fewer alerts, 0 confirmed incidents hidden',
  takenBack: null,
};

export const samplePreview: FeedbackPreview = {
  days: 30,
  alerts: 20,
  incidents: 12,
  fewerAlerts: 14,
  fewerIncidents: 9,
  confirmedHidden: [],
  sentence: '14 fewer alerts, 0 confirmed incidents hidden',
};

/** Knows one incident and one feedback, and notes what it is asked. */
export function stubFeedback(calls: Calls): FeedbackService {
  const note = <T>(name: string, answer: T, ...args: unknown[]): Promise<T> => {
    calls.push([name, ...args]);
    return Promise.resolve(answer);
  };
  const ofIncident = <T>(id: string, answer: T): T | undefined => (id === 'inc-1' ? answer : undefined);
  return {
    label: (id, request) => note('label', ofIncident(id, { feedback: sampleFeedback, preview: samplePreview }), id, request),
    preview: (id, request) => note('preview', ofIncident(id, { feedback: null, preview: samplePreview }), id, request),
    missed: (request) =>
      note('missed', { ...sampleFeedback, id: 'missed.1', label: 'missed', incidentId: null, rule: null }, request),
    takeBack: (id, by) => note('takeBack', id === sampleFeedback.id ? sampleFeedback : undefined, id, by),
    list: (query) => note('feedback', [sampleFeedback], query),
    quality: () =>
      note('quality', {
        labels: { real: 3, expected: 1, false_alarm: 0, new_normal: 0, wrong_cause: 0, missed: 1 },
        precision: 0.75,
        recall: 0.75,
      }),
  };
}
