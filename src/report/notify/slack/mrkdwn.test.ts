import assert from 'node:assert/strict';
import test from 'node:test';
import { silentLogger } from '../../../lib/logger.ts';
import { MessageText } from '../message-text.ts';
import { testRedaction } from '../message.fixture.ts';
import { escapeTo, mrkdwn, slackLink } from './mrkdwn.ts';

const text = new MessageText(testRedaction, silentLogger, []);

test('control characters are escaped, also in code, and our own marks stay', () => {
  const line = text.markdown('**How bad:** `a<b>` & <!here>');
  assert.equal(mrkdwn(line), '*How bad:* `a&lt;b&gt;` &amp; &lt;!here&gt;');
});

test('an escaped text is as long as it may be, and ends outside of an entity', () => {
  assert.equal(escapeTo('a<b', 10), 'a&lt;b');
  for (let limit = 1; limit < 60; limit++) {
    const escaped = escapeTo('<&>'.repeat(30), limit);
    assert.ok(escaped.length <= limit);
    assert.match(escaped, /^(&(lt|gt|amp);)*…?$/);
  }
});

test('a link ends where it ends', () => {
  assert.equal(slackLink('https://example.com/a?b=1&c=|x>', 'Open'), '<https://example.com/a?b=1&amp;c=%7Cx&gt;|Open>');
});
