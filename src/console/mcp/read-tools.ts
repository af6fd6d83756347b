import { z } from 'zod';
import type { Event } from '../../model/event.ts';
import type { DocumentKind, Documents, ListQuery, Page } from '../../store/store.ts';
import { found } from '../incident-routes.ts';
import { answerMetrics, metricParameters } from '../metric-routes.ts';
import {
  boundedRange,
  cursorParameter,
  levelParameter,
  limitParameter,
  listParameter,
  openRange,
  present,
  rangeParameters,
  serviceParameter,
} from '../parameters.ts';
import { readReport, versionParameter } from '../report-routes.ts';
import { sizeOf, sizeOfTextsCut } from './bounded-data.ts';
import { defineTool } from './tool.ts';
import type { Tool, ToolAnswer, ToolCall } from './tool.ts';

export const idArgument = z.string().min(1).max(500);
const page = {
  limit: limitParameter
    .unwrap()
    .max(100, 'must be from 1 to 100')
    .default(20)
    .meta({ description: 'Most items in the answer, 1 to 100' }),
  cursor: cursorParameter.optional(),
};
const documents = { service: serviceParameter.optional(), ...rangeParameters, ...page };
const LAST_HOUR = 'Without from and to: the last hour.';

/** Of a page with more than one item: redacting reads all of it, a megabyte in half a second. */
const MAX_READ_BYTES = 2 ** 20;

/** As many items as fit, so that the cursor goes on behind the last of them. */
async function fittingPage<T>(limit: number, maxBytes: number, read: (limit: number) => Promise<Page<T>>): Promise<Page<T>> {
  for (let count = limit; ; count = Math.floor(count / 2)) {
    const answer = await read(count);
    if (count <= 1 || (sizeOfTextsCut(answer) <= maxBytes && sizeOf(answer) <= MAX_READ_BYTES)) return answer;
  }
}

function pageAnswer(what: string, { items, nextCursor }: Page<unknown>): ToolAnswer {
  const more = nextCursor === null ? '' : '; there are more, ask again with cursor set to nextCursor';
  return { summary: `${items.length} ${what}${more}.`, data: { items, nextCursor } };
}

async function listDocuments<K extends DocumentKind>(
  { store, withDeadline, maxBytes }: ToolCall,
  kind: K,
  { from, to, limit, ...rest }: { from?: number | undefined; to?: number | undefined; limit: number },
): Promise<Page<Documents[K]>> {
  const query: Omit<ListQuery, 'limit'> = { ...present(rest), ...openRange({ from, to }) };
  return fittingPage(limit, maxBytes, (count) => withDeadline(store.list(kind, { ...query, limit: count })));
}

const listServices = defineTool({
  name: 'list_services',
  title: 'Services',
  description: `Services that sent events, with how many events and errors. ${LAST_HOUR}`,
  role: 'read',
  input: z.strictObject(rangeParameters),
  async call({ store, clock, withDeadline }, range) {
    const items = await withDeadline(store.services(boundedRange(range, clock.nowMs())));
    return { summary: `${items.length} services.`, data: { items } };
  },
});

const listIncidents = defineTool({
  name: 'list_incidents',
  title: 'Incidents',
  description: 'Incidents, newest first, with their ranked causes; from and to are about when they began.',
  role: 'read',
  input: z.strictObject({ ...documents, status: z.enum(['open', 'acknowledged', 'resolved']).optional() }),
  call: async (context, query) => pageAnswer('incidents', await listDocuments(context, 'incident', query)),
});

const getIncident = defineTool({
  name: 'get_incident',
  title: 'One incident',
  description: 'One incident: status, severity, services, ranked causes, the ids of its anomalies, and its history.',
  role: 'read',
  input: z.strictObject({ id: idArgument }),
  async call({ store, withDeadline }, { id }) {
    const incident = found(await withDeadline(store.get('incident', id)), 'incident', id);
    return { summary: `The incident is ${incident.status}, its severity ${incident.severity}.`, data: { ...incident } };
  },
});

const getReport = defineTool({
  name: 'get_report',
  title: 'Report of an incident',
  description:
    'The report of an incident as Markdown: summary, impact, root cause, actions, timeline, and the evidence (E1, E2, …) for every number in it.',
  role: 'read',
  input: z.strictObject({ id: idArgument, version: versionParameter }),
  async call(context, { id, version }) {
    const report = await readReport(context, id, version);
    const summary = `Version ${report.version} of the report, verdict ${report.verdict}.`;
    return { summary, data: { ...report }, text: report.markdown };
  },
});

const queryMetrics = defineTool({
  name: 'query_metrics',
  title: 'Metrics over time',
  description: `Window features of services (event_count, error_rate, avg_latency, p95_latency, p99_latency, latency_stddev, unique_endpoints, event_velocity) and received metric series; points are [milliseconds since the epoch, value]. ${LAST_HOUR}`,
  role: 'read',
  input: z.strictObject({
    ...metricParameters,
    labels: z.record(z.string(), z.string()).optional().meta({ description: 'Values of labels, of received series' }),
  }),
  async call(context, { labels = {}, ...query }) {
    const answer = await answerMetrics(context, query, labels);
    const series = answer.series.map(({ points: _, ...what }) => what);
    const complete: ToolAnswer['complete'] = (data) => {
      const named = data['series'] as typeof series;
      return { ...data, series: named.map((what, i) => ({ ...what, points: answer.series[i]?.points ?? [] })) };
    };
    return { summary: `${answer.series.length} series.`, data: { step: answer.step, series }, complete };
  },
});

const queryLogs = defineTool({
  name: 'query_logs',
  title: 'Events and log lines',
  description:
    'Raw events, newest first: time, service, level, message, metadata. Without from: from an hour before to, or before now.',
  role: 'read',
  input: z.strictObject({
    service: serviceParameter.optional(),
    level: listParameter(levelParameter, 'Levels DEBUG, INFO, WARN, ERROR, CRITICAL, several by commas; absent: all'),
    text: z.string().min(1).optional().meta({ description: 'Part of the message, in any case' }),
    endpoint: z.string().min(1).optional(),
    ...rangeParameters,
    ...page,
  }),
  async call({ store, clock, withDeadline, maxBytes }, { level: levels, from, to, limit, ...rest }) {
    const range = openRange({ from: from ?? boundedRange({ to }, clock.nowMs()).fromMs, to });
    const events = await fittingPage<Event>(limit, maxBytes, (count) =>
      withDeadline(store.events({ ...present(rest), ...range, levels, limit: count })),
    );
    return pageAnswer('events', events);
  },
});

const listChanges = defineTool({
  name: 'list_changes',
  title: 'Deployments and other changes',
  description: 'Deployments, rollbacks, configuration and infrastructure changes, newest first.',
  role: 'read',
  input: z.strictObject(documents),
  call: async (context, query) => pageAnswer('changes', await listDocuments(context, 'change', query)),
});

export const READ_TOOLS: readonly Tool[] = [
  listServices,
  listIncidents,
  getIncident,
  getReport,
  queryMetrics,
  queryLogs,
  listChanges,
];
