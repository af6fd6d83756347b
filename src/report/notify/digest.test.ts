import assert from 'node:assert/strict';
import test from 'node:test';
import { silentLogger } from '../../lib/logger.ts';
import { digestOf } from './digest.ts';
import { messageOf, testRedaction } from './message.fixture.ts';
import { MessageText, plainText } from './message-text.ts';

test('what a person has said of an incident stands in its message, with what it changed', () => {
  const { incident } = messageOf();
  const feedback = { id: 'in-1.1', label: 'false_alarm' as const, cause: null, by: 'ada (Slack)', at: incident.startedAt };
  const linesOf = (effect: string | null): string[] => {
    const message = messageOf({ incident: { ...incident, feedback: { ...feedback, effect } } });
    return digestOf(message, new MessageText(testRedaction, silentLogger, [])).facts.map((fact) => plainText(fact));
  };
  assert.ok(linesOf(null).includes('Said to be: false alarm, by ada (Slack)'), linesOf(null).join('\n'));
  assert.ok(linesOf('14 fewer alerts').includes('Said to be: false alarm, by ada (Slack). 14 fewer alerts'));
});
