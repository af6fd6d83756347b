import swagger from '@fastify/swagger';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { problemSchema } from './schemas.ts';

const PROBLEMS = {
  400: 'A parameter or the body is malformed',
  401: 'No API key, or an unknown one',
  403: 'The API key lacks the role or the service',
  404: 'No such thing',
  408: 'The body did not arrive in time',
  409: 'The state forbids it, or the same request is in flight',
  410: 'Retention has passed the cursor',
  413: 'The body is over the limit, before or after decompression',
  415: 'A content type or encoding that is not understood',
  422: 'The idempotency key was used with another body',
  429: 'The client is over its rate; see Retry-After',
  503: 'Took too long, overloaded, starting or stopping; see Retry-After',
} as const;

/** Error answers for a route's `response`. */
export function problemAnswers(statuses: readonly (keyof typeof PROBLEMS)[]): Record<string, unknown> {
  const content = { 'application/problem+json': { schema: problemSchema } };
  return Object.fromEntries(statuses.map((status) => [status, { description: PROBLEMS[status], content }]));
}

interface DocumentedSchema {
  querystring?: unknown;
  body?: unknown;
  params?: unknown;
  response?: Record<string, unknown>;
  security?: unknown;
}

/**
 * Adds to a route's schema what all routes share, so that each says only what is its own: the error answers that follow
 * from what it takes and who may ask, and that the API takes no parameters but those it names.
 */
function complete(route: RouteOptions): void {
  const schema = route.schema as DocumentedSchema | undefined;
  const role = route.config?.role;
  if (!schema || role === undefined) return;
  schema.security = [{ bearer: [] }, { apiKey: [] }];
  schema.querystring ??= z.strictObject({});
  const paged = schema.querystring instanceof z.ZodObject && 'cursor' in schema.querystring.shape;
  schema.response = {
    ...problemAnswers([400, 401, 403, 503]),
    ...(schema.params ? problemAnswers([404]) : {}),
    ...(paged ? problemAnswers([410]) : {}),
    ...(schema.body ? problemAnswers([409, 413, 415]) : {}),
    ...schema.response,
  };
}

/** The document without components that nothing refers to: of each schema there is an input and an output form. */
function withoutUnused<T extends object>(document: T): T {
  const { paths, components } = document as { paths?: unknown; components?: { schemas?: Record<string, unknown> } };
  const schemas = components?.schemas ?? {};
  const used = new Set<string>();
  const visit = (value: unknown): void => {
    for (const [, name] of JSON.stringify(value ?? null).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (name === undefined || used.has(name)) continue;
      used.add(name);
      visit(schemas[name]);
    }
  };
  visit(paths);
  const kept = Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
  return { ...document, components: { ...components, schemas: kept } };
}

/** Without the bounds of what a double holds exactly, which every integer would have: they tell a reader nothing. */
function withoutSafeBounds<T extends object>(document: T): T {
  const unbounded = (key: string, value: unknown): unknown =>
    (key === 'maximum' || key === 'minimum') && Math.abs(value as number) === Number.MAX_SAFE_INTEGER ? undefined : value;
  return JSON.parse(JSON.stringify(document, unbounded)) as T;
}

/** Derives the OpenAPI 3.1 document from the routes' own schemas; `app.swagger()` answers it. Call before adding routes. */
export async function addOpenapi(app: FastifyInstance, version: string): Promise<void> {
  app.addHook('onRoute', complete);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'HELIOS', version, description: 'Watches event streams, detects incidents, and writes their reports.' },
      tags: [
        { name: 'data', description: 'Events and what is computed from them' },
        { name: 'incidents', description: 'Anomalies, incidents, reports and changes' },
        { name: 'feedback', description: 'What people say of incidents, and what follows from it' },
        { name: 'models', description: 'Isolation forests' },
        { name: 'simulations', description: 'What would have fired under other settings' },
        { name: 'mcp', description: 'The same for language models: Model Context Protocol' },
        { name: 'process', description: 'The process itself' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => withoutSafeBounds(withoutUnused(jsonSchemaTransformObject(document))),
  });
}
