import type { Evidence } from '../../model/report.ts';
import { isFeature } from '../../model/rollup.ts';
import type { PackItem, PackRole } from '../pack-items.ts';
import type { EvidencePack } from '../pack.ts';
import { leadWords } from '../template/changes.ts';
import { code } from '../template/markdown.ts';
import { clockTime, day, duration, featureValue, featureWords, number } from '../template/wording.ts';

/** What a sentence is made of: words of the model, and slots that code fills. */
export type Part = { text: string } | { slot: string };

export interface Slot {
  /** Evidence id; null in {subject}. */
  id: string | null;
  field: string;
}

const SLOT = /\{([^{}]*)\}/g;

/** "a {E1.value} b" as its parts; braces that close nothing stay text, where they are refused. */
export function partsOf(sentence: string): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const match of sentence.matchAll(SLOT)) {
    parts.push({ text: sentence.slice(from, match.index) }, { slot: (match[1] as string).trim() });
    from = match.index + match[0].length;
  }
  return [...parts, { text: sentence.slice(from) }];
}

/** Undefined when it is neither {subject} nor an evidence id with a field. */
export function slotOf(text: string): Slot | undefined {
  if (text === 'subject') return { id: null, field: 'service' };
  const match = /^(E\d{1,4})\.([a-z]+)$/.exec(text);
  return match ? { id: match[1] as string, field: match[2] as string } : undefined;
}

export function slotsOf(sentence: string): Slot[] {
  return partsOf(sentence).flatMap((part) => ('slot' in part ? (slotOf(part.slot) ?? []) : []));
}

const NAME = /^(?:[A-Z]{3,7} )?[\w./:{}*+~-]{1,120}$/;
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** What slots are filled from. Everything in here is of the report as it is kept at home: nothing is redacted. */
export interface SlotSource {
  pack: EvidencePack;
  items: ReadonlyMap<string, PackItem>;
  evidence: ReadonlyMap<string, Evidence>;
}

/** Endpoints and versions. What reads like a sentence is none: messages stand with the facts, and are quoted nowhere else. */
function nameText(value: string): string | undefined {
  return NAME.test(value) && !value.includes('//') ? code(value, 120) : undefined;
}

/** The value as it is in the report; the pack has it rounded. */
function valueText({ pack, evidence }: SlotSource, item: PackItem): string | undefined {
  const { feature, role } = item;
  const value = evidence.get(item.id)?.value ?? item.value;
  if (typeof value === 'string') return TIME.test(value) ? clockTime(Date.parse(value), startDay(pack)) : nameText(value);
  if (role === 'ratio') return `${value < 10 ? value.toFixed(1) : number(Math.round(value))} times`;
  if (feature !== null) return featureValue(feature, value);
  const unit = item.unit === 'events' && value === 1 ? 'event' : item.unit;
  return unit === '' ? number(value) : `${number(value)} ${unit}`;
}

function startDay({ incident }: EvidencePack): string {
  return day(Date.parse(incident.startedAt));
}

/** When an item is of: its value where that is a time, else the start of its range. */
function momentMs(item: PackItem): number {
  return Date.parse(typeof item.value === 'string' && TIME.test(item.value) ? item.value : item.at.from);
}

/** The item and the one that it is compared with. */
function twin(source: SlotSource, item: PackItem): PackItem | undefined {
  return item.pair === undefined ? undefined : source.items.get(item.pair);
}

const FIELDS: Record<string, (source: SlotSource, item: PackItem) => string | undefined> = {
  value: valueText,
  service: (_source, item) => code(item.service),
  feature: (_source, { feature }) =>
    feature === null ? undefined : isFeature(feature) ? featureWords(feature) : code(feature, 120),
  expected: (source, item) => roleText(source, item, 'expected'),
  observed: (source, item) => roleText(source, item, 'observed'),
  at: ({ pack }, item) => clockTime(momentMs(item), startDay(pack)),
  from: ({ pack }, item) => clockTime(Date.parse(item.at.from), startDay(pack)),
  to: ({ pack }, item) => clockTime(Date.parse(item.at.to), startDay(pack)),
  window: ({ pack }, { at: { from, to } }) => {
    const toMs = Date.parse(to);
    return `${duration(toMs - Date.parse(from))} to ${clockTime(toMs, startDay(pack))}`;
  },
  offset: ({ pack }, item) => leadWords(Date.parse(pack.incident.startedAt) - momentMs(item)),
};

function roleText(source: SlotSource, item: PackItem, role: PackRole): string | undefined {
  const found = item.role === role ? item : twin(source, item);
  return found?.role === role ? valueText(source, found) : undefined;
}

export const SLOT_FIELDS: readonly string[] = Object.keys(FIELDS);

/** What code writes in a slot, as Markdown; undefined when the evidence has no such thing. */
export function slotText(source: SlotSource, slot: Slot, subject: string): string | undefined {
  if (slot.id === null) return code(subject);
  const item = source.items.get(slot.id);
  const field = Object.hasOwn(FIELDS, slot.field) ? FIELDS[slot.field] : undefined;
  return item && field?.(source, item);
}

/** Ids whose values a slot shows: its own, and its twin's where it shows that one. */
export function shownBy(source: SlotSource, { id, field }: Slot): string[] {
  const item = id === null ? undefined : source.items.get(id);
  if (!item) return [];
  const other = field === 'expected' || field === 'observed' ? twin(source, item) : undefined;
  return other && other.role === field ? [item.id, other.id] : [item.id];
}
