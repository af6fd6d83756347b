import { MAX_SERVICE_BYTES } from '../../model/event.ts';
import { MAX_ID_BYTES } from '../../model/event-rules.ts';
import type { MetricLineWriter } from '../metric-line-writer.ts';

/** The service of series that name none. */
const UNKNOWN_SERVICE = 'unknown_service';

const NAME = 0;
const SERVICE = 1;
const ENVIRONMENT = 2;
const NAMESPACE = 3;
const PARTS = 4;
/**
 * What is looked at of a part: more than any may have, so that it is still rejected as too long. A symbol of version 2 is
 * referred to by many series, and each compares it.
 */
const MAX_PART_BYTES = MAX_ID_BYTES + MAX_SERVICE_BYTES + 8;

/** What a label may become, and which wins where there are several: the higher rank. */
interface Role {
  text: Uint8Array;
  part: number;
  rank: number;
}

/**
 * OpenTelemetry writes service.namespace and service.name into `job` as "namespace/name" (compatibility with Prometheus,
 * "Resource Attributes"), and may add them as labels of their own, which then win. A plain `namespace` stays a label: in
 * Kubernetes it names what is measured, not who measures.
 */
const RANKED: readonly (readonly [part: number, names: readonly string[]])[] = [
  [NAME, ['__name__']],
  [SERVICE, ['service', 'job', 'service_name', 'service.name']],
  [
    ENVIRONMENT,
    [
      'environment',
      'deployment_environment',
      'deployment.environment',
      'deployment_environment_name',
      'deployment.environment.name',
    ],
  ],
  [NAMESPACE, ['service_namespace', 'service.namespace']],
];
const ROLES: readonly Role[] = RANKED.flatMap(([part, names]) =>
  names.map((name, k) => ({ text: Buffer.from(name), part, rank: k + 1 })),
);
/** Start and end of a label's name, and of its value. */
const LABEL_SIZE = 4;
const JOB_RANK = 2;
const ROLES_BY_LENGTH = Array.from({ length: 32 }, (_, length) => ROLES.filter(({ text }) => text.length === length));

function equal(a: Uint8Array, aStart: number, aEnd: number, b: Uint8Array, bStart: number, bEnd: number): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false;
  for (let k = aEnd - aStart - 1; k >= 0; k--) if (a[aStart + k] !== b[bStart + k]) return false;
  return true;
}

function roleOf(bytes: Uint8Array, start: number, end: number): Role | undefined {
  for (const role of ROLES_BY_LENGTH[end - start] ?? []) {
    if (equal(role.text, 0, role.text.length, bytes, start, end)) return role;
  }
  return undefined;
}

/** The labels of one series, sorted out into name, entity and the rest; all of them ranges of the request's bytes. */
export class RemoteSeries {
  /** The name is not that of the series before. */
  hasNewName = true;
  #bytes: Buffer = Buffer.alloc(0);
  /** `LABEL_SIZE` numbers a label. */
  readonly #labels: number[] = [];
  /** By part: rank of the label that it is taken from (0 for none), where that label is in the list, and its value. */
  readonly #rank = new Uint8Array(PARTS);
  readonly #label = new Uint32Array(PARTS);
  readonly #start = new Uint32Array(PARTS);
  readonly #end = new Uint32Array(PARTS);
  /** The same of the series before, which the writer was told of. */
  readonly #lastRank = new Uint8Array(PARTS);
  readonly #lastStart = new Uint32Array(PARTS);
  readonly #lastEnd = new Uint32Array(PARTS);
  #lastUnit = 0;
  #isFirst = true;

  /** Starts a request. */
  begin(bytes: Uint8Array): void {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#isFirst = true;
    this.clear();
  }

  /** Starts a series. */
  clear(): void {
    this.#labels.length = 0;
    this.#rank.fill(0);
    this.#start.fill(0);
    this.#end.fill(0);
  }

  /** A label with an empty value is one that is not there (Prometheus data model). */
  addLabel(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    if (valueStart === valueEnd) return;
    const label = this.#labels.push(nameStart, nameEnd, valueStart, valueEnd) - LABEL_SIZE;
    const role = roleOf(this.#bytes, nameStart, nameEnd);
    if (role === undefined || role.rank < (this.#rank[role.part] as number)) return;
    this.#rank[role.part] = role.rank;
    this.#label[role.part] = label;
    this.#start[role.part] = valueStart;
    this.#end[role.part] = Math.min(valueEnd, valueStart + MAX_PART_BYTES);
  }

  /** The metric's name, as text. */
  name(): string {
    return this.#text(NAME);
  }

  /** Tells the writer which series follows. */
  apply(writer: MetricLineWriter, unitStart: number, unitEnd: number): void {
    const bytes = this.#bytes;
    const nameStart = this.#start[NAME] as number;
    const nameEnd = this.#end[NAME] as number;
    this.hasNewName = this.#isFirst || !this.#isLast(NAME) || unitStart !== this.#lastUnit;
    if (this.hasNewName) writer.setFamily(bytes, nameStart, nameEnd, bytes, unitStart, unitEnd);
    if (this.#isFirst || !this.#isLast(SERVICE) || !this.#isLast(ENVIRONMENT) || !this.#isLast(NAMESPACE))
      this.#setEntity(writer);
    this.#lastRank.set(this.#rank);
    this.#lastStart.set(this.#start);
    this.#lastEnd.set(this.#end);
    this.#lastUnit = unitStart;
    this.#isFirst = false;
    const { labels } = writer;
    labels.clear();
    for (let k = 0; k < this.#labels.length; k += LABEL_SIZE) {
      if (this.#isPart(k)) continue;
      const valueStart = this.#labels[k + 2] as number;
      labels.set(
        bytes,
        this.#labels[k] as number,
        this.#labels[k + 1] as number,
        bytes,
        valueStart,
        this.#labels[k + 3] as number,
      );
    }
  }

  #isPart(label: number): boolean {
    for (let part = 0; part < PARTS; part++) if (this.#rank[part] !== 0 && this.#label[part] === label) return true;
    return false;
  }

  /** Whether a part is that of the series before. */
  #isLast(part: number): boolean {
    const bytes = this.#bytes;
    if (this.#rank[part] !== this.#lastRank[part]) return false;
    const start = this.#start[part] as number;
    const lastStart = this.#lastStart[part] as number;
    return equal(bytes, start, this.#end[part] as number, bytes, lastStart, this.#lastEnd[part] as number);
  }

  #setEntity(writer: MetricLineWriter): void {
    let service = this.#text(SERVICE) || UNKNOWN_SERVICE;
    let namespace = this.#text(NAMESPACE);
    const slash = service.indexOf('/');
    if (this.#rank[SERVICE] === JOB_RANK && slash > 0 && slash < service.length - 1) {
      namespace ||= service.slice(0, slash);
      service = service.slice(slash + 1);
    }
    writer.setEntity(service, this.#text(ENVIRONMENT), namespace);
  }

  #text(part: number): string {
    return this.#bytes.toString('utf8', this.#start[part], this.#end[part]);
  }
}
