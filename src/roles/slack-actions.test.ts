import assert from 'node:assert/strict';
import test from 'node:test';
import { sampleIncident } from '../console/console.fixture.ts';
import { stubFeedback } from '../console/feedback.fixture.ts';
import type { Calls } from '../console/simulation.fixture.ts';
import { HeliosError } from '../lib/errors.ts';
import { silentLogger } from '../lib/logger.ts';
import type { FeedbackService } from '../model/feedback.ts';
import { createSlackActions } from './slack-actions.ts';

function open(refuse?: (apply: boolean | undefined) => boolean) {
  const calls: Calls = [];
  const stub = stubFeedback(calls);
  const feedback: Pick<FeedbackService, 'label'> = {
    async label(id, request) {
      const answer = await stub.label(id, request);
      if (refuse?.(request.apply)) throw new HeliosError('conflict', 'cannot make a rule: it would hide in-2');
      return answer;
    },
  };
  const control = {
    acknowledge: (id: string, by: string) => {
      calls.push(['acknowledge', id, by]);
      return Promise.resolve(id === 'inc-1' ? sampleIncident : undefined);
    },
  };
  return { calls, act: createSlackActions({ control, feedback, logger: silentLogger }) };
}

test('buttons acknowledge and label in the name of who pressed them', async () => {
  const { calls, act } = open();
  await act({ incidentId: 'inc-1', action: 'acknowledge', by: 'slack:ada' });
  await act({ incidentId: 'inc-1', action: 'false_alarm', by: 'slack:ada' });
  assert.deepEqual(calls, [
    ['acknowledge', 'inc-1', 'slack:ada'],
    ['label', 'inc-1', { label: 'false_alarm', by: 'slack:ada' }],
  ]);
  await assert.rejects(act({ incidentId: 'inc-9', action: 'real', by: 'slack:ada' }), { code: 'not_found' });
});

test('a button whose rule is refused keeps the label alone; another refusal stays one', async () => {
  const { calls, act } = open((apply) => apply !== false);
  await act({ incidentId: 'inc-1', action: 'expected', by: 'slack:ada' });
  assert.deepEqual(calls.at(-1), ['label', 'inc-1', { label: 'expected', by: 'slack:ada', apply: false }]);
  await assert.rejects(act({ incidentId: 'inc-1', action: 'new_normal', by: 'slack:ada' }), { code: 'conflict' });
});
