import type { Evidence, NarrativeClaim, Report } from '../../model/report.ts';
import { leadWords } from '../template/changes.ts';
import { code } from '../template/markdown.ts';
import { clockTime, day, duration, featureValue, featureWords, number } from '../template/wording.ts';
import type { Written } from './generated-incident.fixture.ts';

/** What stands in a list without actions. */
const NO_ACTION = 'Nothing that follows from this evidence.';
const TIME = /^\d{4}-\d\d-\d\dT/;

function numbersIn(text: string): string[] {
  return text.match(/\d[\d.,:]*/g)?.map((found) => found.replace(/[.,:]$/, '')) ?? [];
}

/** Everything that code may write of a piece of evidence. */
function spoken({ value, feature, from, to }: Evidence, onsetMs: number): string[] {
  const onDay = day(onsetMs);
  const times = [from, to, ...(typeof value === 'string' && TIME.test(value) ? [value] : [])].map((time) => Date.parse(time));
  const said = [
    ...times.map((ms) => clockTime(ms, onDay)),
    ...times.map((ms) => leadWords(onsetMs - ms)),
    duration(Date.parse(to) - Date.parse(from)),
    featureWords(feature ?? ''),
  ];
  if (typeof value !== 'number') return said;
  return [...said, featureValue(feature ?? '', value), number(value), value < 10 ? value.toFixed(1) : number(Math.round(value))];
}

function faultsOfClaim({ text, evidence, kind, subject, feature, direction }: NarrativeClaim, written: Written): string[] {
  const { report, facts } = written;
  const faults: string[] = [];
  const byId = new Map(report.evidence.map((item) => [item.id, item]));
  const cited = evidence.flatMap((id) => byId.get(id) ?? []);
  if (cited.length < evidence.length || cited.length === 0) faults.push('cites what is not there');
  const body = text.replace(/ \(E\d+(, E\d+)*\)\.$/, '');
  const words = body.replaceAll(/`[^`]*`/g, ' ');
  const known = [
    ...cited.map(({ service }) => service),
    ...cited.map(({ value }) => String(value)),
    ...cited.map((item) => item.feature ?? ''),
  ];
  const spans = new Set(known.flatMap((name) => [code(name), code(name, 120), code(name, 160), code(name, 240)]));
  for (const [span] of body.matchAll(/`[^`]*`/g)) if (!spans.has(span)) faults.push(`shows ${span}`);
  const onsetMs = Date.parse(facts.incident.startedAt);
  const numbers = new Set(cited.flatMap((item) => spoken(item, onsetMs)).flatMap(numbersIn));
  for (const found of numbersIn(words)) if (!numbers.has(found)) faults.push(`says ${found}`);
  if (/:\/\/|@|\bwww\.|[<>[\]#*_~\\|]|\p{Cf}/u.test(words)) faults.push('has a link, mention or markup');
  if (kind === 'cause' && subject !== facts.causes[0]?.service) faults.push(`names ${subject} as the cause`);
  const truth = facts.services
    .filter(({ service }) => service === subject)
    .flatMap(({ anomalies }) => anomalies.flatMap(({ anomaly }) => anomaly.attribution))
    .find((attribution) => attribution.feature === feature);
  if (truth && direction !== null && truth.direction !== direction) faults.push(`says that ${feature} went ${direction}`);
  return faults;
}

/** What is wrong with a narrative report, told without the code that checks claims; empty when all is carried by the evidence. */
export function faultsOf(narrated: Report, written: Written, invented: readonly string[] = []): string[] {
  const { report } = written;
  const faults = (narrated.narrative?.claims ?? []).flatMap((claim) => faultsOfClaim(claim, written));
  const said = (narrated.narrative?.claims ?? []).map(({ text }) => text.replaceAll(/`[^`]*`/g, '')).join(' ');
  for (const name of invented)
    if (new RegExp(`\\b${name.replaceAll('.', '\\.')}`, 'i').test(said)) faults.push(`invents ${name}`);
  if (narrated.verdict !== report.verdict) faults.push('has another verdict');
  if (JSON.stringify(narrated.evidence) !== JSON.stringify(report.evidence)) faults.push('has other evidence');
  const outside = narrated.markdown.replaceAll(/`[^`\n]*`/g, '').replaceAll(/\\[\s\S]/g, '');
  if (/[<>[\]`]|:\/\/|@\w|\bwww\./.test(outside)) faults.push('the document has a link, mention or markup');
  const ids = new Set(report.evidence.map(({ id }) => id));
  for (const [id] of said.matchAll(/\bE\d+\b/g)) if (!ids.has(id)) faults.push(`${id} is not listed`);
  // Every line of the facts is still there, in its order.
  const facts = report.markdown
    .split('\n')
    .map((line) => line.replace(/^\d+\. /, ''))
    .filter((line) => line !== NO_ACTION);
  const lines = narrated.markdown.split('\n').map((line) => line.replace(/^\d+\. /, ''));
  let at = 0;
  for (const line of lines) if (at < facts.length && line === facts[at]) at++;
  if (at < facts.length) faults.push(`the facts lost "${facts[at]}"`);
  return faults;
}
