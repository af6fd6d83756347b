import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

const { Varint, Bit64, LengthDelimited } = WireType;

/** A native histogram; integer counts are sent as deltas, with `isFloat` as they are. */
export interface NativeJson {
  timestampMs: number;
  count: number;
  sum: number;
  schema: number;
  zeroThreshold?: number;
  zeroCount?: number;
  /** Offset and length. */
  positiveSpans?: [number, number][];
  positive?: number[];
  negativeSpans?: [number, number][];
  negative?: number[];
  customValues?: number[];
  resetHint?: number;
  startMs?: number;
  isFloat?: boolean;
}

export interface SeriesJson {
  labels: [name: string, value: string][];
  /** Time, value, and start where known (version 2). */
  samples?: [timestampMs: number, value: number, startMs?: number][];
  histograms?: NativeJson[];
  exemplars?: number;
  /** Version 2. */
  type?: number;
  unit?: string;
  createdMs?: number;
}

export interface FamilyJson {
  name: string;
  type: number;
}

const STALE = Uint8Array.of(2, 0, 0, 0, 0, 0, 0xf0, 0x7f);
/** Stands for a staleness marker among values. */
export const STALE_VALUE = Symbol('stale') as unknown as number;

/** A double, bit for bit also where it is the staleness marker. */
function value(out: BinaryWriter, number: number): void {
  if (number === STALE_VALUE) out.raw(STALE);
  else out.double(number);
}

function part(out: BinaryWriter, field: number, write: (inner: BinaryWriter) => void): void {
  out.tag(field, LengthDelimited).fork();
  write(out);
  out.join();
}

function spans(out: BinaryWriter, field: number, list: readonly [number, number][] = []): void {
  for (const [offset, length] of list) {
    part(out, field, () => out.tag(1, Varint).sint32(offset).tag(2, Varint).uint32(length));
  }
}

function counts(out: BinaryWriter, deltas: number, list: readonly number[] = [], isFloat = false): void {
  if (list.length === 0) return;
  if (isFloat) part(out, deltas + 1, () => list.forEach((count) => out.double(count)));
  else part(out, deltas, () => list.forEach((count, k) => out.sint64(BigInt(count - (list[k - 1] ?? 0)))));
}

function histogram(out: BinaryWriter, field: number, native: NativeJson): void {
  const { isFloat = false, zeroCount = 0 } = native;
  part(out, field, () => {
    if (isFloat) out.tag(2, Bit64).double(native.count).tag(7, Bit64).double(zeroCount);
    else out.tag(1, Varint).uint64(native.count).tag(6, Varint).uint64(zeroCount);
    value(out.tag(3, Bit64), native.sum);
    out.tag(4, Varint).sint32(native.schema);
    out.tag(5, Bit64).double(native.zeroThreshold ?? 0);
    spans(out, 8, native.negativeSpans);
    counts(out, 9, native.negative, isFloat);
    spans(out, 11, native.positiveSpans);
    counts(out, 12, native.positive, isFloat);
    if (native.resetHint !== undefined) out.tag(14, Varint).uint32(native.resetHint);
    out.tag(15, Varint).int64(native.timestampMs);
    if (native.customValues) part(out, 16, () => native.customValues?.forEach((bound) => out.double(bound)));
    if (native.startMs !== undefined) out.tag(17, Varint).int64(native.startMs);
  });
}

/** The bytes of a prometheus.WriteRequest. */
export function remoteWrite1(series: readonly SeriesJson[], families: readonly FamilyJson[] = []): Uint8Array {
  const out = new BinaryWriter();
  for (const one of series) {
    part(out, 1, () => {
      for (const [name, text] of one.labels)
        part(out, 1, () => out.tag(1, LengthDelimited).string(name).tag(2, LengthDelimited).string(text));
      for (const [timestampMs, number] of one.samples ?? []) {
        part(out, 2, () => value(out.tag(2, Varint).int64(timestampMs).tag(1, Bit64), number));
      }
      for (let k = 0; k < (one.exemplars ?? 0); k++) part(out, 3, () => out.tag(2, Bit64).double(k));
      for (const native of one.histograms ?? []) histogram(out, 4, native);
    });
  }
  for (const { name, type } of families) {
    part(out, 3, () =>
      out.tag(1, Varint).uint32(type).tag(2, LengthDelimited).string(name).tag(4, LengthDelimited).string('Help.'),
    );
  }
  return out.finish();
}

/** The bytes of an io.prometheus.write.v2.Request, its symbols behind the series. */
export function remoteWrite2(series: readonly SeriesJson[]): Uint8Array {
  const out = new BinaryWriter();
  const symbols = [''];
  const symbol = (text: string): number => {
    const known = symbols.indexOf(text);
    return known < 0 ? symbols.push(text) - 1 : known;
  };
  for (const one of series) {
    part(out, 5, () => {
      part(out, 1, () => one.labels.flat().forEach((text) => out.uint32(symbol(text))));
      for (const [timestampMs, number, startMs] of one.samples ?? []) {
        part(out, 2, () => {
          value(out.tag(1, Bit64), number);
          out.tag(2, Varint).int64(timestampMs);
          if (startMs !== undefined) out.tag(3, Varint).int64(startMs);
        });
      }
      for (const native of one.histograms ?? []) histogram(out, 3, native);
      for (let k = 0; k < (one.exemplars ?? 0); k++) part(out, 4, () => out.tag(2, Bit64).double(k));
      part(out, 5, () =>
        out
          .tag(1, Varint)
          .uint32(one.type ?? 0)
          .tag(3, Varint)
          .uint32(0)
          .tag(4, Varint)
          .uint32(symbol(one.unit ?? '')),
      );
      if (one.createdMs !== undefined) out.tag(6, Varint).int64(one.createdMs);
    });
  }
  for (const text of symbols) out.tag(4, LengthDelimited).string(text);
  return out.finish();
}
