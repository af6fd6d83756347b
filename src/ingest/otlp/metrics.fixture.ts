import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** OTLP/JSON of an ExportMetricsServiceRequest, as far as HELIOS reads it: what both encodings of a request are made from. */
export interface AnyValueJson {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string;
  doubleValue?: number | string;
  arrayValue?: { values?: AnyValueJson[] };
  kvlistValue?: { values?: AttributeJson[] };
  bytesValue?: string;
}
export interface AttributeJson {
  key: string;
  value?: AnyValueJson;
}
interface PointJson {
  attributes?: AttributeJson[];
  startTimeUnixNano?: string;
  timeUnixNano?: string;
  flags?: number;
}
export interface NumberPointJson extends PointJson {
  asDouble?: number | string;
  asInt?: string;
}
export interface HistogramPointJson extends PointJson {
  count?: string;
  sum?: number;
  bucketCounts?: string[];
  explicitBounds?: number[];
  min?: number;
  max?: number;
}
export interface ExponentialPointJson extends PointJson {
  count?: string;
  sum?: number;
  scale?: number;
  zeroCount?: string;
  positive?: { offset?: number; bucketCounts?: string[] };
  negative?: { offset?: number; bucketCounts?: string[] };
  min?: number;
  max?: number;
  zeroThreshold?: number;
}
export interface SummaryPointJson extends PointJson {
  count?: string;
  sum?: number;
  quantileValues?: { quantile?: number; value?: number }[];
}
export interface MetricJson {
  name?: string;
  unit?: string;
  gauge?: { dataPoints?: NumberPointJson[] };
  sum?: { dataPoints?: NumberPointJson[]; aggregationTemporality?: number; isMonotonic?: boolean };
  histogram?: { dataPoints?: HistogramPointJson[]; aggregationTemporality?: number };
  exponentialHistogram?: { dataPoints?: ExponentialPointJson[]; aggregationTemporality?: number };
  summary?: { dataPoints?: SummaryPointJson[] };
}
export interface ScopeMetricsJson {
  scope?: { name?: string; version?: string; attributes?: AttributeJson[] };
  metrics?: MetricJson[];
}
export interface MetricsRequestJson {
  resourceMetrics?: { resource?: { attributes?: AttributeJson[] }; scopeMetrics?: ScopeMetricsJson[] }[];
}

type Write = (out: BinaryWriter, value: never) => void;
type Fields = Readonly<Record<string, readonly [number: number, wire: WireType, write: Write]>>;

const { Varint, Bit64, LengthDelimited } = WireType;
const text: Write = (out, value: string) => out.string(value);
const double: Write = (out, value: number | string) => out.double(Number(value));
const fixed64: Write = (out, value: string) => out.fixed64(BigInt(value));
const flag: Write = (out, value: boolean) => out.bool(value);
const uint32: Write = (out, value: number) => out.uint32(value);
const sint32: Write = (out, value: number) => out.sint32(value);

function message(fields: () => Fields): Write {
  return (out, value: object) => out.bytes(encode(fields(), value));
}

function packed(write: Write): Write {
  return (out, values: readonly never[]) => {
    out.fork();
    for (const value of values) write(out, value);
    out.join();
  };
}

/** Each element of a repeated field on its own, in the order of the list. */
const REPEATED = new Set(['resourceMetrics', 'scopeMetrics', 'metrics', 'dataPoints', 'attributes', 'values', 'quantileValues']);

function encode(fields: Fields, value: object): Uint8Array {
  const out = new BinaryWriter();
  for (const [name, content] of Object.entries(value)) {
    const [number, wire, write] = fields[name] as Fields[string];
    const list = (REPEATED.has(name) ? content : [content]) as readonly never[];
    for (const item of list) write(out.tag(number, wire), item);
  }
  return out.finish();
}

const ANY_VALUE: Fields = {
  stringValue: [1, LengthDelimited, text],
  boolValue: [2, Varint, flag],
  intValue: [3, Varint, (out, value: string) => out.int64(BigInt(value))],
  doubleValue: [4, Bit64, double],
  arrayValue: [5, LengthDelimited, message(() => ({ values: [1, LengthDelimited, message(() => ANY_VALUE)] }))],
  kvlistValue: [6, LengthDelimited, message(() => ({ values: [1, LengthDelimited, message(() => KEY_VALUE)] }))],
  bytesValue: [7, LengthDelimited, (out, value: string) => out.bytes(Buffer.from(value, 'base64'))],
};
const KEY_VALUE: Fields = { key: [1, LengthDelimited, text], value: [2, LengthDelimited, message(() => ANY_VALUE)] };
const attributes = (number: number): Fields[string] => [number, LengthDelimited, message(() => KEY_VALUE)];
const TIMES: Fields = { startTimeUnixNano: [2, Bit64, fixed64], timeUnixNano: [3, Bit64, fixed64] };
const TOTALS: Fields = { ...TIMES, count: [4, Bit64, fixed64], sum: [5, Bit64, double] };
const NUMBER_POINT: Fields = {
  ...TIMES,
  attributes: attributes(7),
  asDouble: [4, Bit64, double],
  asInt: [6, Bit64, (out, value: string) => out.sfixed64(BigInt(value))],
  flags: [8, Varint, uint32],
};
const HISTOGRAM_POINT: Fields = {
  ...TOTALS,
  attributes: attributes(9),
  bucketCounts: [6, LengthDelimited, packed(fixed64)],
  explicitBounds: [7, LengthDelimited, packed(double)],
  flags: [10, Varint, uint32],
  min: [11, Bit64, double],
  max: [12, Bit64, double],
};
const BUCKETS: Fields = {
  offset: [1, Varint, sint32],
  bucketCounts: [2, LengthDelimited, packed((out, value: string) => out.uint64(BigInt(value)))],
};
const EXPONENTIAL_POINT: Fields = {
  ...TOTALS,
  attributes: attributes(1),
  scale: [6, Varint, sint32],
  zeroCount: [7, Bit64, fixed64],
  positive: [8, LengthDelimited, message(() => BUCKETS)],
  negative: [9, LengthDelimited, message(() => BUCKETS)],
  flags: [10, Varint, uint32],
  min: [12, Bit64, double],
  max: [13, Bit64, double],
  zeroThreshold: [14, Bit64, double],
};
const SUMMARY_POINT: Fields = {
  ...TOTALS,
  attributes: attributes(7),
  quantileValues: [6, LengthDelimited, message(() => ({ quantile: [1, Bit64, double], value: [2, Bit64, double] }))],
  flags: [8, Varint, uint32],
};
const data = (point: Fields): Write =>
  message(() => ({
    dataPoints: [1, LengthDelimited, message(() => point)],
    aggregationTemporality: [2, Varint, uint32],
    isMonotonic: [3, Varint, flag],
  }));
const METRIC: Fields = {
  name: [1, LengthDelimited, text],
  unit: [3, LengthDelimited, text],
  gauge: [5, LengthDelimited, data(NUMBER_POINT)],
  sum: [7, LengthDelimited, data(NUMBER_POINT)],
  histogram: [9, LengthDelimited, data(HISTOGRAM_POINT)],
  exponentialHistogram: [10, LengthDelimited, data(EXPONENTIAL_POINT)],
  summary: [11, LengthDelimited, data(SUMMARY_POINT)],
};
const SCOPE: Fields = { name: [1, LengthDelimited, text], version: [2, LengthDelimited, text], attributes: attributes(3) };
const SCOPE_METRICS: Fields = {
  scope: [1, LengthDelimited, message(() => SCOPE)],
  metrics: [2, LengthDelimited, message(() => METRIC)],
};
const RESOURCE_METRICS: Fields = {
  resource: [1, LengthDelimited, message(() => ({ attributes: attributes(1) }))],
  scopeMetrics: [2, LengthDelimited, message(() => SCOPE_METRICS)],
};

/** The protobuf encoding, fields in the order of the object's keys. */
export function metricsProtobuf(request: MetricsRequestJson): Uint8Array {
  return encode({ resourceMetrics: [1, LengthDelimited, message(() => RESOURCE_METRICS)] }, request);
}

export function attributesOf(values: Readonly<Record<string, string | number>>): AttributeJson[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { intValue: String(value) },
  }));
}

/** One resource and scope around metrics. */
export function requestOf(
  metrics: MetricJson[],
  resource: Record<string, string> = { 'service.name': 'shop' },
): MetricsRequestJson {
  return { resourceMetrics: [{ resource: { attributes: attributesOf(resource) }, scopeMetrics: [{ metrics }] }] };
}
