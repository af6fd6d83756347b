import { HeliosError } from '../errors.ts';
import { meaningOf } from './key-names.ts';

const MAX_DEPTH = 64;
/** Looks like no state of a secret, and is short of looking random: only the name of a secret makes it one. */
const PROBE = 'x1y2z3';

/** `{ "name": "DB_PASSWORD", "value": … }`, as variables, headers and attributes are listed. */
const LABEL = /^(?:name|key)$/i;
const LABELLED = /^value$/i;

/** Two names that become one are told apart. */
function freeKey(taken: Record<string, unknown>, key: string): string {
  let free = key;
  for (let n = 2; Object.hasOwn(taken, free); n++) free = `${key} (${n})`;
  return free;
}

/** Redacts the values of one JSON tree, each with the names above it. */
class Tree {
  readonly #redact: (text: string) => string;
  readonly #secretNames = new Map<string, boolean>();
  /** Whether a name says anything of its value; most do not. */
  readonly #tellingNames = new Map<string, boolean>();

  constructor(redact: (text: string) => string) {
    this.#redact = redact;
  }

  /** `own`: the name of the value; `above`: the nearest name of a secret that it stands under. */
  walk(node: unknown, own: string | null, above: string | null, depth: number): unknown {
    if (depth > MAX_DEPTH) throw new HeliosError('internal', `cannot redact a value: it nests deeper than ${MAX_DEPTH} levels`);
    if (typeof node === 'string') return this.#named(node, above) ?? this.#named(node, own) ?? this.#redact(node);
    if (typeof node === 'number' || typeof node === 'bigint') return this.#number(node, own, above);
    if (typeof node !== 'object' || node === null) return node;
    if (Array.isArray(node)) return this.#list(node, own, above, depth + 1);
    if ('toJSON' in node && typeof node.toJSON === 'function')
      return this.walk((node.toJSON as () => unknown)(), own, above, depth + 1);
    const copy: Record<string, unknown> = {};
    const entries = Object.entries(node);
    const label = entries.find(([name, inner]) => LABEL.test(name) && typeof inner === 'string')?.[1] as string | undefined;
    for (const [name, inner] of entries) {
      const called = label !== undefined && LABELLED.test(name) ? label : name;
      const value = this.walk(inner, called, this.#isSecretName(called) ? called : above, depth + 1);
      const key = freeKey(copy, this.#redact(name));
      Object.defineProperty(copy, key, { value, enumerable: true, configurable: true, writable: true });
    }
    return copy;
  }

  /** A list of two whose first is the name of a secret is a pair, as headers are listed. */
  #list(items: readonly unknown[], own: string | null, above: string | null, depth: number): unknown[] {
    const [label] = items;
    const isPair = items.length === 2 && typeof label === 'string' && this.#isSecretName(label);
    return items.map((item, i) =>
      isPair && i === 1 ? this.walk(item, label, label, depth) : this.walk(item, own, above, depth),
    );
  }

  #isSecretName(name: string): boolean {
    const isSecret = this.#secretNames.get(name) ?? this.#beside(name, PROBE) !== undefined;
    this.#secretNames.set(name, isSecret);
    return isSecret;
  }

  /** What becomes of a whole text because of a name beside it; undefined: nothing. */
  #named(text: string, name: string | null): string | undefined {
    if (name === null) return undefined;
    const isTelling = this.#tellingNames.get(name) ?? (meaningOf(name) !== undefined || this.#isSecretName(name));
    this.#tellingNames.set(name, isTelling);
    return isTelling ? this.#beside(name, text) : undefined;
  }

  #beside(name: string, text: string): string | undefined {
    const out = this.#redact(`${JSON.stringify(name)}: ${JSON.stringify(text)}`);
    return /: "(\[(?:secret:[a-z-]+|phone-\d+)\])"$/.exec(out)?.[1];
  }

  /** A number of a card or telephone is a text afterwards; any other stays a number. */
  #number(number: number | bigint, own: string | null, above: string | null): unknown {
    const text = String(number);
    const named = this.#named(text, above) ?? this.#named(text, own);
    if (named !== undefined) return named;
    const redacted = this.#redact(text);
    return redacted === text ? number : redacted;
  }
}

/**
 * A copy of a JSON value with every string redacted, names included, and numbers that are secrets or personal data. All that stands under
 * the name of a secret is removed. Throws `internal` for what nests deeper than 64 levels, also for a circle.
 */
export function redactTree(value: unknown, redact: (text: string) => string): unknown {
  return new Tree(redact).walk(value, null, null, 0);
}
