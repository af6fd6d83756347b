import { HeliosError } from '../errors.ts';
import { emails, ipAddresses } from './addresses.ts';
import type { RedactionConfig } from './config.ts';
import { createKeyValues } from './key-values.ts';
import { createNames } from './names.ts';
import { cards, phones } from './numbers.ts';
import { pemBlocks } from './pem.ts';
import { mergeSpans, personal } from './spans.ts';
import type { Detector, Span } from './spans.ts';
import { tokens } from './tokens.ts';
import { redactTree } from './tree.ts';
import { urlCredentials } from './urls.ts';
import { viewsOf } from './views.ts';

/** Code units; more at once is refused, so that nothing is sent unread. */
const MAX_TEXT_LENGTH = 2 ** 24;
/** Different values that a session can restore; further ones are replaced for ever, without a number. */
const MAX_PLACEHOLDERS = 100_000;
const PLACEHOLDER = /\[(?:email|ip|phone|card|name|text)-\d{1,6}\]/g;
const PERSONAL: Readonly<Record<RedactionConfig['personal_data'][number], Detector>> = {
  email: emails,
  ip: ipAddresses,
  phone: phones,
  card: cards,
};

export interface Redactor {
  /** A new set of placeholders. Those of two sessions mean different things. */
  open(options?: SessionOptions): RedactionSession;
}

export interface SessionOptions {
  /** Words that are known to be no personal data, such as names of services and versions. They do not protect secrets. */
  keep?: Iterable<string>;
}

/**
 * Everything that leaves in one message. The same value has the same placeholder throughout. What fails throws a `HeliosError` without
 * the text in it, and nothing of that text may be sent.
 */
export interface RedactionSession {
  /**
   * Secrets become `[secret:KIND]` for ever, personal data `[email-1]`, `[ip-2]` and so on. A text is redacted once: what looks like a
   * placeholder already becomes `[text-1]`. Throws `too_large` beyond 16 Mi code units, `internal` for any failure. Linear in the length.
   */
  redact(text: string): string;
  /** The same for every string of a JSON value, keys included; what stands under the name of a secret is removed. */
  redactDeep<T>(value: T): T;
  /** Personal data put back in place of this session's placeholders; only for what stays at home. */
  restore(text: string): string;
}

/** Placeholders of other sessions, or made up by whoever wrote the text, must not be restored to what this session knows. */
function* placeholders(text: string): Iterable<Span> {
  for (const match of text.matchAll(PLACEHOLDER)) yield personal(match.index, match.index + match[0].length, 'text');
}

function detectorsOf(config: RedactionConfig): Detector[] {
  return [
    tokens,
    pemBlocks,
    urlCredentials,
    createKeyValues(config.secret_keys),
    placeholders,
    createNames(config.names),
    ...config.personal_data.map((kind) => PERSONAL[kind]),
  ];
}

/** What the detectors find in the text and in what it decodes to, in positions of the text itself. */
function findSpans(text: string, detectors: readonly Detector[]): Span[] {
  const spans: Span[] = [];
  for (const { text: seen, starts } of viewsOf(text)) {
    for (const detect of detectors) {
      for (const { start, end, ...rest } of detect(seen)) {
        spans.push({ ...rest, start: starts?.[start] ?? start, end: starts?.[end] ?? end });
      }
    }
  }
  return mergeSpans(spans, text);
}

/** Whatever fails becomes an error without the text, which the message of the first may hold. */
function failingClosed<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof HeliosError) throw error;
    throw new HeliosError('internal', `cannot redact: ${error instanceof Error ? error.name : 'unknown error'}`);
  }
}

class Session implements RedactionSession {
  readonly #detectors: readonly Detector[];
  readonly #keep: ReadonlySet<string>;
  readonly #placeholders = new Map<string, string>();
  readonly #originals = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  constructor(detectors: readonly Detector[], { keep = [] }: SessionOptions) {
    this.#detectors = detectors;
    this.#keep = new Set(keep);
  }

  redact(text: string): string {
    if (text.length > MAX_TEXT_LENGTH) {
      throw new HeliosError('too_large', `cannot redact a text of ${text.length} characters: the limit is ${MAX_TEXT_LENGTH}`);
    }
    return failingClosed(() => this.#replace(text, findSpans(text, this.#detectors)));
  }

  redactDeep<T>(value: T): T {
    return failingClosed(() => redactTree(value, (text) => this.redact(text)) as T);
  }

  restore(text: string): string {
    return text.replaceAll(PLACEHOLDER, (placeholder) => this.#originals.get(placeholder) ?? placeholder);
  }

  #replace(text: string, spans: readonly Span[]): string {
    let out = '';
    let end = 0;
    for (const span of spans) {
      const original = text.slice(span.start, span.end);
      if (!span.isSecret && this.#keep.has(original)) continue;
      out += text.slice(end, span.start) + (span.isSecret ? `[secret:${span.kind}]` : this.#placeholderOf(original, span.kind));
      end = span.end;
    }
    return out + text.slice(end);
  }

  #placeholderOf(original: string, kind: string): string {
    const known = this.#placeholders.get(original);
    if (known !== undefined) return known;
    if (this.#placeholders.size >= MAX_PLACEHOLDERS) return `[${kind}]`;
    const number = (this.#counts.get(kind) ?? 0) + 1;
    const placeholder = `[${kind}-${number}]`;
    this.#counts.set(kind, number);
    this.#placeholders.set(original, placeholder);
    this.#originals.set(placeholder, original);
    return placeholder;
  }
}

/** What takes secrets and personal data out of everything that leaves, as configured. */
export function createRedactor(config: RedactionConfig): Redactor {
  const detectors = detectorsOf(config);
  return { open: (options = {}) => new Session(detectors, options) };
}
