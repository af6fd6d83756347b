import { entityMatches } from '../../model/entity.ts';
import type { Feedback, FeedbackQuery, QuietRule, QuietRules } from '../../model/feedback.ts';
import { updateRecords, type RecordChange, type RecordStore } from '../../store/record-store.ts';

const PREFIX = 'feedback/';
/** All rules in force: in one record, so that its revision orders them. */
const RULES = `${PREFIX}rules`;
const SAID = `${PREFIX}said/`;
const MISSED = `${PREFIX}missed/`;
const MISSED_ID = 'missed';
const PAGE = 1000;
/** Numbers under one prefix sort as text. */
const DIGITS = 15;

/** What is known of feedback, and what becomes of it. */
export interface FeedbackDraft {
  /** All that was said of the incident, oldest first. */
  said: readonly Feedback[];
  rules: readonly QuietRule[];
  /** Of what is added. */
  nextId: string;
}

export interface FeedbackStep<T> {
  /** Stored under their ids, new or known. */
  changed: readonly Feedback[];
  /** Absent: as they were. */
  rules?: readonly QuietRule[];
  answer: T;
}

const keyPart = (number: number): string => String(number).padStart(DIGITS, '0');

/** Where feedback of an id is; undefined for what is no such id. */
function keyOf(id: string): string | undefined {
  const match = /^(.+)\.(\d{1,15})$/.exec(id);
  if (!match) return undefined;
  const [, of, number] = match as unknown as [string, string, string];
  return of === MISSED_ID ? `${MISSED}${keyPart(Number(number))}` : `${SAID}${of}/${keyPart(Number(number))}`;
}

const rulesIn = (value: unknown): QuietRule[] => (value as { rules?: QuietRule[] } | undefined)?.rules ?? [];

/** Feedback as records, for any number of processes. */
export class FeedbackRecords {
  readonly #records: RecordStore;

  constructor(records: RecordStore) {
    this.#records = records;
  }

  /** Oldest first. */
  of(incidentId: string): Promise<Feedback[]> {
    return this.#all(`${SAID}${incidentId}/`);
  }

  async get(id: string): Promise<Feedback | undefined> {
    const key = keyOf(id);
    const [record] = key === undefined ? [] : await this.#records.get([key]);
    return record?.value as Feedback | undefined;
  }

  /** Newest first. */
  async list({ incidentId, fromMs = -Infinity, toMs = Infinity, label, service }: FeedbackQuery): Promise<Feedback[]> {
    const all = incidentId === undefined ? [...(await this.#all(SAID)), ...(await this.#all(MISSED))] : await this.of(incidentId);
    const wanted = all.filter((feedback) => {
      const atMs = Date.parse(feedback.at);
      const isOfService = service === undefined || feedback.services.some((id) => entityMatches(id, service));
      return atMs >= fromMs && atMs < toMs && (label === undefined || feedback.label === label) && isOfService;
    });
    return wanted.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at) || (a.id < b.id ? 1 : -1));
  }

  async rules(): Promise<QuietRules> {
    const [record] = await this.#records.get([RULES]);
    return { rules: rulesIn(record?.value), revision: record?.revision ?? 0 };
  }

  /** Changes what was said of one incident, and with it the rules, as if nobody else were; `change` may be called several times. */
  async update<T>(incidentId: string, change: (draft: FeedbackDraft) => FeedbackStep<T>): Promise<T> {
    for (;;) {
      const known = await this.of(incidentId);
      const nextId = `${incidentId}.${known.length + 1}`;
      const keys = [...known.map(({ id }) => id), nextId].map((id) => keyOf(id) as string);
      const outcome = await updateRecords(this.#records, [...keys, RULES], (values): RecordChange<{ done: T } | undefined> => {
        // Somebody was faster: there is more to know.
        if (values.has(keys.at(-1) as string)) return { values: new Map(), answer: undefined };
        const said = keys.slice(0, -1).map((key) => values.get(key) as Feedback);
        const { changed, rules, answer } = change({ said, rules: rulesIn(values.get(RULES)), nextId });
        const writes = new Map<string, unknown>(changed.map((feedback) => [keyOf(feedback.id) as string, feedback]));
        if (rules) writes.set(RULES, { rules });
        return { values: writes, answer: { done: answer } };
      });
      if (outcome) return outcome.done;
    }
  }

  /** Keeps a fault that was missed under the first free number from `number` on. */
  async addMissed(number: number, make: (id: string) => Feedback): Promise<Feedback> {
    for (let free = number; ; free++) {
      const feedback = make(`${MISSED_ID}.${free}`);
      if (await this.#records.write([{ key: `${MISSED}${keyPart(free)}`, value: feedback, revision: 0 }])) return feedback;
    }
  }

  /** Changes one record that makes no rule; undefined when there is none. */
  async change(id: string, change: (feedback: Feedback) => Feedback): Promise<Feedback | undefined> {
    const key = keyOf(id);
    if (key === undefined) return undefined;
    return updateRecords(this.#records, [key], (values) => {
      const known = values.get(key) as Feedback | undefined;
      const next = known && change(known);
      return { values: new Map(next ? [[key, next]] : []), answer: next };
    });
  }

  async #all(prefix: string): Promise<Feedback[]> {
    const found: Feedback[] = [];
    for (let after: string | undefined; ;) {
      const page = await this.#records.list({ prefix, limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const { value } of page) found.push(value as Feedback);
      after = page.at(-1)?.key;
      if (page.length < PAGE) return found;
    }
  }
}
