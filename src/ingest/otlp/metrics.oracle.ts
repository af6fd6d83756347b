import { ENVIRONMENT_KEYS, NAMESPACE_KEYS } from '../../model/event-rules.ts';
import type { SeriesKind } from '../../model/metric.ts';
import type { ScanLimits } from '../../model/scanner.ts';
import { CumulativeBuckets, cumulate, SparseBuckets } from '../exponential-buckets.ts';
import { histogramParts, PlainWriter } from '../metric.oracle.ts';
import type { PlainPart, PlainResult, PlainSeries } from '../metric.oracle.ts';
import type {
  AnyValueJson,
  AttributeJson,
  ExponentialPointJson,
  HistogramPointJson,
  MetricJson,
  MetricsRequestJson,
  NumberPointJson,
  SummaryPointJson,
} from './metrics.fixture.ts';

/** Values inside of arrays and objects, as JSON. */
function jsonOf(value: AnyValueJson | undefined): string {
  if (value?.stringValue !== undefined) return JSON.stringify(value.stringValue);
  if (value?.bytesValue !== undefined) return JSON.stringify(value.bytesValue);
  if (value?.boolValue !== undefined) return String(value.boolValue);
  if (value?.intValue !== undefined) return value.intValue;
  if (value?.doubleValue !== undefined) {
    const number = Number(value.doubleValue);
    return Number.isFinite(number) ? JSON.stringify(number) : JSON.stringify(String(number));
  }
  if (value?.arrayValue) return `[${(value.arrayValue.values ?? []).map(jsonOf).join(',')}]`;
  if (!value?.kvlistValue) return 'null';
  const members = (value.kvlistValue.values ?? []).map((member) => `${JSON.stringify(member.key)}:${jsonOf(member.value)}`);
  return `{${members.join(',')}}`;
}

function textOf(value: AnyValueJson | undefined): string {
  if (value === undefined || Object.keys(value).length === 0) return '';
  const json = jsonOf(value);
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

const pairs = (attributes: AttributeJson[] = []): [string, string][] => attributes.map(({ key, value }) => [key, textOf(value)]);

/** Nanoseconds as text to milliseconds, cut to microseconds; NaN for none. */
function msOf(nanos: string | undefined): number {
  const micros = BigInt(nanos ?? '0') / 1000n;
  return micros === 0n ? NaN : Number(micros) / 1000;
}

interface Context {
  writer: PlainWriter;
  series: PlainSeries;
}

type Point = NumberPointJson & HistogramPointJson & ExponentialPointJson & SummaryPointJson;

/** Whether a point of any type can be judged further; what it is counted as when not. */
function isReadable(writer: PlainWriter, point: Point, kind: SeriesKind | null): kind is SeriesKind {
  if (((point.flags ?? 0) & 1) === 1) writer.skip();
  else if (kind === null) writer.reject('aggregation_temporality', 'must be delta or cumulative');
  else if (Number.isNaN(msOf(point.timeUnixNano))) writer.reject('time_unix_nano', 'is required');
  else return true;
  return false;
}

function addNumbers({ writer, series }: Context, points: NumberPointJson[], kind: SeriesKind | null): void {
  let before = '';
  for (const point of points) {
    const attributes = JSON.stringify(point.attributes ?? []);
    const continues = before === attributes;
    before = '';
    if (!isReadable(writer, point, kind)) continue;
    if (point.asDouble === undefined && point.asInt === undefined) {
      writer.reject('value', 'is required');
      continue;
    }
    const value = Number(point.asDouble ?? point.asInt);
    const startMs = kind === 'gauge' ? NaN : msOf(point.startTimeUnixNano);
    const own = { ...series, kind, labels: pairs(point.attributes) };
    if (writer.add(own, msOf(point.timeUnixNano), [{ suffix: '', kind, value, startMs }], continues)) before = attributes;
  }
}

function addExplicit(point: HistogramPointJson, out: CumulativeBuckets): string[] | null {
  const { bucketCounts = [], explicitBounds = [] } = point;
  if (bucketCounts.length === 0 ? explicitBounds.length > 0 : bucketCounts.length !== explicitBounds.length + 1) {
    return ['bucket_counts', 'must be one more than explicit_bounds'];
  }
  if (explicitBounds.some((bound, k) => k > 0 && bound <= (explicitBounds[k - 1] as number))) {
    return ['explicit_bounds', 'must be numbers in ascending order'];
  }
  let total = 0;
  for (const [k, bound] of explicitBounds.entries()) {
    total += Number(bucketCounts[k]);
    out.add(bound, total);
  }
  return null;
}

function addExponential(point: ExponentialPointJson, out: CumulativeBuckets): string[] | null {
  const { scale = 0, zeroCount = '0', zeroThreshold = 0 } = point;
  if (Math.abs(scale) > 32) return ['scale', 'must be from -32 to 32'];
  const [positive, negative] = [point.positive, point.negative].map((buckets) => {
    const sparse = new SparseBuckets();
    for (const [k, count] of (buckets?.bucketCounts ?? []).entries()) sparse.add((buckets?.offset ?? 0) + k, Number(count));
    return sparse;
  }) as [SparseBuckets, SparseBuckets];
  cumulate({ scale, zeroCount: Number(zeroCount), zeroThreshold, positive, negative }, out);
  return null;
}

function addHistograms(
  { writer, series }: Context,
  form: 'explicit' | 'exponential' | 'summary',
  points: Point[],
  kind: SeriesKind | null,
): void {
  for (const point of points) {
    if (!isReadable(writer, point, kind)) continue;
    const buckets = new CumulativeBuckets();
    const problem =
      form === 'explicit' ? addExplicit(point, buckets) : form === 'exponential' ? addExponential(point, buckets) : null;
    if (problem) {
      writer.reject(problem[0] as string, problem[1] as string);
      continue;
    }
    const count = Number(point.count ?? 0);
    const startMs = msOf(point.startTimeUnixNano);
    const own = { ...series, labels: pairs(point.attributes) };
    const totals = { count, sum: point.sum ?? (form === 'summary' ? 0 : NaN), min: point.min ?? NaN, max: point.max ?? NaN };
    let parts = histogramParts(kind, startMs, totals, buckets.bounds, buckets.counts);
    if (form === 'summary') {
      const quantiles = (point.quantileValues ?? []).map(({ quantile = 0, value = 0 }): PlainPart => {
        return { suffix: '', kind: 'gauge', extra: ['quantile', String(quantile)], value, startMs: NaN };
      });
      parts = [...parts.filter(({ suffix }) => suffix === '_count' || suffix === '_sum'), ...quantiles];
    }
    writer.add(own, msOf(point.timeUnixNano), parts);
  }
}

function kindOf(temporality: number | undefined, isMonotonic: boolean | undefined): SeriesKind | null {
  if (temporality === 2) return isMonotonic ? 'cumulative' : 'gauge';
  return temporality === 1 ? 'delta' : null;
}

function addMetric(context: Context, metric: MetricJson): void {
  const { gauge, sum, histogram, exponentialHistogram, summary } = metric;
  if (gauge) addNumbers(context, gauge.dataPoints ?? [], 'gauge');
  if (sum) addNumbers(context, sum.dataPoints ?? [], kindOf(sum.aggregationTemporality, sum.isMonotonic));
  if (histogram) addHistograms(context, 'explicit', histogram.dataPoints ?? [], kindOf(histogram.aggregationTemporality, true));
  if (exponentialHistogram) {
    const kind = kindOf(exponentialHistogram.aggregationTemporality, true);
    addHistograms(context, 'exponential', exponentialHistogram.dataPoints ?? [], kind);
  }
  if (summary) addHistograms(context, 'summary', summary.dataPoints ?? [], 'cumulative');
}

const LEFT_OUT = ['telemetry.', 'process.command', 'process.runtime', 'process.executable', 'process.owner', 'os.description'];

/** What the transcoder makes of a request, plainly; a metric must hold one kind of data. */
export function plainMetrics(request: MetricsRequestJson, limits: ScanLimits): PlainResult {
  const writer = new PlainWriter(limits, 'time_unix_nano');
  for (const { resource, scopeMetrics = [] } of request.resourceMetrics ?? []) {
    const attributes = new Map(pairs(resource?.attributes));
    const firstOf = (keys: readonly string[]): string => keys.find((key) => attributes.get(key)) ?? 'none';
    const parts = { service: 'service.name', environment: firstOf(ENVIRONMENT_KEYS), namespace: firstOf(NAMESPACE_KEYS) };
    const labels = [...attributes].filter(
      ([key]) => !Object.values(parts).includes(key) && !LEFT_OUT.some((start) => key.startsWith(start)),
    );
    for (const { scope, metrics = [] } of scopeMetrics) {
      const scopeLabels = [...new Map(pairs(scope?.attributes))].map(([key, value]): [string, string] => [
        `otel.scope.${key}`,
        value,
      ]);
      if (scope?.name) scopeLabels.push(['otel.scope.name', scope.name]);
      for (const metric of metrics) {
        const series: PlainSeries = {
          name: metric.name ?? '',
          kind: 'gauge',
          unit: metric.unit ?? '',
          service: attributes.get(parts.service) || 'unknown_service',
          environment: attributes.get(parts.environment) ?? '',
          namespace: attributes.get(parts.namespace) ?? '',
          base: [...labels, ...scopeLabels],
          labels: [],
        };
        addMetric({ writer, series }, metric);
      }
    }
  }
  return writer.result;
}
