/** What a key means when it names an attribute. */
export const ROLE = {
  plain: 0,
  /** Becomes the event's service when it is text. */
  serviceName: 1,
  latency: 2,
  endpoint: 3,
  /** Part of the entity, limited in length. */
  identity: 4,
  /** The same under a name that only native events and resources give this meaning. */
  shortIdentity: 5,
  /** A name that this program gives a meaning that OTLP does not. */
  reserved: 6,
  httpMethod: 7,
  httpRoute: 8,
  urlTemplate: 9,
  /** Marks a span whose name is its endpoint, whatever else it says. */
  remoteCall: 10,
} as const;

/** Keys that mean something in every event (`event-rules.ts`). */
export const EVENT_ROLES: Readonly<Record<string, number>> = {
  'service.name': ROLE.serviceName,
  'deployment.environment.name': ROLE.identity,
  'deployment.environment': ROLE.identity,
  'service.namespace': ROLE.identity,
  environment: ROLE.shortIdentity,
  namespace: ROLE.shortIdentity,
  version: ROLE.shortIdentity,
  service_version: ROLE.shortIdentity,
  latency_ms: ROLE.latency,
  endpoint: ROLE.endpoint,
  adjusted_count: ROLE.reserved,
};

/** A key of `metadata`. Numbers of records and resources only ever grow, so nothing has to be cleared. */
export interface MetadataKey {
  readonly text: string;
  readonly bytes: Uint8Array;
  /** As a JSON string with its colon. */
  readonly json: Uint8Array;
  readonly role: number;
  /** Number of the last record that used it. */
  record: number;
  /** Number of the last resource that used it. */
  resource: number;
  /** The record being written uses it beside its resource. */
  clashes: boolean;
}

const SLOTS = 1024;
/** Past either bound, everything but the fixed keys and the current resource's is forgotten before the next record. */
const MAX_KEYS = 4096;
const MAX_KEY_BYTES = 1024 * 1024;

/** Keys by their bytes: senders repeat a few hundred, so a key is hashed and compared, and no string is made. */
export class MetadataKeys {
  #slots: (MetadataKey | undefined)[] = Array.from({ length: SLOTS });
  #known = new Map<string, MetadataKey>();
  #knownBytes = 0;
  readonly #fixed: MetadataKey[] = [];

  constructor(roles: Readonly<Record<string, number>>) {
    for (const [text, role] of Object.entries(roles)) this.fixed(text, role);
  }

  /** The key of this name, never forgotten. */
  fixed(text: string, role: number = ROLE.plain): MetadataKey {
    const known = this.#known.get(text);
    if (known && this.#fixed.includes(known)) return known;
    const key = this.#add(text, role);
    this.#fixed.push(key);
    return key;
  }

  of(text: string): MetadataKey {
    return this.#known.get(text) ?? this.#add(text, ROLE.plain);
  }

  /** The key of UTF-8 bytes; what is not UTF-8 reads as U+FFFD. */
  find(source: Uint8Array, start: number, end: number): MetadataKey {
    const slot = slotOf(source, start, end);
    const cached = this.#slots[slot];
    if (cached && isSame(cached.bytes, source, start, end)) return cached;
    const key = this.of(Buffer.from(source.buffer, source.byteOffset + start, end - start).toString('utf8'));
    this.#slots[slot] = key;
    return key;
  }

  /** Forgets keys when there are too many; `kept` are those of the current resource. */
  trim(kept: readonly MetadataKey[]): void {
    if (this.#known.size <= MAX_KEYS && this.#knownBytes <= MAX_KEY_BYTES) return;
    this.#slots = Array.from({ length: SLOTS });
    this.#known = new Map([...this.#fixed, ...kept].map((key) => [key.text, key]));
    this.#knownBytes = 0;
  }

  #add(text: string, role: number): MetadataKey {
    const bytes = Buffer.from(text);
    const json = Buffer.from(`${JSON.stringify(text)}:`);
    const key: MetadataKey = { text, bytes, json, role, record: 0, resource: 0, clashes: false };
    this.#known.set(text, key);
    this.#knownBytes += bytes.length;
    return key;
  }
}

/** Length and five bytes tell most keys apart; two that share a slot cost a string each time that they take turns. */
function slotOf(source: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length < 5)
    return length === 0 ? 0 : (length * 31 + (source[start] as number) * 7 + (source[end - 1] as number)) & (SLOTS - 1);
  const middle = start + (length >> 1);
  const outer = (source[start] as number) * 5 + (source[end - 1] as number) * 31 + (source[end - 3] as number) * 113;
  const inner = (source[middle] as number) * 17 + (source[middle - 2] as number) * 67;
  return (length * 131 + outer + inner) & (SLOTS - 1);
}

function isSame(key: Uint8Array, source: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let k = 0; k < key.length; k++) if (key[k] !== source[start + k]) return false;
  return true;
}
