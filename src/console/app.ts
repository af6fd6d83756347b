import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ConsoleDependencies } from './dependencies.ts';
import type { Deadline } from './deadline.ts';

/** The web application with request and answer types taken from the routes' schemas. */
export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

/** What routes are made from. */
export interface RouteContext extends ConsoleDependencies {
  withDeadline: Deadline;
}
