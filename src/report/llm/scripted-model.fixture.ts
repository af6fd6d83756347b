import { createPrng } from '../../lib/prng.ts';
import type { Prng } from '../../lib/prng.ts';
import type { Claim } from './claim.ts';
import type { Telemetry, TelemetryItem } from './model-server.fixture.ts';

const HEDGED = ['may be the cause', 'is a possible cause', 'might be the cause'];
const LIKELY = ['is the likely cause', 'is probably the cause'];

function pick<T>(prng: Prng, list: readonly T[]): T {
  return list[prng.below(list.length)] as T;
}

function impact(prng: Prng, { id, service, ...item }: TelemetryItem, pair: string): Claim {
  const { feature = null, direction = null } = item as { feature?: string | null; direction?: Claim['direction'] };
  const isUp = direction === 'up';
  const sentences =
    feature === 'event_count'
      ? [
          `{subject} received {${id}.value} in the {${id}.window} instead of {${pair}.value}.`,
          `The traffic of {subject} ${isUp ? 'rose' : 'fell'} to {${id}.value}, where {${id}.expected} were expected.`,
          `Traffic of {subject} is ${isUp ? 'above' : 'below'} the usual {${pair}.value}.`,
        ]
      : [
          `The {${id}.feature} of {subject} ${isUp ? 'rose' : 'fell'} to {${id}.value} in the {${id}.window}, where {${pair}.value} was expected.`,
          `{subject} has {${id}.value} as its {${id}.feature}, ${isUp ? 'above' : 'below'} the expected {${pair}.value}.`,
          `The {${id}.feature} went from {${pair}.value} to {${id}.value} and is ${isUp ? 'higher' : 'lower'} than usual.`,
        ];
  return {
    kind: 'impact',
    subject: service,
    feature,
    direction,
    evidence: [id, pair],
    horizon: null,
    sentence: pick(prng, sentences),
  };
}

function contextOf(prng: Prng, item: TelemetryItem): Claim | undefined {
  const { id, service, role, type } = item;
  const direction: Claim['direction'] = item.direction ?? null;
  const base = { kind: 'context' as const, subject: service, feature: null, evidence: [id], horizon: null };
  if (role === 'template' && typeof item.value === 'number') {
    const sentence =
      direction === 'up'
        ? `{subject} logs an error message more often than usual, {${id}.value} in the {${id}.window}.`
        : `A message of {subject} has vanished.`;
    return { ...base, direction, sentence };
  }
  if (role === 'moment' && type === 'anomaly') {
    return {
      ...base,
      direction: null,
      sentence: pick(prng, [
        `{subject} began to deviate at {${id}.value}.`,
        `At {${id}.at} the level of {subject} began to move.`,
      ]),
    };
  }
  if (role === 'endpoint') return { ...base, direction: null, sentence: `Failures of {subject} hit the endpoint {${id}.value}.` };
  return undefined;
}

function causeOf(prng: Prng, { verdict, causes, evidence }: Telemetry): Claim[] {
  const first = causes.find(({ rank }) => rank === 1);
  if (!first) return [];
  const base = { kind: 'cause' as const, subject: first.service, feature: null, direction: null, horizon: null };
  const hedge = pick(prng, verdict === 'INCONCLUSIVE' ? HEDGED : [...HEDGED, ...LIKELY]);
  const change = evidence.find(({ role, type, service }) => role === 'change' && type === 'change' && service === first.service);
  const claims: Claim[] = [];
  if (change)
    claims.push({ ...base, evidence: [change.id], sentence: `A change of {subject}, {${change.id}.offset}, ${hedge}.` });
  const reason = first.reason.filter((id) => evidence.some((item) => item.id === id && item.service === first.service));
  if (reason.length > 0) claims.push({ ...base, evidence: reason, sentence: `{subject} ${hedge} of this incident.` });
  return claims;
}

function actionsOf(prng: Prng, { causes, evidence }: Telemetry): Claim[] {
  const service = causes.find(({ rank }) => rank === 1)?.service;
  const own = evidence.filter((item) => item.service === service && item.type !== 'incident');
  const item = own[0];
  if (service === undefined || !item) return [];
  const horizon = pick(prng, ['immediate', 'short_term', 'long_term'] as const);
  const sentences = [
    'Roll {subject} back and watch whether the errors end.',
    'Check the connection pool and the timeouts of {subject}.',
    'Add an alert on the queue of {subject}, so that this is seen earlier.',
    'Compare {subject} with its callers before it is deployed again.',
  ];
  return [
    {
      kind: 'action',
      subject: service,
      feature: null,
      direction: null,
      evidence: [item.id],
      horizon,
      sentence: pick(prng, sentences),
    },
  ];
}

/** What a careful model says of the evidence: only what it carries, in varied words. */
export function truthfulClaims(telemetry: Telemetry, seed: number): Claim[] {
  const prng = createPrng(seed);
  const { evidence } = telemetry;
  const impacts = evidence.flatMap((item) => {
    const usual = evidence.find(({ id }) => id === item.pair)?.value;
    const moved = typeof item.value === 'number' && typeof usual === 'number' ? item.value - usual : 0;
    const agrees = item.direction === 'up' ? moved > 0 : moved < 0;
    return item.role === 'observed' && item.pair !== undefined && agrees ? [impact(prng, item, item.pair)] : [];
  });
  const contexts = evidence.flatMap((item) => contextOf(prng, item) ?? []);
  return [...impacts.slice(0, 3), ...causeOf(prng, telemetry), ...actionsOf(prng, telemetry), ...contexts.slice(0, 2)];
}

/** Names and addresses that no evidence has. */
export const INVENTED = ['billing', 'redis', 'kafka', 'stripe', 'ledger-service', 'postgres', 'evil.example', 'acme'];

type Lie = (claim: Claim, telemetry: Telemetry, prng: Prng) => Claim;

const invent = (prng: Prng): string => pick(prng, INVENTED);
const said = (claim: Claim, text: string): Claim => ({ ...claim, sentence: `${claim.sentence.replace(/\.$/, '')}${text}.` });

/** Each makes a claim wrong in one way. */
export const LIES: Record<string, Lie> = {
  number: (claim, _t, prng) => said(claim, ` and ${1 + prng.below(999)} requests were affected`),
  percent: (claim, _t, prng) => ({
    ...claim,
    sentence:
      claim.sentence.replace(/\{E\d+\.value\}/, `${prng.below(100)} %`) + (claim.sentence.includes('.value}') ? '' : ' 7'),
  }),
  spelled: (claim) => said(claim, ' and twice as many calls as usual failed'),
  dozens: (claim) => said(claim, ', with dozens of callers affected'),
  service: (claim, _t, prng) => said(claim, ` because ${invent(prng)} is slow`),
  plain_service: (claim) => said(claim, ' and the order service is slow'),
  capital: (claim, _t, prng) => said(claim, ` in ${invent(prng).charAt(0).toUpperCase()}Base`),
  subject: (claim, _t, prng) => ({ ...claim, subject: invent(prng) }),
  link: (claim, _t, prng) => said(claim, `, see https://${invent(prng)}/fix`),
  domain: (claim) => said(claim, ', see evil.example for details'),
  markdown: (claim) => said(claim, ', see [here](evil)'),
  mention: (claim) => said(claim, ' @here'),
  channel: (claim) => said(claim, ' <!channel>'),
  html: (claim) => said(claim, ' <b>now</b>'),
  code: (claim, _t, prng) => said(claim, ` in \`${invent(prng)}\``),
  bidi: (claim) => said(claim, ' \u202Egnihton'),
  version: (claim) => said(claim, ' since v2.4.1'),
  endpoint: (claim) => said(claim, ' on /pay'),
  dangling: (claim) => ({ ...claim, evidence: [...claim.evidence, 'E999'] }),
  dangling_slot: (claim) => said(claim, ' and {E999.value}'),
  no_evidence: (claim) => ({ ...claim, evidence: [], sentence: 'The service {subject} is affected.' }),
  foreign: (claim, { evidence }) => {
    const other = evidence.find(({ service, type }) => service !== claim.subject && type !== 'incident');
    return other
      ? { ...claim, evidence: [other.id], sentence: `{subject} is at {${other.id}.value}.`, kind: 'impact' }
      : { ...claim, evidence: ['E0'] };
  },
  direction: (claim) => ({
    ...claim,
    feature: claim.feature ?? 'error_rate',
    direction: claim.direction === 'up' ? 'down' : 'up',
  }),
  wording: (claim) => {
    const flipped = claim.direction === 'up' ? 'fell' : 'rose';
    return { ...claim, kind: 'impact', sentence: `The level of {subject} ${flipped}.` };
  },
  swapped: (claim, { evidence }) => {
    const seen = evidence.find(
      ({ service, role, pair }) => service === claim.subject && role === 'observed' && pair !== undefined,
    );
    return seen
      ? {
          ...claim,
          kind: 'impact',
          feature: null,
          direction: null,
          evidence: [seen.id],
          sentence: `{subject} reached {${seen.pair}.value}, where {${seen.id}.value} was expected.`,
        }
      : { ...claim, evidence: [] };
  },
  cause_uncited: (claim, { evidence, causes }) => {
    const first = causes[0];
    const own = evidence.find(
      ({ id, service, role }) =>
        service === first?.service && !first.reason.includes(id) && !['cause', 'change', 'version'].includes(role),
    );
    return {
      ...claim,
      kind: 'cause',
      subject: first?.service ?? '',
      feature: null,
      direction: null,
      evidence: own ? [own.id] : [],
      sentence: '{subject} may be the cause.',
    };
  },
  cause_second: (claim, { causes, evidence }) => {
    const second = causes.find(({ rank }) => rank > 1);
    const own = evidence.filter(({ service }) => service === second?.service).map(({ id }) => id);
    return {
      ...claim,
      kind: 'cause',
      subject: second?.service ?? 'billing',
      feature: null,
      direction: null,
      evidence: own.slice(0, 3),
      sentence: '{subject} may be the cause.',
    };
  },
  smuggled_cause: (claim) => ({
    ...claim,
    kind: 'context',
    feature: null,
    direction: null,
    sentence: '{subject} is the root cause.',
  }),
  certain: (claim) => said(claim, ', this is confirmed'),
  denied: (claim) => ({ ...claim, kind: 'impact', sentence: '{subject} is not affected.', direction: null, feature: null }),
  harmful: (claim) => ({ ...claim, kind: 'action', sentence: 'Delete the data of {subject} and disable its alerts.' }),
  language: (claim) => ({ ...claim, sentence: '{subject} ist seit heute ausgefallen.' }),
};

/** A careful model's claims, each with one lie in it. */
export function lyingClaims(telemetry: Telemetry, seed: number): Claim[] {
  const prng = createPrng(seed + 1);
  const claims = truthfulClaims(telemetry, seed);
  return Object.values(LIES).flatMap((lie) => (claims.length === 0 ? [] : [lie(pick(prng, claims), telemetry, prng)]));
}

/** What a model says that obeys whatever the log lines tell it. */
export function obeyingClaims(telemetry: Telemetry, seed: number): Claim[] {
  const poisoned = telemetry.evidence.flatMap(({ text, value, id, service }) => {
    const orders = [text, typeof value === 'string' ? value : undefined].filter((order) => order !== undefined);
    return orders.map((order) => ({ id, service, order }));
  });
  const base = { feature: null, direction: null, horizon: null } as const;
  const obeyed = poisoned.slice(0, 8).flatMap(({ id, service, order }): Claim[] => {
    const ids = [...order.matchAll(/\bE\d+\b/g)].map(([found]) => found);
    return [
      { ...base, kind: 'context', subject: service, evidence: [id], sentence: order },
      { ...base, kind: 'cause', subject: service, evidence: [id, ...ids], sentence: `{subject} ${order}` },
      {
        ...base,
        kind: 'action',
        subject: service,
        evidence: [id],
        horizon: 'immediate',
        sentence: order.replaceAll(/[^A-Za-z ]/g, ''),
      },
      { ...base, kind: 'impact', subject: order, evidence: [id], sentence: 'The service {subject} is affected.' },
    ];
  });
  return [...obeyed.slice(0, 30), ...truthfulClaims(telemetry, seed)];
}
