import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import test from 'node:test';
import type { z } from 'zod';
import { loadConfig } from '../../config/sources.ts';
import { printConfig } from '../../config/print.ts';
import { HeliosError } from '../../lib/errors.ts';
import { notifyConfigSchema } from './config.ts';

const chat = { type: 'slack', name: 'chat', channel: 'C0123456789', token: 'xoxb-a-secret' } as const;
const pager = { type: 'pagerduty', name: 'pager', routing_key: 'another-secret' } as const;
const night = { from: '22:00', to: '07:00', zone: 'Europe/Berlin' };
const window = { days: ['sun' as const], at: '02:00', duration: '2h', zone: 'America/New_York' };

type Input = z.input<typeof notifyConfigSchema>;

/** What the program says at its start. */
function problems(notify: unknown): string[] {
  const set = Object.entries(notify as object).map(
    ([key, value]) => `notify.${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  try {
    loadConfig({ cwd: tmpdir(), env: {}, set });
  } catch (error) {
    assert.ok(error instanceof HeliosError);
    return error.details['problems'] as string[];
  }
  return [];
}

test('a configuration with everything is taken', () => {
  const notify: Input = {
    receivers: [chat, pager],
    routes: [{ match: { service: ['pay*', 'prod/shop/cart'], severity: 'c*' }, receivers: ['chat', 'pager'], continue: true }],
    quiet_hours: [{ ...night, receivers: ['chat'], days: ['sat', 'sun'], below: 'high' }],
    maintenance: [{ ...window, match: { environment: 'prod' } }],
    public_url: 'https://helios.example.org',
  };
  assert.deepEqual(problems(notify), []);
  assert.equal(notifyConfigSchema.parse(notify).maintenance[0]?.duration, 7_200_000);
});

test('each mistake is told by the key at fault and what would be right', () => {
  const receivers = [chat, pager];
  const wrong: [object, RegExp][] = [
    [
      { receivers, routes: [{ receivers: ['chta'] }] },
      /notify\.routes\.0\.receivers\.0: there is no receiver "chta"; did you mean "chat"\?/,
    ],
    [{ routes: [{ receivers: ['chat'] }] }, /there is no receiver "chat"; there is none/],
    [
      { receivers, quiet_hours: [{ ...night, receivers: ['mail'] }] },
      /quiet_hours\.0\.receivers\.0: there is no receiver "mail"/,
    ],
    [{ receivers: [chat, chat] }, /notify\.receivers\.1\.name: there are two receivers "chat"/],
    [{ receivers, routes: [{ receivers: [] }] }, /notify\.routes\.0\.receivers/],
    [
      { receivers, routes: [{ receivers: ['chat'], match: { servce: 'a' } }] },
      /unknown key notify\.routes\.0\.match\.servce; did you mean .*service/,
    ],
    [
      { receivers, routes: [{ receivers: ['chat'], match: { severity: 'hihg' } }] },
      /match\.severity: "hihg" is none of low, medium, high, critical/,
    ],
    [{ receivers, routes: [{ receivers: ['chat'], match: { service: 7 } }] }, /match\.service: must be a glob/],
    [{ quiet_hours: [{ ...night, zone: 'Europe/Berlim' }] }, /quiet_hours\.0\.zone: there is no time zone "Europe\/Berlim"/],
    [{ quiet_hours: [{ ...night, from: '25:00' }] }, /quiet_hours\.0\.from: "25:00" is not a time of day/],
    [{ maintenance: [{ ...window, days: ['sunday'] }] }, /maintenance\.0\.days/],
    [{ maintenance: [{ ...window, duration: '8d' }] }, /maintenance\.0\.duration: must be longer than nothing and at most 7d/],
    [{ maintenance: [{ ...window, duration: '0s' }] }, /maintenance\.0\.duration/],
    [{ public_url: 'helios.example.org' }, /notify\.public_url: must be an http or https URL/],
    [{ receivers: [{ ...chat, type: 'irc' }] }, /notify\.receivers\.0/],
  ];
  for (const [notify, expected] of wrong) {
    const told = problems(notify);
    assert.equal(told.length, 1, JSON.stringify(notify));
    assert.match(told[0] as string, expected);
  }
});

test('secrets of receivers are printed as stars, and none is made up', () => {
  const set = [`notify.receivers=${JSON.stringify([chat, pager])}`];
  const text = printConfig(loadConfig({ cwd: tmpdir(), env: {}, set }));
  assert.doesNotMatch(text, /xoxb-a-secret|another-secret/);
  assert.match(text, /receivers: \[\{type: slack, name: chat,.*token: "\*\*\*"/);
  assert.match(text, /channel: C0123456789/);
  assert.doesNotMatch(text, /signing_secret/);
});
