import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { badDeployment } from '../scenario.fixture.ts';
import type { CheckContext } from './check-context.ts';
import { checkClaim, checkClaims, checkContext } from './check.ts';
import type { Claim } from './claim.ts';
import { written } from './generated-incident.fixture.ts';
import type { Written } from './generated-incident.fixture.ts';
import type { DropReason } from './sentence.ts';
import { familiesOf, NUMBER_WORDS, WORDS } from './vocabulary.ts';

const given = await written(badDeployment());
const context = checkContext(given.report, given.pack);

function idOf(where: (item: Written['pack']['items'][number]) => boolean): string {
  const found = given.pack.items.find(where);
  assert.ok(found);
  return found.id;
}

const seen = idOf(({ role, service, feature }) => role === 'observed' && service === 'payment' && feature === 'error_rate');
const usual = given.pack.items.find(({ id }) => id === seen)?.pair ?? '';
const deploy = idOf(({ role, type, service }) => role === 'change' && type === 'change' && service === 'payment');
const other = idOf(({ role, service }) => role === 'observed' && service === 'checkout');
const message = idOf(({ role, service, type }) => role === 'template' && type === 'template' && service === 'payment');
const endpoint = idOf(({ role, service }) => role === 'endpoint' && service === 'payment');
const late = idOf(({ role, type, service }) => role === 'moment' && type === 'anomaly' && service === 'checkout');

const impact: Claim = {
  kind: 'impact',
  subject: 'payment',
  feature: 'error_rate',
  direction: 'up',
  evidence: [seen],
  horizon: null,
  sentence: `The {${seen}.feature} of {subject} rose to {${seen}.value}, where {${usual}.value} was expected.`,
};
const cause: Claim = {
  ...impact,
  kind: 'cause',
  feature: null,
  direction: null,
  evidence: [deploy],
  sentence: 'A deployment of {subject} may be the cause.',
};
const action: Claim = {
  ...cause,
  kind: 'action',
  horizon: 'immediate',
  sentence: 'Roll {subject} back and watch whether the errors end.',
};
const around: Claim = { ...cause, kind: 'context', sentence: '{subject} was deployed {' + deploy + '.offset}.' };

function textOf(claim: Claim, in_: CheckContext = context): string {
  const checked = checkClaim(in_, claim);
  assert.equal(typeof checked, 'object', `${JSON.stringify(checked)}: ${claim.sentence}`);
  return (checked as { text: string }).text;
}

test('slots are filled with what the report says, and the evidence stands behind the sentence', () => {
  const ids = [seen, usual].toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1))).join(', ');
  assert.match(textOf(impact), /^The error rate of `payment` rose to 2\d(\.\d)? %, where 0\.4 % was expected \(E\d+, E\d+\)\.$/);
  assert.ok(textOf(impact).endsWith(`(${ids}).`));
  assert.match(textOf(around), /^`payment` was deployed 3 min 12 s before the onset \(E\d+\)\.$/);
  assert.match(
    textOf({ ...action, sentence: `Trace a failing call of {${endpoint}.value}.` }),
    /^`payment`: Trace a failing call of `\/pay` /,
  );
  assert.match(
    textOf({
      ...impact,
      sentence: `At {${seen}.from} it went from {${seen}.expected} to {${seen}.observed} in the {${seen}.window}.`,
    }),
    /^`payment`: At 10:30:40 it went from 0\.4 % to 2\d(\.\d)? % in the 1 min to 10:31:40 /,
  );
});

const DROPPED: [DropReason, Claim][] = [
  ['digit', { ...impact, sentence: 'The error rate of {subject} rose by 5 points.' }],
  ['digit', { ...impact, sentence: 'The error rate of {subject} rose \u0665 times.' }],
  ['number_word', { ...impact, sentence: 'The errors of {subject} doubled.' }],
  ['number_word', { ...impact, sentence: 'Dozens of requests of {subject} fail more.' }],
  ['link', { ...impact, sentence: 'The errors of {subject} rose, see https://example.org.' }],
  ['link', { ...impact, sentence: 'The errors of {subject} rose, see example.org for more.' }],
  ['link', { ...impact, sentence: `The errors rose to {${seen}.value}.example of {subject}.` }],
  ['mention', { ...impact, sentence: 'The errors of {subject} rose @here.' }],
  ['mention', { ...impact, sentence: 'The errors of {subject} rose, ask ops@example.org.' }],
  ['markup', { ...impact, sentence: 'The errors of {subject} **rose**.' }],
  ['markup', { ...impact, sentence: 'The errors of {subject} rose <!channel>.' }],
  ['markup', { ...impact, sentence: 'The errors of {subject} rose `here`.' }],
  ['markup', { ...impact, sentence: '- the errors of {subject} rose.' }],
  ['markup', { ...impact, sentence: 'The errors of {subject} rose. The load rose.' }],
  ['invisible', { ...impact, sentence: 'The errors of {subject} \u202Erose.' }],
  ['invisible', { ...impact, sentence: 'The errors of {subject}\nrose.' }],
  ['language', { ...impact, sentence: '{subject} \u0443\u043f\u0430\u043b.' }],
  ['name', { ...impact, sentence: 'The error rate of payment rose.' }],
  ['name', { ...around, sentence: '{subject} and checkout began to deviate.' }],
  ['name', { ...impact, sentence: 'The error rate of OrderDesk rose.' }],
  ['name', { ...impact, sentence: 'The error rate of the order service rose.' }],
  ['vocabulary', { ...impact, sentence: 'The error rate of billing rose.' }],
  ['vocabulary', { ...impact, sentence: 'The connection pool of {subject} is exhausted.' }],
  ['vocabulary', { ...action, sentence: 'Delete the data of {subject}.' }],
  ['vocabulary', { ...impact, sentence: '{subject} ist ausgefallen.' }],
  ['slot', { ...impact, sentence: `{subject} rose to {${seen}.price}.` }],
  ['slot', { ...impact, sentence: '{subject} rose to {payment.value}.' }],
  ['slot', { ...around, evidence: [message], sentence: `{subject} logs {${message}.text}.` }],
  ['length', { ...impact, sentence: `The errors ${'also '.repeat(80)}rose.` }],
  ['length', { ...impact, sentence: '' }],
  ['unknown_subject', { ...impact, subject: 'billing' }],
  ['unknown_evidence', { ...impact, evidence: ['E999'] }],
  ['unknown_evidence', { ...impact, sentence: 'The errors of {subject} rose to {E999.value}.' }],
  ['unknown_evidence', { ...action, evidence: [] }],
  ['foreign_evidence', { ...impact, evidence: [seen, other] }],
  ['foreign_evidence', { ...around, evidence: [late], sentence: '{subject} is affected.' }],
  ['feature', { ...impact, feature: 'p95_latency' }],
  ['feature', { ...impact, sentence: `The latency of {subject} rose to {${seen}.value}.` }],
  ['direction', { ...impact, direction: 'down' }],
  ['direction', { ...impact, sentence: 'The errors of {subject} fell.' }],
  ['direction', { ...impact, feature: null, direction: null }],
  ['value_role', { ...impact, sentence: `{subject} rose to {${usual}.value}.` }],
  ['value_role', { ...impact, sentence: `{subject} rose, where {${seen}.value} was expected.` }],
  ['cause_evidence', { ...cause, evidence: [endpoint] }],
  ['cause_words', { ...around, sentence: '{subject} is the root cause.' }],
  ['cause_words', { ...impact, sentence: 'The errors of {subject} rose because of a change.' }],
  ['not_first_cause', { ...cause, subject: 'checkout', evidence: [late] }],
  ['vocabulary', { ...cause, sentence: '{subject} is the confirmed cause.' }],
  ['negation', { ...around, sentence: '{subject} is not affected.' }],
  ['status', { ...around, sentence: '{subject} has recovered.' }],
];

for (const [reason, claim] of DROPPED) {
  test(`dropped for ${reason}: ${claim.kind} ${JSON.stringify(claim.sentence.slice(0, 70))}`, () => {
    assert.equal(checkClaim(context, claim), reason);
  });
}

test('a technical word may be said of what the cited messages say', () => {
  const claim = { ...around, evidence: [message], sentence: 'Messages of {subject} show an exhausted connection pool.' };
  assert.match(textOf(claim), /exhausted connection pool/);
});

test('context may put another service beside its subject when it names it', () => {
  const claim = {
    ...around,
    evidence: [deploy, late],
    sentence: `{${late}.service} began to deviate at {${late}.value}, near {subject}.`,
  };
  assert.match(textOf(claim), /^`checkout` began to deviate at 10:31:10, near `payment` /);
});

test('a cause is said with care unless the verdict is CONFIRMED, and nothing is likely when it is INCONCLUSIVE', () => {
  const sure = { ...cause, sentence: 'A deployment caused the errors of {subject}.', evidence: [deploy, message] };
  const likely = { ...cause, sentence: 'A deployment is the likely cause.' };
  assert.equal(given.report.verdict, 'CONFIRMED');
  assert.ok(textOf(sure) && textOf(likely));
  const less = { ...context, verdict: 'LIKELY' as const };
  assert.equal(checkClaim(less, sure), 'certainty');
  assert.ok(textOf(likely, less));
  const least = { ...context, verdict: 'INCONCLUSIVE' as const };
  assert.equal(checkClaim(least, likely), 'certainty');
  assert.ok(textOf(cause, least));
});

test('where the stored values lie the other way than the anomaly says, neither direction is said', () => {
  const items = new Map(given.pack.items.map((item) => [item.id, item.id === seen ? { ...item, value: 0 } : item]));
  assert.equal(checkClaim({ ...context, items }, impact), 'direction');
});

test('what is said again or more than anyone reads is left out, and every drop is counted', () => {
  const more = Array.from({ length: 6 }, (_, i) => ({ ...around, sentence: `{subject} is ${'also '.repeat(i)}affected.` }));
  const { kept, dropped } = checkClaims(context, [impact, impact, ...more, { ...impact, subject: 'billing' }]);
  assert.equal(kept.length, 3);
  assert.deepEqual(dropped, { repeated: 1, surplus: 4, unknown_subject: 1 });
});

test('the vocabulary has no number, and no word that says both directions', () => {
  const all = new Set(Object.values(WORDS).flatMap((list) => [...list]));
  for (const word of all) assert.match(word, /^[a-z]+$/);
  assert.deepEqual(
    [...all].filter((word) => NUMBER_WORDS.has(word)),
    [],
  );
  assert.deepEqual(
    [...WORDS.up].filter((word) => WORDS.down.has(word)),
    [],
  );
  assert.deepEqual(familiesOf('latency'), ['latency']);
});

const GOOD_PIECES = `the errors rose fell of is may cause not expected to was , . ; : - 's {subject} {${seen}.value} {${usual}.value}`;
const MIXED_PIECES = `{${deploy}.offset} {${other}.service} {E999.value} { } {{ }} 7 @ # http:// x.io www. <b> \` ** [a](b) payment Redis`;
const HIDDEN_PIECES = ['\u0667', '\u202e', '\u200b', '\n', '\u0435rrors', ' '];

test('whatever a sentence is made of, what is kept has no sign, digit or word of its own', () => {
  const pieces = [...GOOD_PIECES.split(' '), ...MIXED_PIECES.split(' '), ...HIDDEN_PIECES];
  const sentence = fc.oneof(
    fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join(' ')),
    fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 60 }),
  );
  const kind = fc.constantFrom('impact', 'cause', 'action', 'context');
  const ids = fc.subarray([seen, usual, deploy, other, message], { minLength: 1 });
  fc.assert(
    fc.property(sentence, kind, ids, fc.constantFrom('up', 'down', null), (text, of, evidence, direction) => {
      const claim = { kind: of, subject: 'payment', feature: null, direction, evidence, horizon: null, sentence: text } as Claim;
      const checked = checkClaim(context, claim);
      if (typeof checked === 'string') return;
      const own = claim.sentence.replaceAll(/\{[^{}]*\}/g, '');
      assert.doesNotMatch(own, /[^A-Za-z ,;:'.-]|\bRedis|\bpayment|www/);
      assert.match(checked.text, / \(E\d+(, E\d+)*\)\.$/);
    }),
    { numRuns: 3000 },
  );
});

test('the libraries of providers are loaded by the first narrative, and not with the program', () => {
  for (const file of ['model.ts', 'asking.ts', 'narrator.ts', 'check.ts', 'claim.ts', 'carry.ts', 'config.ts']) {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8');
    assert.doesNotMatch(text, /^import (?!type\b).*from '(ai|@ai-sdk\/[^']*|cockatiel)'/m, file);
  }
});
