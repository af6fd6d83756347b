import assert from 'node:assert/strict';
import test from 'node:test';
import { redactionConfigSchema } from '../../lib/redaction/config.ts';
import { createRedactor } from '../../lib/redaction/redactor.ts';
import { POISON_CORPUS } from './poison-corpus.fixture.ts';

const redactor = createRedactor(redactionConfigSchema.parse({}));

test('the corpus has more than a hundred lines of every category, each with what may not come of it', () => {
  assert.ok(POISON_CORPUS.length >= 100);
  assert.equal(new Set(POISON_CORPUS.map(({ category }) => category)).size, 13);
  assert.equal(new Set(POISON_CORPUS.map(({ line }) => line)).size, POISON_CORPUS.length);
  for (const { mustNotAppear } of POISON_CORPUS) assert.ok(mustNotAppear.length > 0 && !mustNotAppear.includes(''));
});

test('no secret of a poisoned line leaves, however it is written', () => {
  for (const { line, mustNotAppear } of POISON_CORPUS.filter(({ category }) => category === 'secret')) {
    for (const sent of [line, JSON.stringify({ message: line }), JSON.stringify(JSON.stringify([line]))]) {
      const out = redactor.open().redact(sent);
      for (const text of mustNotAppear) assert.ok(!out.includes(text), out);
    }
  }
});

test('orders without secrets are left as they are: what becomes of them is the business of whoever fences and checks', () => {
  const orders = POISON_CORPUS.filter(({ category }) => ['order', 'foreign order', 'fake evidence', 'fence'].includes(category));
  for (const { line } of orders) assert.equal(redactor.open().redact(line), line);
});

test('lines of a mebibyte are read to their end, and personal data in them can be put back', () => {
  for (const { line, mustNotAppear } of POISON_CORPUS.filter(({ category }) => category === 'long line')) {
    const session = redactor.open();
    const out = session.redact(line);
    if (line.includes('password=')) assert.ok(!out.includes(mustNotAppear[0] as string));
    else assert.equal(session.restore(out), line);
  }
});
