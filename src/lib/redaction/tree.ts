import { HeliosError } from '../errors.ts';
import { meaningOf } from './key-names.ts';

const MAX_DEPTH = 64;

function isSecretName(name: string): boolean {
  return meaningOf(name)?.strength === 'strong';
}

/** A name is redacted as the text that it is; two that become one are told apart. */
function freeKey(taken: Record<string, unknown>, key: string): string {
  let free = key;
  for (let n = 2; Object.hasOwn(taken, free); n++) free = `${key} (${n})`;
  return free;
}

/**
 * A copy of a JSON value with every string redacted, keys included. Texts and numbers directly under the name of a secret, and texts
 * further below it, are removed. Throws `internal` for what nests deeper than 64 levels, also for a circle.
 */
export function redactTree(value: unknown, redact: (text: string) => string): unknown {
  const secretOf = (text: string, key: string): string => {
    const pair = redact(`${key}: ${JSON.stringify(text)}`);
    // A state such as "expired" or null is none.
    return pair.includes('[secret:') || !isState(text) ? `[secret:${meaningOf(key)?.kind ?? 'secret'}]` : text;
  };
  const walk = (node: unknown, key: string | null, depth: number): unknown => {
    if (depth > MAX_DEPTH) throw new HeliosError('internal', `cannot redact a value: it nests deeper than ${MAX_DEPTH} levels`);
    if (typeof node === 'string') return key === null ? redact(node) : secretOf(node, key);
    if (typeof node === 'number' || typeof node === 'bigint') return redactNumber(node, key, redact);
    if (typeof node !== 'object' || node === null) return node;
    if (Array.isArray(node)) return node.map((item) => walk(item, key, depth + 1));
    if ('toJSON' in node && typeof node.toJSON === 'function') return walk((node.toJSON as () => unknown)(), key, depth + 1);
    const copy: Record<string, unknown> = {};
    for (const [name, inner] of Object.entries(node)) {
      const free = freeKey(copy, redact(name));
      const below = isSecretName(name) ? name : key;
      const redacted = walk(inner, below, depth + 1);
      Object.defineProperty(copy, free, { value: redacted, enumerable: true, configurable: true, writable: true });
    }
    return copy;
  };
  return walk(value, null, 0);
}

function isState(text: string): boolean {
  return text.length === 0 || /^[\s*-]*$/.test(text);
}

/** A number of a card or telephone is a text afterwards; any other stays a number. */
function redactNumber(number: number | bigint, key: string | null, redact: (text: string) => string): unknown {
  const text = String(number);
  const redacted = redact(key === null ? text : `${key}: ${text}`);
  if (key !== null && redacted.includes('[secret:')) return redacted.slice(redacted.indexOf('[secret:'));
  return redacted === text || key !== null ? number : redacted;
}
