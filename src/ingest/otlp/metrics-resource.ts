import { ENVIRONMENT_KEYS, NAMESPACE_KEYS } from '../../model/event-rules.ts';
import { MAX_LABEL_NAME_BYTES, MAX_LABEL_VALUE_BYTES, MAX_LABELS } from '../metric-labels.ts';
import type { LabelSet } from '../metric-labels.ts';
import type { MetricLineWriter } from '../metric-line-writer.ts';

/** The service of telemetry that names none (OpenTelemetry semantic conventions, "Service"). */
const UNKNOWN_SERVICE = 'unknown_service';
const SERVICE_KEY = 'service.name';
const SCOPE_NAME_LABEL = 'otel.scope.name';
const SCOPE_ATTRIBUTE_PREFIX = 'otel.scope.';

/**
 * Resource attributes become labels of every series: replicas that differ only in service.instance.id, host.name or k8s.pod.name
 * must not become one series. Left out is what says how a process was built or started: it is long, and names nothing that
 * another attribute does not.
 */
const DESCRIPTIVE = /^(telemetry\.|process\.(command|runtime|executable|owner)|os\.(description|build_id)|host\.(image|cpu)\.)/;

/** More than what may become labels or the entity; of a resource with more nothing is accepted. */
const MAX_ATTRIBUTES = MAX_LABELS + 4;

/** Text of a range, cut when it is over the limit by a few bytes. */
export function cutText(bytes: Uint8Array, start: number, end: number, limit: number): string {
  return Buffer.from(bytes.subarray(start, Math.min(end, start + limit + 2))).toString();
}

/** The first of these attributes that is set, with its text; both "" for none. */
function first(attributes: ReadonlyMap<string, string>, keys: readonly string[]): { key: string; text: string } {
  for (const key of keys) {
    const text = attributes.get(key);
    if (text) return { key, text };
  }
  return { key: '', text: '' };
}

function addTo(attributes: Map<string, string>, key: string, text: string): void {
  if (attributes.size < MAX_ATTRIBUTES || attributes.has(key)) attributes.set(key, text);
}

function setText(labels: LabelSet, name: string, value: string): void {
  const nameBytes = Buffer.from(name);
  const valueBytes = Buffer.from(value);
  labels.set(nameBytes, 0, nameBytes.length, valueBytes, 0, valueBytes.length);
}

/**
 * What all points of a resource and scope have in common. The scope's name and attributes become labels `otel.scope.…`: two
 * libraries may report metrics of one name. Its version does not, or each upgrade would end every series.
 */
export class MetricsResource {
  scopeName = '';
  /** Attributes as text; the last one of a name wins. */
  readonly #attributes = new Map<string, string>();
  readonly #scopeAttributes = new Map<string, string>();

  /** Starts a resource, or lets go of one. */
  clear(): void {
    this.#attributes.clear();
    this.clearScope();
  }

  clearScope(): void {
    this.scopeName = '';
    this.#scopeAttributes.clear();
  }

  /** From UTF-8, as is the text of `addScope`. */
  add(bytes: Uint8Array, keyStart: number, keyEnd: number, text: string): void {
    const key = cutText(bytes, keyStart, keyEnd, MAX_LABEL_NAME_BYTES);
    if (!DESCRIPTIVE.test(key)) addTo(this.#attributes, key, text);
  }

  addScope(bytes: Uint8Array, keyStart: number, keyEnd: number, text: string): void {
    addTo(this.#scopeAttributes, cutText(bytes, keyStart, keyEnd, MAX_LABEL_NAME_BYTES), text);
  }

  /** Takes the scope's name, from UTF-8. */
  nameScope(bytes: Uint8Array, start: number, end: number): void {
    this.scopeName = cutText(bytes, start, end, MAX_LABEL_VALUE_BYTES);
  }

  /** Tells the writer whose series follow: once, because a request may have millions of scopes and a long resource. */
  apply(writer: MetricLineWriter): void {
    const environment = first(this.#attributes, ENVIRONMENT_KEYS);
    const namespace = first(this.#attributes, NAMESPACE_KEYS);
    writer.setEntity(this.#attributes.get(SERVICE_KEY) || UNKNOWN_SERVICE, environment.text, namespace.text);
    writer.base.clear();
    for (const [name, value] of this.#attributes) {
      const isEntity = name !== '' && (name === SERVICE_KEY || name === environment.key || name === namespace.key);
      if (!isEntity) setText(writer.base, name, value);
    }
    writer.base.mark();
  }

  /** Tells the writer of the scope, in the place of the last one's. */
  applyScope(writer: MetricLineWriter): void {
    writer.base.rewind();
    for (const [name, value] of this.#scopeAttributes) setText(writer.base, SCOPE_ATTRIBUTE_PREFIX + name, value);
    if (this.scopeName !== '') setText(writer.base, SCOPE_NAME_LABEL, this.scopeName);
  }
}
