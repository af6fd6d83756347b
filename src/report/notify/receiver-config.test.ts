import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { receiverConfigSchema } from './receiver-config.ts';
import { checkSecrets, readSecret, requireSecret } from './secret.ts';

const email = {
  type: 'email',
  name: 'mail',
  smtp_url: 'smtp://mail.example.com',
  from: 'helios@example.com',
  to: ['a@example.com'],
};

function problem(config: object): string {
  const result = receiverConfigSchema.safeParse(config);
  return result.success ? '' : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

test('a receiver has what its type needs, and nothing of another type', () => {
  assert.equal(problem({ type: 'teams', name: 'team', url: 'https://example.com/1' }), '');
  assert.match(problem({ type: 'teams', name: 'team', url: 'https://example.com/1', token: 'x' }), /token/);
  assert.match(problem({ type: 'fax', name: 'fax' }), /type/);
  assert.match(problem({ type: 'slack', name: 'chat', token: 'x', channel: '#alerts' }), /channel: must be the id of a channel/);
});

test('a secret comes from its key or from a file, and from one of them', () => {
  assert.equal(problem({ type: 'pagerduty', name: 'pager' }), 'routing_key: give either routing_key or routing_key_file');
  assert.equal(problem({ type: 'pagerduty', name: 'pager', routing_key_file: 'key' }), '');
  assert.match(problem({ type: 'pagerduty', name: 'pager', routing_key_file: 'key', routing_key: 'k' }), /give either/);
  const hook = { type: 'alertmanager', name: 'hook', url: 'https://example.com' };
  assert.match(problem({ ...hook, hmac_secret: 'a', hmac_secret_file: 'b' }), /not both/);
});

test('addresses with a line break or a second address in them are refused', () => {
  assert.equal(problem(email), '');
  assert.equal(problem({ ...email, from: 'HELIOS <helios@example.com>' }), '');
  for (const from of ['a@example.com\r\nBcc: b@example.com', 'a@example.com, b@example.com', 'helios', '<a@example.com> b@c'])
    assert.match(problem({ ...email, from }), /from/, from);
});

test('a secret in a file is read when it is used, so that it can be changed there', () => {
  const directory = mkdtempSync(join(tmpdir(), 'helios-secret-'));
  try {
    const file = join(directory, 'token');
    const receiver = { name: 'chat', token_file: file };
    assert.throws(() => checkSecrets(receiver), { code: 'invalid_config', message: /cannot read token_file of receiver chat/ });
    assert.throws(() => requireSecret<'token'>(receiver, 'token'), { code: 'unavailable' });
    writeFileSync(file, 'one\n');
    assert.equal(requireSecret<'token'>(receiver, 'token'), 'one');
    writeFileSync(file, 'two');
    assert.equal(readSecret<'token'>(receiver, 'token'), 'two');
    writeFileSync(file, ' \n');
    assert.throws(() => readSecret<'token'>(receiver, 'token'), /is empty/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
