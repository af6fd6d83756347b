import { z } from 'zod';
import { HeliosError } from '../lib/errors.ts';
import type { App, RouteContext } from './app.ts';
import { found } from './incident-routes.ts';
import { reportSchema } from './report-schema.ts';

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

/** The report of an incident, as JSON or Markdown. */
export function addReportRoutes(app: App, { store, withDeadline }: RouteContext): void {
  app.get('/api/v1/incidents/:id/report', {
    config: { role: 'read' },
    schema: {
      operationId: 'getReport',
      tags: ['incidents'],
      summary: 'The newest report of an incident',
      description: 'Markdown with `Accept: text/markdown` or `?format=markdown`, otherwise JSON.',
      params: z.strictObject({ id: z.string().min(1) }),
      querystring: z.strictObject({ format: z.enum(['json', 'markdown']).optional() }),
      response: {
        200: {
          description: 'The report',
          content: { 'application/json': { schema: reportSchema }, 'text/markdown': { schema: z.string() } },
        },
      },
    },
    handler: async ({ params: { id }, query: { format }, headers }, reply) => {
      const report = await withDeadline(store.get('report', id));
      reply.header('vary', 'accept');
      if (!report) {
        found(await withDeadline(store.get('incident', id)), 'incident', id);
        throw new HeliosError('not_found', `cannot find the report of incident ${id}: it is not written yet`);
      }
      if (format === 'markdown' || (format === undefined && prefersMarkdown(headers.accept))) {
        return reply.type('text/markdown; charset=utf-8').send(report.markdown);
      }
      return reply.type('application/json; charset=utf-8').send(report);
    },
  });
}
