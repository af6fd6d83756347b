/** What an exact message is an instance of. */
export interface Template {
  id: string;
  text: string;
}

/**
 * Exact message bytes to template, direct-mapped: a message takes the place of another one with the same slot, so memory is
 * bounded and a hit makes no object. The bytes are compared, so that a forged hash cannot put a message under a wrong template.
 */
export class TemplateCache {
  readonly #messages: (Uint8Array | undefined)[];
  readonly #templates: (Template | undefined)[];
  readonly #mask: number;

  /** `slots` is a power of two. */
  constructor(slots: number) {
    this.#messages = Array.from({ length: slots });
    this.#templates = Array.from({ length: slots });
    this.#mask = slots - 1;
  }

  get(bytes: Uint8Array, start: number, end: number): Template | undefined {
    const slot = this.#slot(bytes, start, end);
    const message = this.#messages[slot];
    if (message === undefined || message.length !== end - start) return undefined;
    for (let i = 0; i < message.length; i++) if (message[i] !== bytes[start + i]) return undefined;
    return this.#templates[slot];
  }

  set(bytes: Uint8Array, start: number, end: number, template: Template): void {
    const slot = this.#slot(bytes, start, end);
    this.#messages[slot] = Uint8Array.prototype.slice.call(bytes, start, end);
    this.#templates[slot] = template;
  }

  #slot(bytes: Uint8Array, start: number, end: number): number {
    let hash = end - start;
    for (let i = start; i < end; i++) hash = Math.imul(hash, 31) + (bytes[i] as number);
    return (hash ^ (hash >>> 15)) & this.#mask;
  }
}
