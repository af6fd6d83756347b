import type { Feedback, QuietRule } from '../model/feedback.ts';
import type { Decision } from './simulation-replay.ts';

/** The commands by which rules came into force and went, as the live detector was told them. */
export function ruleDecisions(feedback: readonly Feedback[]): Decision[] {
  const moments = feedback.flatMap(({ at, rule, takenBack }) => {
    if (!rule) return [];
    const since = { atMs: Date.parse(at), add: rule, remove: '' };
    return takenBack ? [since, { atMs: Date.parse(takenBack.at), add: null, remove: rule.id }] : [since];
  });
  let rules: QuietRule[] = [];
  return moments
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, add, remove }, index) => {
      rules = add ? [...rules, add] : rules.filter(({ id }) => id !== remove);
      return { atMs, command: { type: 'quiet_rules' as const, rules, revision: index + 1, atMs } };
    });
}
