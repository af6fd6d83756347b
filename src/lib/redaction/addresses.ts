import { isIPv6 } from 'node:net';
import { personal } from './spans.ts';
import type { Span } from './spans.ts';

const MAX_LOCAL = 64;
const LOCAL_UNIT = /[\p{L}\p{N}._%+-]/u;
const DOMAIN =
  /(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:\p{L}{2,24}|xn--[a-z0-9-]{2,59})(?![\p{L}\p{N}@])/uy;
/** `icon@2x.png`, `lodash@4.17.21.tgz` and `git@host:` are no addresses of people. */
const FILE_ENDING = /^\dx\.|\.(?:png|jpe?g|gif|svg|webp|js|mjs|css|json|map|html?|tgz|gz|zip|jar|war|exe|dll|so|txt|log|ya?ml)$/i;

/** E-mail addresses: for every @, what stands before and after it. */
export function* emails(text: string): Iterable<Span> {
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > 0 && at - start < MAX_LOCAL && LOCAL_UNIT.test(text[start - 1] as string)) start--;
    while (start < at && /[.%+-]/.test(text[start] as string)) start++;
    if (start === at) continue;
    DOMAIN.lastIndex = at + 1;
    const domain = DOMAIN.exec(text)?.[0];
    if (domain === undefined || FILE_ENDING.test(domain) || text.slice(start, at) === 'git') continue;
    yield personal(start, at + 1 + domain.length, 'email');
  }
}

const IPV4 = /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d|-(?:SNAPSHOT|RELEASE|alpha|beta|rc|build|r\d)|\+)/gi;
const IPV4_HOST = /(?<![\w.-])ip-(\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3})(?![\w-])/g;
/** What four numbers between dots are behind a version's name, a product of a user agent, or a file's name. */
const PRODUCT = /(?:^|[\s"'(;])[A-Z][\w.-]{0,40}\/$/;
const NAMED_VERSION = /(?:\b|_)(?:version|ver|release|rev|revision|build|tag|image|v)["']?[ :=/-]{1,3}["']?$/i;
const FILE_OR_PACKAGE = /[A-Za-z]-$|\w@$/;

/** Addresses of this machine say nothing about anybody. */
function isOwnMachine(address: string): boolean {
  return /^(?:127\.|0\.0\.0\.0$|255\.255\.255\.255$|::1?$)/.test(address);
}

function* ipv4(text: string): Iterable<Span> {
  for (const { 0: address, index } of text.matchAll(IPV4)) {
    if (address.split('.').some((octet) => Number(octet) > 255) || isOwnMachine(address)) continue;
    const before = text.slice(Math.max(0, index - 48), index);
    if (PRODUCT.test(before) || NAMED_VERSION.test(before) || FILE_OR_PACKAGE.test(before)) continue;
    yield personal(index, index + address.length, 'ip');
  }
  for (const match of text.matchAll(IPV4_HOST)) yield personal(match.index + 3, match.index + match[0].length, 'ip');
}

const IPV6 = /(?<![\w:.])(?:[0-9a-f]{0,4}:){2,8}[0-9a-f.]{0,15}/gi;

function* ipv6(text: string): Iterable<Span> {
  for (const { 0: found, index } of text.matchAll(IPV6)) {
    const after = text[index + found.length] ?? '';
    const address = found.replace(/(?<!:):$|\.$/, '');
    if (/[\w:]/.test(after) && address === found) continue;
    if (!/\d/.test(address) || !isIPv6(address) || isOwnMachine(address)) continue;
    yield personal(index, index + address.length, 'ip');
  }
}

/** Addresses of IPv4 and IPv6, but no versions, times or names of classes. */
export function* ipAddresses(text: string): Iterable<Span> {
  yield* ipv4(text);
  yield* ipv6(text);
}
