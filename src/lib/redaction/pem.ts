import { secret } from './spans.ts';
import type { Span } from './spans.ts';

const BEGIN = /-----BEGIN [A-Z0-9 ]{1,64}-----/g;
const END = /-----END [A-Z0-9 ]{1,64}-----/g;
/** The largest keys in use have a quarter of it. */
const MAX_LENGTH = 32_768;
/** A line or word of base64, or a header of RFC 1421. */
const BODY = /\s*(?:(?:Proc-Type|DEK-Info|Version|Comment)[^\n]{0,200}|[A-Za-z0-9+/=]{16,})/y;
const LAST = /\s{0,4}[A-Za-z0-9+/]{0,15}={0,2}/y;

/** Where the base64 after a beginning without end stops. */
function endOfBody(text: string, from: number): number {
  let end = from;
  for (BODY.lastIndex = end; BODY.test(text); BODY.lastIndex = end) end = BODY.lastIndex;
  LAST.lastIndex = end;
  return end > from && LAST.test(text) ? LAST.lastIndex : end;
}

/** PEM blocks (RFC 7468) of any kind; one that was cut short goes as far as its base64. */
export function* pemBlocks(text: string): Iterable<Span> {
  let end = -1;
  END.lastIndex = 0;
  BEGIN.lastIndex = 0;
  for (let match = BEGIN.exec(text); match !== null; match = BEGIN.exec(text)) {
    const start = match.index;
    const bodyStart = BEGIN.lastIndex;
    // The next end is looked for once, however many beginnings come before it.
    while (end < bodyStart && end !== Infinity) end = END.test(text) ? END.lastIndex : Infinity;
    const stop = end - start <= MAX_LENGTH ? end : endOfBody(text, bodyStart);
    yield secret(start, stop, 'pem');
    BEGIN.lastIndex = stop;
  }
}
