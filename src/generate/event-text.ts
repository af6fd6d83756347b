import { isoTime } from '../lib/clock.ts';
import { LEVELS } from '../model/event.ts';
import type { Fleet } from './fleet.ts';
import type { HopBuffer } from './hop-buffer.ts';
import { ID_WORDS, PARENT, REQUEST, SPAN, TRACE } from './hop-buffer.ts';
import type { MessageTemplate } from './message-template.ts';
import { renderMessage } from './message-template.ts';

const HEX = Array.from({ length: 65_536 }, (_, value) => value.toString(16).padStart(4, '0'));

/** Eight hexadecimal digits of a 32-bit word. */
export function hexWord(word: number): string {
  return (HEX[word >>> 16] as string) + (HEX[word & 0xffff] as string);
}

/** What a hop's event says; its numbers and ids follow from the id of its span. */
export function messageOf(hops: HopBuffer, row: number): string {
  const endpoint = hops.endpoints[row];
  const path = (hops.moved[row] === 1 ? endpoint?.movedPath : endpoint?.path) ?? '';
  return renderMessage(hops.templates[row] as MessageTemplate, {
    ms: hops.latencyMs[row] as number,
    peer: hops.peers[row] as string,
    path,
    version: hops.versions[row] as string,
    seed: hops.ids[row * ID_WORDS + SPAN + 1] as number,
  });
}

const MILLISECONDS = Array.from({ length: 1000 }, (_, value) => `${String(value).padStart(3, '0')}Z`);

/** Writes hops as NDJSON lines. No field holds what JSON would escape. */
export class EventText {
  readonly #fleet: Fleet;
  #second = -1;
  #prefix = '';

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** One line with its newline. */
  line(hops: HopBuffer, row: number): string {
    const { ids } = hops;
    const at = row * ID_WORDS;
    const endpoint = hops.endpoints[row];
    const path = hops.moved[row] === 1 ? endpoint?.movedPath : endpoint?.path;
    const service = this.#fleet.services[endpoint?.service ?? 0]?.name;
    const word = (i: number): string => hexWord(ids[at + i] as number);
    const trace = word(TRACE) + word(TRACE + 1) + word(TRACE + 2) + word(TRACE + 3);
    const hasParent = ids[at + PARENT] !== 0 || ids[at + PARENT + 1] !== 0;
    const parent = hasParent ? `,"parent_span_id":"${word(PARENT)}${word(PARENT + 1)}"` : '';
    return `${this.#time(hops.timestampMs[row] as number)}","service":"${service}","level":"${
      LEVELS[hops.level[row] as number]
    }","message":"${messageOf(hops, row)}","metadata":{"latency_ms":${hops.latencyMs[row]},"endpoint":"${path}","request_id":"req_${word(
      REQUEST,
    )}","service.version":"${hops.versions[row]}"},"trace_id":"${trace}","span_id":"${word(SPAN)}${word(SPAN + 1)}"${parent}}\n`;
  }

  #time(ms: number): string {
    const second = Math.floor(ms / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#prefix = `{"timestamp":"${isoTime(second * 1000).slice(0, 20)}`;
    }
    return this.#prefix + (MILLISECONDS[ms - second * 1000] as string);
  }
}
