import { z } from 'zod';
import { HeliosError } from '../lib/errors.ts';
import { nearestName } from '../lib/nearest.ts';
import { FEATURES } from '../model/rollup.ts';
import type { MetricStore, ReceivedSeries, SeriesFilter } from '../store/metric-store.ts';
import type { App, RouteContext } from './app.ts';
import {
  boundedRange,
  labelsOf,
  listParameter,
  stepParameter,
  pageParameters,
  rangeParameters,
  serviceParameter,
  stepOf,
  withLabels,
} from './parameters.ts';
import { metricsSchema, pageOf, seriesSchema } from './schemas.ts';

const DESCRIPTION = `Without from and to: the last hour, up to the end of the current minute.
Window features (${FEATURES.join(', ')}) and received metric series alike; a name that is none of the features is that of a received series.
By step, a gauge is the mean of its points, a total (cumulative) its increase per second, and a delta its sum per second.
\`label.KEY=VALUE\` narrows received series, an empty value to those without the label.
Quantiles of features are nearest-rank, within 1.6 %; their other numbers are exact.`;
const read = { config: { role: 'read' } } as const;

function isFeature(name: string): boolean {
  return (FEATURES as readonly string[]).includes(name);
}

/** A name that nobody sent, and that is nearly a feature's, is a mistake rather than an empty answer. */
async function checkNames(store: MetricStore, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const nearest = nearestName(name, FEATURES);
    if (nearest === null || (await store.series({ names: [name], limit: 1 })).items.length > 0) continue;
    const reason = `there is no metric "${name}"; did you mean "${nearest}"?`;
    throw new HeliosError('invalid_argument', `cannot read the query: name: ${reason}`, { details: { field: 'name' } });
  }
}

type AnswerPoint = [number, number | 'NaN' | 'Infinity' | '-Infinity' | null];

/** Numbers that JSON lacks are text in raw points, as they were sent, and nothing by step. */
function pointOf([ms, value]: [number, number | null], isRaw: boolean): AnswerPoint {
  if (value === null || Number.isFinite(value)) return [ms, value];
  if (!isRaw) return [ms, null];
  return [ms, Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'];
}

function answerOf({ key, unit, points }: ReceivedSeries, isRaw: boolean) {
  const { name, service, environment, namespace } = key;
  const labels: Record<string, string> = { ...key.labels, service };
  if (environment !== '') labels['environment'] = environment;
  if (namespace !== '') labels['namespace'] = namespace;
  return { name, labels, unit, points: points.map((point) => pointOf(point, isRaw)) };
}

interface Wanted {
  /** Of window features, empty for all of them; null when none are asked for. */
  features: string[] | null;
  /** Of received series, empty for all of them; null when none are asked for. */
  received: string[] | null;
}

/** A name without a source is a feature's if there is one of that name; no name means all features. */
function wantedOf({ name: names, source }: { name: string[]; source?: 'received' | undefined }): Wanted {
  if (source === 'received') return { features: null, received: names };
  const received = names.filter((name) => !isFeature(name));
  return {
    features: received.length > 0 && received.length === names.length ? null : names.filter(isFeature),
    received: received.length > 0 ? received : null,
  };
}

/** What metrics are asked for by, besides labels. */
export const metricParameters = {
  service: serviceParameter.optional(),
  name: listParameter(z.string().min(1), 'Names, repeated or separated by commas; absent: all features'),
  source: z
    .enum(['received'])
    .optional()
    .meta({ description: 'received: also names of features mean received series, and no name means all of those' }),
  ...rangeParameters,
  step: stepParameter.optional(),
};
export type MetricsRequest = z.output<z.ZodObject<typeof metricParameters>>;

/** Window features and received series of a request; `labels` narrow the latter. */
export async function answerMetrics(
  { store, metricStore, clock, withDeadline }: Pick<RouteContext, 'store' | 'metricStore' | 'clock' | 'withDeadline'>,
  query: MetricsRequest,
  labels: Record<string, string>,
): Promise<z.output<typeof metricsSchema>> {
  const range = boundedRange(query, clock.nowMs());
  const service = query.service === undefined ? {} : { service: query.service };
  const { features, received } = wantedOf(query);
  if (query.step === 'raw') {
    if (features) throw rawFeatures();
    const points = { ...range, step: 'raw', names: received ?? [], labels, ...service } as const;
    const found = await withDeadline(metricStore.points(points));
    return { step: 'raw' as const, series: found.map((series) => answerOf(series, true)) };
  }
  const stepMs = stepOf(query.step, range);
  if (received && query.source === undefined) await withDeadline(checkNames(metricStore, received));
  const windows = features && (await withDeadline(store.metrics({ ...range, names: features, stepMs, ...service })));
  const points = { ...range, step: stepMs, names: received ?? [], labels, ...service };
  const found = received ? await withDeadline(metricStore.points(points)) : [];
  return { step: stepMs, series: [...(windows?.series ?? []), ...found.map((series) => answerOf(series, false))] };
}

function addMetrics(app: App, context: RouteContext): void {
  app.get('/api/v1/metrics', {
    ...read,
    schema: {
      operationId: 'queryMetrics',
      tags: ['data'],
      summary: 'Window features and received metrics as time series',
      description: DESCRIPTION,
      querystring: withLabels(metricParameters),
      response: { 200: metricsSchema },
    },
    handler: ({ query }) => answerMetrics(context, query, labelsOf(query)),
  });
}

function rawFeatures(): HeliosError {
  const message = 'cannot read the query: step: raw points are those of received series; features have a step';
  return new HeliosError('invalid_argument', message, { details: { field: 'step' } });
}

function addSeries(app: App, { metricStore, withDeadline }: RouteContext): void {
  app.get('/api/v1/series', {
    ...read,
    schema: {
      operationId: 'listSeries',
      tags: ['data'],
      summary: 'Received metric series, by name',
      description: '`label.KEY=VALUE` narrows to series with that label, an empty value to those without it.',
      querystring: withLabels({
        service: serviceParameter.optional(),
        name: listParameter(z.string().min(1), 'Names, repeated or separated by commas; absent: all'),
        ...pageParameters,
      }),
      response: { 200: pageOf(seriesSchema) },
    },
    handler: async ({ query }) => {
      const { service, name: names, limit, cursor } = query;
      const filter: SeriesFilter = { names, labels: labelsOf(query), ...(service === undefined ? {} : { service }) };
      return withDeadline(metricStore.series({ ...filter, limit, ...(cursor === undefined ? {} : { cursor }) }));
    },
  });
}

/** Time series of window features and of received metrics, and which of the latter there are. */
export function addMetricRoutes(app: App, context: RouteContext): void {
  addMetrics(app, context);
  addSeries(app, context);
}
