import assert from 'node:assert/strict';
import test from 'node:test';
import { loadConfig } from '../config/sources.ts';
import { HeliosError } from './errors.ts';

function problems(...set: string[]): string[] {
  try {
    loadConfig({ cwd: import.meta.dirname, env: {}, set });
  } catch (error) {
    assert.ok(error instanceof HeliosError);
    return error.details['problems'] as string[];
  }
  return [];
}

/** Without an end, or over at once: a hanging receiver, a request that nobody answers in time, or a call without a pause. */
const ENDLESS = [
  'report.llm.timeout',
  'report.llm.deadline',
  'report.llm.delay',
  'report.llm.breaker_pause',
  'report.budget.hold',
  'report.archive.s3.timeout',
  'report.update_interval',
  'notify.timeout',
  'notify.group_wait',
  'notify.update_interval',
  'heartbeat.interval',
  'heartbeat.timeout',
];

test('what has to end is refused without an end, by its key', () => {
  for (const key of ENDLESS) {
    const [problem, ...others] = problems(`${key}=none`);
    assert.match(problem ?? '', new RegExp(`${key.replaceAll('.', String.raw`\.`)}.* must be a time that ends`));
    assert.deepEqual(others, []);
  }
});

test('what may not be over at once is refused at nothing', () => {
  for (const key of ['report.llm.timeout', 'notify.timeout', 'heartbeat.interval', 'heartbeat.timeout', 'report.budget.hold'])
    assert.match(problems(`${key}=0s`)[0] ?? '', /must be a time that ends, at least/);
  for (const key of ['notify.group_wait', 'notify.update_interval', 'report.llm.delay'])
    assert.deepEqual(problems(`${key}=0s`), []);
});

test('an address that is none is refused by its key, without the address', () => {
  const mail = { name: 'm', type: 'email', smtp_url: 'hunter2', from: 'a@example.org', to: ['b@example.org'] };
  const [problem] = problems(`notify.receivers=${JSON.stringify([mail])}`);
  assert.match(problem ?? '', /smtp_url.*must be an smtp:\/\/ or smtps:\/\/ URL/);
  assert.ok(!problem?.includes('hunter2'));
  assert.match(problems('report.llm.base_url=http://')[0] ?? '', /report\.llm\.base_url.*must be a URL/);
  assert.match(problems('report.archive.s3.bucket=a b/c')[0] ?? '', /report\.archive\.s3\.bucket.*name of a bucket/);
});
