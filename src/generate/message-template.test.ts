import assert from 'node:assert/strict';
import test from 'node:test';
import { messageTemplate, renderMessage } from './message-template.ts';

test('placeholders are replaced by numbers, ids and the given names', () => {
  const template = messageTemplate('call {n} of {path} to {peer} in {version} took {ms} ms, id {id}');
  const text = renderMessage(template, { ms: 12.6, peer: 'b', path: '/x', version: '1.2.3', seed: 1 });
  assert.match(text, /^call \d+ of \/x to b in 1\.2\.3 took 13 ms, id [0-9a-f]{8}$/);
});

test('an unknown placeholder is refused when the template is made', () => {
  assert.throws(() => messageTemplate('for {user}'), /unknown placeholder \{user\}/);
});
