import { isRandom } from './randomness.ts';
import { secret } from './spans.ts';
import type { Span } from './spans.ts';

const MAX_LENGTH = 2048;
const ENDS_ADDRESS = /[\s"'`<>\\]|$/;

/** Where `user:password@` ends (its @), or -1. A password may hold an @, and a / when what stands before it is no port. */
function endOfUser(address: string): number {
  const slash = address.search(/[/?#]/);
  const authority = slash < 0 ? address : address.slice(0, slash);
  const at = authority.lastIndexOf('@');
  const colon = authority.indexOf(':');
  if (at >= 0 || colon < 0 || /^\d{0,5}$/.test(authority.slice(colon + 1))) return at;
  return address.lastIndexOf('@');
}

/** Passwords, and names that are keys, in addresses: `scheme://user:password@host` (RFC 3986, section 3.2.1). */
export function* urlCredentials(text: string): Iterable<Span> {
  let end = 0;
  for (let mark = text.indexOf('://'); mark >= 0; mark = text.indexOf('://', mark + 3)) {
    const from = mark + 3;
    if (from >= end) end = from + text.slice(from, from + MAX_LENGTH).search(ENDS_ADDRESS);
    const address = text.slice(from, end);
    const at = endOfUser(address);
    if (at < 0) continue;
    const colon = address.indexOf(':');
    const userEnd = colon >= 0 && colon < at ? colon : at;
    if (isRandom(address.slice(0, userEnd))) yield secret(from, from + userEnd, 'url');
    if (userEnd + 1 < at) yield secret(from + userEnd + 1, from + at, 'url');
  }
}
