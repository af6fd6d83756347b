import { isRandom } from './randomness.ts';
import { secret } from './spans.ts';
import type { Span } from './spans.ts';

interface Shape {
  kind: string;
  /** One of them is in every text that the pattern finds; looking for it costs a tenth. */
  hints: readonly string[];
  /** Global; begins with letters of its own and repeats no more than a bounded number of times, so that it is linear. */
  pattern: RegExp;
  /** Besides looking like it, it has to hold letters and digits in one long piece, as names do not. */
  mustBeRandom?: boolean;
}

/** Keys that are known by their look, by whoever gives them out; the formats are those that the vendors document. */
const SHAPES: readonly Shape[] = [
  { kind: 'aws-key', hints: ['AKIA', 'ASIA', 'ABIA', 'ACCA'], pattern: /(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])/g },
  { kind: 'aws-key', hints: ['AKIA', 'ASIA'], pattern: /(?:AKIA|ASIA)[A-Z0-9]{16}/g },
  { kind: 'token', hints: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], pattern: /gh[pousr]_[A-Za-z0-9]{30,255}/g },
  { kind: 'token', hints: ['github_pat_'], pattern: /github_pat_[A-Za-z0-9_]{22,255}/g },
  { kind: 'token', hints: ['gl'], pattern: /gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|oas)-[\w-]{20,255}/g },
  { kind: 'token', hints: ['xox'], pattern: /xox[abceoprs]-[A-Za-z0-9-]{10,255}/g },
  { kind: 'token', hints: ['xapp-'], pattern: /xapp-[A-Za-z0-9-]{10,255}/g },
  { kind: 'url', hints: ['hooks.slack'], pattern: /hooks\.slack\.com\/(?:services|workflows|triggers)\/[\w/-]{10,255}/g },
  { kind: 'url', hints: ['webhook.office'], pattern: /webhook\.office\.com\/[\w@/-]{10,512}/g },
  { kind: 'url', hints: ['/webhooks/'], pattern: /discord(?:app)?\.com\/api\/webhooks\/\d{5,25}\/[\w-]{10,255}/g },
  { kind: 'key', hints: ['_live_', '_test_'], pattern: /(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,255}/g },
  { kind: 'key', hints: ['whsec_'], pattern: /whsec_[A-Za-z0-9+/=]{16,255}/g },
  { kind: 'key', hints: ['sk-'], pattern: /(?<![A-Za-z0-9])sk-(?:proj|ant|svcacct|admin|or|lf)-[\w-]{16,255}/g },
  { kind: 'key', hints: ['sk-'], pattern: /(?<![A-Za-z0-9])sk-[\w-]{20,255}/g, mustBeRandom: true },
  { kind: 'key', hints: ['AIza'], pattern: /AIza[\w-]{35}/g },
  { kind: 'token', hints: ['ya29.'], pattern: /ya29\.[\w.-]{20,512}/g },
  { kind: 'key', hints: ['GOCSPX-'], pattern: /GOCSPX-[\w-]{20,64}/g },
  { kind: 'key', hints: ['SG.'], pattern: /SG\.[\w-]{16,64}\.[\w-]{16,128}/g },
  { kind: 'key', hints: ['SK'], pattern: /(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![A-Za-z0-9])/g },
  { kind: 'key', hints: ['key-'], pattern: /(?<![A-Za-z0-9])key-[0-9a-f]{32}(?![A-Za-z0-9])/g },
  { kind: 'token', hints: ['npm_'], pattern: /npm_[A-Za-z0-9]{36,64}/g },
  { kind: 'token', hints: ['pypi-'], pattern: /pypi-[\w-]{40,512}/g },
  { kind: 'token', hints: ['_v1_'], pattern: /do[opr]_v1_[a-f0-9]{64}/g },
  { kind: 'token', hints: ['hf_'], pattern: /(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,64}/g },
  { kind: 'token', hints: ['shp'], pattern: /shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}/g },
  { kind: 'token', hints: ['glsa_'], pattern: /glsa_[\w]{32,64}/g },
  { kind: 'token', hints: ['hvs.', 'hvb.', 'hvr.'], pattern: /hv[sbr]\.[\w-]{20,512}/g },
  { kind: 'token', hints: ['dapi'], pattern: /dapi[0-9a-f]{32}/g },
  { kind: 'token', hints: ['lin_api_'], pattern: /lin_api_[A-Za-z0-9]{32,64}/g },
  { kind: 'token', hints: ['ATATT3'], pattern: /ATATT3[\w=-]{20,512}/g },
  { kind: 'key', hints: ['NRAK-'], pattern: /NRAK-[A-Z0-9]{27}/g },
  { kind: 'key', hints: ['AGE-SECRET'], pattern: /AGE-SECRET-KEY-1[A-Z0-9]{58}/g },
  { kind: 'token', hints: [':AA'], pattern: /(?<!\d)\d{8,10}:AA[\w-]{33}/g },
  { kind: 'token', hints: ['sq0'], pattern: /sq0(?:atp|csp)-[\w-]{22,43}/g },
  { kind: 'key', hints: ['PMAK-'], pattern: /PMAK-[a-f0-9]{24}-[a-f0-9]{34}/g },
];

function* knownShapes(text: string): Iterable<Span> {
  for (const { kind, hints, pattern, mustBeRandom = false } of SHAPES) {
    if (!hints.some((hint) => text.includes(hint))) continue;
    for (const match of text.matchAll(pattern)) {
      if (mustBeRandom && !/\d/.test(/[A-Za-z0-9]{16,}/.exec(match[0])?.[0] ?? '')) continue;
      yield secret(match.index, match.index + match[0].length, kind);
    }
  }
}

function isBase64Url(unit: number): boolean {
  return (
    (unit >= 0x30 && unit <= 0x39) ||
    (unit >= 0x41 && unit <= 0x5a) ||
    (unit >= 0x61 && unit <= 0x7a) ||
    unit === 0x2d ||
    unit === 0x5f
  );
}

function endOfRun(text: string, from: number): number {
  let end = from;
  while (end < text.length && isBase64Url(text.charCodeAt(end))) end++;
  return end;
}

/** JSON Web Tokens (RFC 7519): base64url parts between dots, the first a JSON object. Each part is looked at once. */
function* jsonWebTokens(text: string): Iterable<Span> {
  let end = 0;
  for (let start = text.indexOf('eyJ'); start >= 0; start = text.indexOf('eyJ', end)) {
    end = endOfRun(text, start);
    let parts = 1;
    while (parts < 5 && text[end] === '.' && (parts === 1 ? isBase64Url(text.charCodeAt(end + 1)) : true)) {
      end = endOfRun(text, end + 1);
      parts++;
    }
    // Without the second part it is the header alone, or a token that was cut short.
    if (parts > 1 || end - start >= 40) yield secret(start, end, 'jwt');
  }
}

const SCHEME_NAME = /bearer|basic|apikey|negotiate/i;
const SCHEME = /(?<![\w-])(?:bearer|basic|apikey|negotiate)[ \t]{1,4}(?=["']?([\w.~+/=-]{8,8192}))["']?/gi;

/** What follows the name of an HTTP authentication scheme, unless it is a word ("bearer authentication"). */
function* schemes(text: string): Iterable<Span> {
  if (!SCHEME_NAME.test(text)) return;
  for (const match of text.matchAll(SCHEME)) {
    const value = match[1] ?? '';
    const start = match.index + match[0].length;
    const areWords = /^[a-z]+(?:[-/_.][a-z]+)*[.,]?$/i.test(value);
    if (!areWords || isRandom(value, 12)) yield secret(start, start + value.length, 'token');
  }
}

/** `curl -u user:password`, `sshpass -p password`, `mysql -ppassword`. */
const COMMANDS = [
  /\b(?:curl|http|wget)\b[^\n]{0,200}?[ ](?:-u|--user)[ =]["']?[^\s:"']{1,64}:(?=([^\s"']{1,256}))/g,
  /\bsshpass[ ]+-p[ ]?["']?(?=([^\s"']{1,256}))/g,
  /\bmysql\w{0,10}(?:[ ][^\n]{0,200}?)?[ ]-p(?=([^\s"'=-][^\s"']{0,255}))/g,
];

function* commandLines(text: string): Iterable<Span> {
  if (!/curl|wget|http |sshpass|mysql/.test(text)) return;
  for (const pattern of COMMANDS) {
    for (const match of text.matchAll(pattern)) {
      const start = match.index + match[0].length;
      yield secret(start, start + (match[1] as string).length, 'password');
    }
  }
}

/** Secrets that are known by their own look, whatever stands beside them. */
export function* tokens(text: string): Iterable<Span> {
  yield* knownShapes(text);
  yield* jsonWebTokens(text);
  yield* schemes(text);
  yield* commandLines(text);
}
