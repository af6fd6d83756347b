import { z } from 'zod';
import { HeliosError } from '../lib/errors.ts';
import type { Report } from '../model/report.ts';
import type { App, RouteContext } from './app.ts';
import { documentParameters, found } from './incident-routes.ts';
import { openRange, present } from './parameters.ts';
import { reportSchema } from './report-schema.ts';
import { pageOf } from './schemas.ts';

const MAX_VERSION = 2 ** 31 - 1;
const read = { config: { role: 'read' } } as const;
const idParameter = z.strictObject({ id: z.string().min(1) });

/** Of a report; absent: the newest. */
export const versionParameter = z.coerce
  .number('must be a whole number')
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .max(MAX_VERSION, 'is no version')
  .optional()
  .meta({ description: 'Version of the report; absent: the newest' });

/** What reports are searched by. */
export const reportParameters = {
  text: z
    .string()
    .min(1)
    .max(1000)
    .optional()
    .meta({ description: 'Words, all of which the report holds, in any case; the beginning of a word is enough' }),
  verdict: z.enum(['CONFIRMED', 'LIKELY', 'INCONCLUSIVE']).optional(),
  ...documentParameters,
};

/** Whether `Accept` (RFC 9110, section 12.5.1) prefers Markdown to JSON; of equals the one named first. */
export function prefersMarkdown(accept: string | undefined): boolean {
  let markdown = -1;
  let json = -1;
  const ranges = (accept ?? '*/*').toLowerCase().split(',');
  for (const [position, range] of ranges.entries()) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim());
    const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    // The earlier of equal weights wins by a hair.
    const weight = Number(q) > 0 ? Number(q) - position * 1e-6 : -1;
    if (type === 'text/markdown' || type === 'text/*' || type === 'text/plain') markdown = Math.max(markdown, weight);
    if (type === 'application/json' || type === 'application/*' || type === '*/*') json = Math.max(json, weight);
  }
  return markdown > json;
}

/** The report of an incident, in its newest version or the one asked for; `not_found` says which of the two there is not. */
export async function readReport(
  { store, withDeadline }: Pick<RouteContext, 'store' | 'withDeadline'>,
  id: string,
  version?: number,
): Promise<Report> {
  const report = await withDeadline(version === undefined ? store.get('report', id) : store.get('report', id, version));
  if (report) return report;
  found(await withDeadline(store.get('incident', id)), 'incident', id);
  if (version === undefined)
    throw new HeliosError('not_found', `cannot find the report of incident ${id}: it is not written yet`);
  throw new HeliosError('not_found', `cannot find version ${version} of the report of incident ${id}: there is none`, {
    details: { field: 'version' },
  });
}

function addReport(app: App, context: RouteContext): void {
  app.get('/api/v1/incidents/:id/report', {
    ...read,
    schema: {
      operationId: 'getReport',
      tags: ['incidents'],
      summary: 'The report of an incident',
      description: 'Markdown with `Accept: text/markdown` or `?format=markdown`, otherwise JSON.',
      params: idParameter,
      querystring: z.strictObject({ format: z.enum(['json', 'markdown']).optional(), version: versionParameter }),
      response: {
        200: {
          description: 'The report',
          content: { 'application/json': { schema: reportSchema }, 'text/markdown': { schema: z.string() } },
        },
      },
    },
    handler: async ({ params: { id }, query: { format, version }, headers }, reply) => {
      reply.header('vary', 'accept');
      const report = await readReport(context, id, version);
      if (format === 'markdown' || (format === undefined && prefersMarkdown(headers.accept))) {
        return reply.type('text/markdown; charset=utf-8').send(report.markdown);
      }
      return reply.type('application/json; charset=utf-8').send(report);
    },
  });
}

/** A name that every system takes, whatever the id holds. */
function fileName({ incidentId, version }: Report): string {
  return `incident-${incidentId.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 200)}-v${version}.md`;
}

function addExport(app: App, context: RouteContext): void {
  app.get('/api/v1/incidents/:id/report.md', {
    ...read,
    schema: {
      operationId: 'exportReport',
      tags: ['incidents'],
      summary: 'The report of an incident as one Markdown file',
      params: idParameter,
      querystring: z.strictObject({ version: versionParameter }),
      response: { 200: { description: 'The file', content: { 'text/markdown': { schema: z.string() } } } },
    },
    handler: async ({ params: { id }, query: { version } }, reply) => {
      const report = await readReport(context, id, version);
      reply.header('content-disposition', `attachment; filename="${fileName(report)}"`);
      return reply.type('text/markdown; charset=utf-8').send(report.markdown);
    },
  });
}

function addSearch(app: App, { store, withDeadline }: RouteContext): void {
  app.get('/api/v1/reports', {
    ...read,
    schema: {
      operationId: 'listReports',
      tags: ['incidents'],
      summary: 'Reports, newest first, each incident in its newest version',
      description: 'from and to are about when the report was written.',
      querystring: z.strictObject(reportParameters),
      response: { 200: pageOf(reportSchema) },
    },
    handler: ({ query: { from, to, limit, ...rest } }) =>
      withDeadline(store.list('report', { ...present(rest), ...openRange({ from, to }), limit })),
  });
}

/** Reports: of an incident, as JSON or Markdown, and found by what they say. */
export function addReportRoutes(app: App, context: RouteContext): void {
  addReport(app, context);
  addExport(app, context);
  addSearch(app, context);
}
