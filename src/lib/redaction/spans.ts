/** What is to be taken out of a text. */
export interface Span {
  /** Code units, end exclusive. */
  start: number;
  end: number;
  /** "password", "jwt", "email" … */
  kind: string;
  /** Removed for ever; otherwise replaced by a placeholder that can be restored. */
  isSecret: boolean;
}

export type Detector = (text: string) => Iterable<Span>;

export function secret(start: number, end: number, kind: string): Span {
  return { start, end, kind, isSecret: true };
}

export function personal(start: number, end: number, kind: string): Span {
  return { start, end, kind, isSecret: false };
}

/** A password before the @ of an address looks like the start of an e-mail address: the host after it stays readable. */
function isHostOfSecret(first: Span, second: Span, text: string): boolean {
  return first.isSecret && second.kind === 'email' && text[first.end] === '@';
}

/**
 * Spans in order and apart: those that overlap become one, which is a secret when any of them is, and otherwise of the kind of the
 * first and longest.
 */
export function mergeSpans(spans: readonly Span[], text: string): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start || Number(b.isSecret) - Number(a.isSecret) || b.end - a.end)) {
    const last = merged.at(-1);
    if (last === undefined || span.start >= last.end) {
      merged.push({ ...span });
      continue;
    }
    if (isHostOfSecret(last, span, text)) continue;
    if (span.isSecret && !last.isSecret) {
      last.kind = span.kind;
      last.isSecret = true;
    }
    last.end = Math.max(last.end, span.end);
  }
  return merged;
}
