import type { MetricLines, SeriesKind } from '../../model/metric.ts';
import type { ScanLimits } from '../../model/scanner.ts';
import { explicitProblem, exponentialProblem, HistogramPoint, writeExplicit, writeExponential } from '../metric-histogram.ts';
import { MetricLineWriter } from '../metric-line-writer.ts';
import type { MemoryAccount } from '../pending-bytes.ts';
import { ProtobufReader } from '../protobuf-reader.ts';
import { kindOf, MetricFamilies } from './families.ts';
import { int64, isStale, NativeHistogram } from './native-histogram.ts';
import { RemoteSeries } from './series.ts';

export type RemoteWriteVersion = 1 | 2;

/** Lines, and what of the request they hold (the `X-Prometheus-Remote-Write-…-Written` headers of version 2). */
export interface RemoteWriteLines extends MetricLines {
  /** Staleness markers are among them: they are understood, and there is nothing to store. */
  samples: number;
  histograms: number;
  /** Always 0: exemplars are not kept. */
  exemplars: number;
}

/** Tags of prometheus.WriteRequest and io.prometheus.write.v2.Request, and of the messages inside. */
const SERIES = { 1: 10, 2: 42 } as const;
const METADATA_V1 = 26;
const SYMBOLS = 34;
const LABELS = 10;
const LABEL_NAME = 10;
const LABEL_VALUE = 18;
const LABEL_REFS = 10;
const LABEL_REF = 8;
const SAMPLES = 18;
const HISTOGRAMS = { 1: 34, 2: 26 } as const;
const METADATA_V2 = 42;
const CREATED_TIMESTAMP = 48;
const METADATA_TYPE = 8;
const FAMILY_NAME = 18;
const UNIT_REF = 32;
const SAMPLE_VALUE = 9;
const SAMPLE_TIMESTAMP = 16;
const SAMPLE_START_TIMESTAMP = 24;
const TIME_FIELD = 'timestamp';
const MAX_SYMBOLS = 1_000_000;

class RemoteWriteDecoder {
  readonly #reader = new ProtobufReader();
  readonly #writer = new MetricLineWriter();
  readonly #series = new RemoteSeries();
  readonly #native = new NativeHistogram();
  readonly #point = new HistogramPoint();
  #version: RemoteWriteVersion = 1;
  #families = new MetricFamilies();
  /** Start and end of each symbol of a version 2 request. */
  readonly #symbols: number[] = [];
  #kind: SeriesKind = 'gauge';
  #isLineStarted = false;
  #type = 0;
  /** Where the name is listed whose value is the next reference; -1 between labels. */
  #pendingName = -1;
  /** Of all points of a series; 0 when not known. Senders of early drafts of version 2 give it there. */
  #createdMs = 0;
  #samples = 0;
  #histograms = 0;
  /** Made once, not for every message. */
  readonly #readSeries = (): void => this.#timeSeries();
  readonly #readLabel = (): void => this.#label();
  readonly #readSample = (): void => this.#sample();
  readonly #readHistogram = (): void => this.#histogram();

  decode(
    body: Uint8Array,
    version: RemoteWriteVersion,
    limits: ScanLimits,
    families: MetricFamilies,
    memory?: MemoryAccount,
  ): RemoteWriteLines {
    const reader = this.#reader;
    reader.begin(body, version === 1 ? 'prometheus.WriteRequest' : 'io.prometheus.write.v2.Request');
    this.#writer.begin(limits, memory);
    this.#series.begin(body);
    this.#version = version;
    this.#families = families;
    this.#symbols.length = 0;
    this.#samples = 0;
    this.#histograms = 0;
    try {
      this.#each(version === 1 ? METADATA_V1 : SYMBOLS, () => (version === 1 ? this.#familyMetadata() : this.#symbol()));
      this.#each(SERIES[version], this.#readSeries);
      return { ...this.#writer.finish(), samples: this.#samples, histograms: this.#histograms, exemplars: 0 };
    } finally {
      reader.end();
      this.#writer.end();
      this.#series.begin(new Uint8Array(0));
    }
  }

  /** Calls `read` with the reader entered into each field of this tag; goes back to where it started. */
  #each(wanted: number, read: () => void): void {
    const reader = this.#reader;
    const start = reader.position;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag !== wanted) {
        reader.skip(tag);
        continue;
      }
      const outer = reader.enter();
      read();
      reader.leave(outer);
    }
    reader.position = start;
  }

  #symbol(): void {
    const { position, limit } = this.#reader;
    if (this.#symbols.push(position, limit) > 2 * MAX_SYMBOLS) this.#reader.fail(`there are more than ${MAX_SYMBOLS} symbols`);
  }

  /** Checks that a reference is one to a symbol; returns where its start and end are listed. */
  #symbolAt(reference: number): number {
    if (2 * reference >= this.#symbols.length) this.#reader.fail(`there is no symbol ${reference}`);
    return 2 * reference;
  }

  #familyMetadata(): void {
    const reader = this.#reader;
    let type = 0;
    let name = '';
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === METADATA_TYPE) type = reader.varint();
      else if (tag === FAMILY_NAME) {
        const end = reader.range();
        name = Buffer.from(reader.bytes.subarray(reader.position, end)).toString();
        reader.position = end;
      } else reader.skip(tag);
    }
    this.#families.set(name, type);
  }

  #timeSeries(): void {
    const series = this.#series;
    series.clear();
    this.#createdMs = 0;
    if (this.#version === 1) {
      this.#each(LABELS, this.#readLabel);
      series.apply(this.#writer, 0, 0);
      if (series.hasNewName) this.#kind = kindOf(this.#families.typeOf(series.name()), series.name());
    } else this.#describedSeries();
    this.#isLineStarted = false;
    this.#each(SAMPLES, this.#readSample);
    this.#each(HISTOGRAMS[this.#version], this.#readHistogram);
  }

  #label(): void {
    const reader = this.#reader;
    let nameStart = 0;
    let nameEnd = 0;
    let valueStart = 0;
    let valueEnd = 0;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === LABEL_NAME) {
        nameEnd = reader.range();
        nameStart = reader.position;
        reader.position = nameEnd;
      } else if (tag === LABEL_VALUE) {
        valueEnd = reader.range();
        valueStart = reader.position;
        reader.position = valueEnd;
      } else reader.skip(tag);
    }
    this.#series.addLabel(nameStart, nameEnd, valueStart, valueEnd);
  }

  /** Labels, metadata and start of a series of version 2. */
  #describedSeries(): void {
    const reader = this.#reader;
    const { position } = reader;
    let unit = 0;
    this.#type = 0;
    this.#pendingName = -1;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === LABEL_REF) this.#labelRef();
      else if (tag === LABEL_REFS) {
        const outer = reader.enter();
        while (reader.position < reader.limit) this.#labelRef();
        reader.leave(outer);
      } else if (tag === METADATA_V2) {
        const outer = reader.enter();
        unit = this.#seriesMetadata();
        reader.leave(outer);
      } else if (tag === CREATED_TIMESTAMP) {
        reader.varint();
        this.#createdMs = int64(reader);
      } else reader.skip(tag);
    }
    if (this.#pendingName >= 0) reader.fail('a label has no value');
    reader.position = position;
    this.#series.apply(this.#writer, this.#symbols[unit] ?? 0, this.#symbols[unit + 1] ?? 0);
    this.#kind = kindOf(this.#type, this.#series.name());
  }

  #labelRef(): void {
    const symbol = this.#symbolAt(this.#reader.varint());
    const name = this.#pendingName;
    if (name < 0) {
      this.#pendingName = symbol;
      return;
    }
    const [nameStart, nameEnd] = this.#symbols.slice(name, name + 2) as [number, number];
    const [valueStart, valueEnd] = this.#symbols.slice(symbol, symbol + 2) as [number, number];
    this.#series.addLabel(nameStart, nameEnd, valueStart, valueEnd);
    this.#pendingName = -1;
  }

  /** Returns where the unit is listed among the symbols. */
  #seriesMetadata(): number {
    const reader = this.#reader;
    let unit = 0;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === METADATA_TYPE) this.#type = reader.varint();
      else if (tag === UNIT_REF) unit = this.#symbolAt(reader.varint());
      else reader.skip(tag);
    }
    return unit;
  }

  #sample(): void {
    const reader = this.#reader;
    const writer = this.#writer;
    let value = 0;
    let hasEnded = false;
    let timeMs = 0;
    let startMs = this.#createdMs;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === SAMPLE_VALUE) {
        const at = reader.position;
        reader.fixed64();
        hasEnded = isStale(reader.low, reader.high);
        reader.position = at;
        value = reader.double();
      } else if (tag === SAMPLE_TIMESTAMP) {
        reader.varint();
        timeMs = int64(reader);
      } else if (tag === SAMPLE_START_TIMESTAMP) {
        reader.varint();
        startMs = int64(reader) || startMs;
      } else reader.skip(tag);
    }
    if (hasEnded) writer.skip();
    else if (!writer.admit(timeMs, TIME_FIELD)) return;
    else {
      if (!this.#isLineStarted) writer.startLine(this.#kind);
      this.#isLineStarted = true;
      writer.addPoint(timeMs, value, this.#kind === 'gauge' || startMs === 0 ? NaN : startMs);
    }
    this.#samples++;
  }

  #histogram(): void {
    const writer = this.#writer;
    const native = this.#native;
    const point = this.#point;
    let problem = native.read(this.#reader, point);
    if (native.isStale) {
      writer.skip();
      this.#histograms++;
      return;
    }
    problem ??= native.hasCustomBuckets ? explicitProblem(point) : exponentialProblem(point);
    if (problem !== null) {
      writer.reject(...problem);
      return;
    }
    if (!writer.admit(native.timestampMs, TIME_FIELD, true)) return;
    const time = { timeMs: native.timestampMs, startMs: native.startMs || this.#createdMs || NaN };
    const write = native.hasCustomBuckets ? writeExplicit : writeExponential;
    write(writer, native.isGauge ? 'gauge' : 'cumulative', time, point);
    this.#isLineStarted = false;
    this.#histograms++;
  }
}

const decoder = new RemoteWriteDecoder();

/**
 * Lines of the metrics log for the decompressed body of a remote write request. Throws `invalid_body` when it is not one. A
 * staleness marker ends a series and is no value, so nothing is stored for it. `families` is what is remembered of the types
 * that senders of version 1 tell, one for all requests of a sender. `memory` accounts for the lines.
 *
 * What can be stored is, and what cannot is counted and named: the answer is 400 when anything was rejected, so that the sender
 * logs it; Prometheus does not send a request again that was answered with 4xx (Remote-Write 2.0, "Invalid Samples").
 */
export function decodeRemoteWrite(
  body: Uint8Array,
  version: RemoteWriteVersion,
  limits: ScanLimits,
  families: MetricFamilies = new MetricFamilies(),
  memory?: MemoryAccount,
): RemoteWriteLines {
  return decoder.decode(body, version, limits, families, memory);
}
