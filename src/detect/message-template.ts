import { HeliosError } from '../lib/errors.ts';
import type { EventBatch, Names } from '../model/event-batch.ts';
import { isErrorLevel } from '../model/event.ts';
import type { TemplateCount } from '../model/template.ts';
import { hashId } from './identifier.ts';
import { TemplateCache, type Template } from './template-cache.ts';
import { cutText, decodeText } from './message-text.ts';
import { maskMessage } from './template-mask.ts';

export interface TemplateOptions {
  /** Templates of one entity in one hour of event time; further ones count as "<other>". */
  maxTemplatesPerEntity?: number;
  /** Counts held between two drains; beyond, messages count as "<other>", and beyond twice as many not at all. */
  maxCounts?: number;
  /** Exact messages remembered; a power of two. */
  cacheSlots?: number;
}

/** Counts error messages by what they have in common. Deterministic for the order of the events. */
export interface TemplateMiner {
  /** Counts the ERROR and CRITICAL messages of a batch per entity, template and minute of event time. */
  observe(batch: EventBatch): void;
  /** The counts since the last call. */
  drain(): TemplateCount[];
  /** Messages that were not counted at all, since the miner was made. */
  readonly droppedCount: number;
  /** The counts not yet drained; what else is held is only a cache. */
  snapshot(): unknown;
  /** Throws `corrupt_data` when `state` is not a snapshot. */
  restore(state: unknown): void;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** A message is judged by this many bytes of its start; a stack trace shows what it is by then. */
const MAX_JUDGED_BYTES = 1024;
const MAX_TEMPLATE_CHARS = 300;
const MAX_EXAMPLE_CHARS = 300;
const OTHER: Template = { id: hashId('template', '<other>'), text: '<other>' };

/** Templates admitted over all entities before all of them are forgotten and admitted anew. */
const MAX_ADMITTED = 50_000;

interface EntityState {
  name: string;
  hour: number;
  /** Templates admitted in `hour`. */
  admitted: Map<string, Cell>;
}

/** The count a template was last added to; not to be added to any more once it is drained. */
interface Cell {
  count: TemplateCount;
  drainNumber: number;
}

/** The start of a message, without a word that would be cut in two: half a key or an address is known for one by nobody. */
function exampleOf(message: string): string {
  if (message.length <= MAX_EXAMPLE_CHARS) return message;
  const start = message.slice(0, MAX_EXAMPLE_CHARS).toWellFormed();
  const space = start.search(/\s\S*$/);
  return space > 0 ? start.slice(0, space) : start;
}

export function createTemplateMiner(options: TemplateOptions = {}): TemplateMiner {
  return new Miner(options);
}

class Miner implements TemplateMiner {
  droppedCount = 0;
  readonly #maxTemplates: number;
  readonly #maxCounts: number;
  readonly #cache: TemplateCache;
  /** Where the message at hand starts in its batch's bytes. */
  #start = 0;
  readonly #entities = new Map<string, EntityState>();
  #names: Names | undefined;
  /** `#entities` by the ids of `#names`. */
  #byId: (EntityState | undefined)[] = [];
  /** Counts since the last drain, by entity, template and minute. */
  #counts = new Map<string, TemplateCount>();
  #drainNumber = 0;
  #admittedCount = 0;

  constructor(options: TemplateOptions) {
    this.#maxTemplates = options.maxTemplatesPerEntity ?? 200;
    this.#maxCounts = options.maxCounts ?? 50_000;
    this.#cache = new TemplateCache(options.cacheSlots ?? 8192);
  }

  observe(batch: EventBatch): void {
    if (batch.names !== this.#names) {
      this.#names = batch.names;
      this.#byId = [];
    }
    for (let i = 0; i < batch.count; i++) if (isErrorLevel(batch.level[i] as number)) this.#count(batch, i);
  }

  drain(): TemplateCount[] {
    const drained = [...this.#counts.values()];
    this.#counts = new Map();
    this.#drainNumber++;
    return drained;
  }

  snapshot(): unknown {
    return { counts: [...this.#counts.values()].map((count) => ({ ...count })), droppedCount: this.droppedCount };
  }

  restore(state: unknown): void {
    const { counts, droppedCount } = (state ?? {}) as { counts?: TemplateCount[]; droppedCount?: number };
    if (!Array.isArray(counts)) throw new HeliosError('corrupt_data', 'cannot restore message templates: not a snapshot');
    this.#counts = new Map(counts.map((count) => [countKey(count.entity, count.templateId, count.minuteMs), { ...count }]));
    this.#forget();
    this.droppedCount = droppedCount ?? 0;
  }

  #count(batch: EventBatch, i: number): void {
    const { bytes } = batch;
    const start = batch.messageStart[i] as number;
    this.#start = start;
    const messageEnd = batch.messageEnd[i] as number;
    const end = cutText(bytes, start, messageEnd, MAX_JUDGED_BYTES);
    let template = this.#cache.get(bytes, start, end);
    if (template === undefined) {
      template = templateOf(decodeText(bytes, start, end), end < messageEnd);
      this.#cache.set(bytes, start, end, template);
    }
    const timestamp = batch.timestamp[i] as number;
    const state = this.#byId[batch.entity[i] as number] ?? this.#entity(batch, i);
    const minuteMs = Math.floor(timestamp / MINUTE_MS) * MINUTE_MS;
    const cell = state.admitted.get(template.id);
    if (cell !== undefined && cell.count.minuteMs === minuteMs && cell.drainNumber === this.#drainNumber) cell.count.count++;
    else this.#open(state, template, minuteMs, bytes, end);
  }

  /** Counts one message whose count is not at hand: of a new template, another minute, or the first since a drain. */
  #open(state: EntityState, wanted: Template, minuteMs: number, bytes: Uint8Array, end: number): void {
    const template = this.#admit(state, wanted, minuteMs);
    const key = countKey(state.name, template.id, minuteMs);
    let count = this.#counts.get(key);
    if (count === undefined) {
      if (this.#counts.size >= this.#maxCounts && template !== OTHER) return this.#open(state, OTHER, minuteMs, bytes, end);
      if (this.#counts.size >= 2 * this.#maxCounts) {
        this.droppedCount++;
        return undefined;
      }
      const example = exampleOf(decodeText(bytes, this.#start, end));
      count = { entity: state.name, templateId: template.id, template: template.text, minuteMs, count: 0, example };
      this.#counts.set(key, count);
    }
    count.count++;
    this.#remember(state, count);
    return undefined;
  }

  #remember(state: EntityState, count: TemplateCount): void {
    const cell = state.admitted.get(count.templateId);
    if (cell !== undefined) {
      cell.count = count;
      cell.drainNumber = this.#drainNumber;
      return;
    }
    state.admitted.set(count.templateId, { count, drainNumber: this.#drainNumber });
    if (++this.#admittedCount > MAX_ADMITTED) this.#forget();
  }

  #forget(): void {
    this.#entities.clear();
    this.#byId = [];
    this.#admittedCount = 0;
  }

  /** The template itself while the entity has room for it in this hour, else "<other>". Late events belong to the newest hour. */
  #admit(state: EntityState, template: Template, minuteMs: number): Template {
    const hour = Math.floor(minuteMs / HOUR_MS);
    // Going far back is a clock that was wrong, or another replay.
    if (hour > state.hour || hour < state.hour - 1) {
      state.hour = hour;
      this.#admittedCount -= state.admitted.size;
      state.admitted.clear();
    }
    return template === OTHER || state.admitted.has(template.id) || state.admitted.size < this.#maxTemplates ? template : OTHER;
  }

  #entity(batch: EventBatch, i: number): EntityState {
    const id = batch.entity[i] as number;
    const name = batch.names.entities.name(id);
    let state = this.#entities.get(name);
    if (state === undefined) {
      state = { name, hour: -Infinity, admitted: new Map() };
      this.#entities.set(name, state);
    }
    this.#byId[id] = state;
    return state;
  }
}

function templateOf(message: string, isCut: boolean): Template {
  // The last word of a cut message may be a part of an id.
  const whole = isCut ? message.replace(/\s\S*$/, '') : message;
  const text = maskMessage(whole.toWellFormed()).slice(0, MAX_TEMPLATE_CHARS).toWellFormed();
  return { id: hashId('template', text), text };
}

function countKey(entity: string, templateId: string, minuteMs: number): string {
  return `${entity}\n${templateId}\n${minuteMs}`;
}
