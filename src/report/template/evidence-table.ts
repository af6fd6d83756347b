import type { Evidence } from '../../model/report.ts';
import { code, codeCell } from './markdown.ts';
import { featureWords } from './wording.ts';
import { get } from './writing.ts';

const TYPE_WORDS: Record<Evidence['type'], string> = {
  metric: 'measured',
  expected: 'expected',
  anomaly: 'anomaly',
  ratio: 'factor',
  change: 'change',
  template: 'error message count',
  event: 'event',
  incident: 'incident',
  endpoint: 'failing endpoint',
  version: 'version',
  call: 'span id of a call',
};

/** Names of fields in words; a field that is a word already stands for itself. */
const FIELD_WORDS: Record<string, string> = {
  startedAt: 'start',
  detectedAt: 'detection',
  acknowledgedAt: 'acknowledgement',
  resolvedAt: 'end',
  at: 'time',
  stage: 'how well the baseline is known',
  by: 'closed by',
  reason: 'reason',
};

const BOUND_WORDS: Record<string, string> = { low: 'low end of normal', high: 'high end of normal' };

/** The last word of a pointer into a document says what the value is: "startedAt". */
function what({ type, feature, pointer, derived }: Evidence): string {
  const field = pointer.split('/').at(-1) ?? '';
  if (derived?.rule === 'count') return `${TYPE_WORDS[type]}, how many`;
  if (derived?.rule === 'product') return 'events that failed';
  if (type === 'ratio') return feature ? `${featureWords(feature)}, factor` : 'error message, factor';
  if (feature) return `${featureWords(feature)}, ${BOUND_WORDS[field] ?? TYPE_WORDS[type]}`;
  return ['anomaly', 'incident', 'change'].includes(type)
    ? `${TYPE_WORDS[type]}, ${FIELD_WORDS[field] ?? field}`
    : TYPE_WORDS[type];
}

/** Where a value stands, or what it follows from. */
function where({ query, pointer, derived }: Evidence): string {
  const place = `${get(query)} at \`${pointer}\``;
  if (derived === undefined) return place;
  if (derived.rule === 'count') {
    const conditions = derived.where.map((part) => `, ${code(part.pointer)} ${codeCell(String(part.value ?? 'none'), 120)}`);
    return `entries of ${place}${conditions.join('')}`;
  }
  if (derived.rule === 'product') return `${derived.of.join(' × ')}, rounded`;
  return `${derived.of.join(' / ')}${derived.rule === 'ratio' ? '' : ', each over its time'}`;
}

/** Every cited fact with its exact value and the call that answers it. */
export function evidenceTable(items: Evidence[]): string {
  const rows = items.map((item) => {
    const value = typeof item.value === 'number' ? String(item.value) : codeCell(item.value, 120);
    const unit = item.unit === '' ? '' : ` ${item.unit}`;
    return `| ${item.id} | ${item.service === '' ? 'all services' : codeCell(item.service)}: ${what(item)} | ${value}${unit} | ${where(item)} |`;
  });
  return [
    'Exact values. Each is at the JSON Pointer named, in the answer of the call named (put the address of HELIOS in front), or follows from other items.',
    '',
    '| Id | What | Value | Where |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
