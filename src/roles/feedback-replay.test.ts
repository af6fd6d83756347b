import assert from 'node:assert/strict';
import test from 'node:test';
import type { Feedback, QuietRule } from '../model/feedback.ts';
import { ruleDecisions } from './feedback-replay.ts';

const at = (minute: number): string => new Date(Date.UTC(2025, 9, 8, 10, minute)).toISOString();

function said(id: string, minute: number, untilMinute?: number, makesRule = true): Feedback {
  const rule: QuietRule = { id, label: 'false_alarm', by: 'ada', at: at(minute), patterns: [] };
  return {
    id,
    label: 'false_alarm',
    incidentId: 'in-1',
    services: [],
    from: at(0),
    to: null,
    by: 'ada',
    at: at(minute),
    note: null,
    cause: null,
    rule: makesRule ? rule : null,
    effect: null,
    takenBack: untilMinute === undefined ? null : { by: 'ada', at: at(untilMinute), reason: 'person' },
  };
}

test('rules come into force and go at their times, each time all that hold then', () => {
  const decisions = ruleDecisions([said('c', 5, undefined, false), said('b', 3), said('a', 1, 4)]);
  const told = decisions.map(({ atMs, command }) => {
    assert.ok(command.type === 'quiet_rules' && command.atMs === atMs);
    return [new Date(atMs).toISOString(), command.revision, command.rules.map(({ id }) => id)];
  });
  assert.deepEqual(told, [
    [at(1), 1, ['a']],
    [at(3), 2, ['a', 'b']],
    [at(4), 3, ['b']],
  ]);
});
