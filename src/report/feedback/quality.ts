import type { Feedback, FeedbackQuality, ListedLabel } from '../../model/feedback.ts';

/** Precision and recall by what people said and did not take back; of an incident one thing at most counts. */
export function qualityOf(feedback: readonly Feedback[]): FeedbackQuality {
  const labels: Record<ListedLabel, number> = {
    real: 0,
    expected: 0,
    false_alarm: 0,
    new_normal: 0,
    wrong_cause: 0,
    missed: 0,
  };
  for (const { label, takenBack } of feedback) if (takenBack === null) labels[label]++;
  // A fault whose cause was named wrongly was a fault. A new normal was seen rightly, and broke nothing: it is neither.
  const right = labels.real + labels.wrong_cause;
  const called = right + labels.false_alarm + labels.expected;
  const faults = right + labels.missed;
  return { labels, precision: called === 0 ? null : right / called, recall: faults === 0 ? null : right / faults };
}
