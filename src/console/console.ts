import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { HeliosError } from '../lib/errors.ts';
import { addAccess } from './access.ts';
import type { App, RouteContext } from './app.ts';
import { addBodyParser } from './body-parser.ts';
import { addChangeRoutes } from './change-routes.ts';
import { addDataRoutes } from './data-routes.ts';
import { addClientRoutes } from './client-routes.ts';
import { createDeadline } from './deadline.ts';
import type { ConsoleDependencies, ProcessDependencies } from './dependencies.ts';
import { addRouteErrors, answerClientError, ErrorAnswers } from './error-answers.ts';
import { addFeedbackRoutes } from './feedback-routes.ts';
import { addIncidentRoutes } from './incident-routes.ts';
import { addIngestOperation } from './ingest-operation.ts';
import { httpRequests, httpRequestSeconds } from './metrics.ts';
import { addMcpRoute } from './mcp/mcp-route.ts';
import { addMetricRoutes } from './metric-routes.ts';
import { addModelRoutes } from './model-routes.ts';
import { addOpenapi } from './openapi.ts';
import { addProcessRoutes } from './process-routes.ts';
import { addReportRoutes } from './report-routes.ts';
import { addSilenceRoutes } from './silence-routes.ts';
import { addSimulationRoutes } from './simulation-routes.ts';
import { addSlackRoutes } from './slack-routes.ts';
import { addSpendingRoutes } from './spending-routes.ts';
import { addStreamRoute } from './stream-route.ts';
import { compileValidator } from './validation.ts';

const MAX_BODY_BYTES = 2 ** 20;

function addMeasurements(app: FastifyInstance, { metrics }: ProcessDependencies): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unmatched';
    metrics.add(httpRequests, 1, { method: request.method, route, status: String(reply.statusCode) });
    if (route !== '/api/v1/stream') metrics.observe(httpRequestSeconds, reply.elapsedTime / 1000, { route });
    done();
  });
}

/** Requests that arrive on open connections while the process stops are refused; the event stream is ended. */
function addShutdown(app: FastifyInstance, endStream: () => void): void {
  let closing = false;
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff');
    if (closing) throw new HeliosError('shutting_down', 'cannot take the request: the process is stopping');
    done();
  });
  app.addHook('preClose', (done) => {
    closing = true;
    endStream();
    done();
  });
}

interface AppSpecifics {
  endStream: () => void;
  /** Said of a path that is not there. */
  whyMissing: string;
}

async function createApp(deps: ProcessDependencies, { endStream, whyMissing }: AppSpecifics): Promise<App> {
  const answers = new ErrorAnswers(deps.logger, deps.clock.nowMs());
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => void answers.send(error, request as never, reply as never),
    ...(deps.serverFactory ? { serverFactory: deps.serverFactory } : {}),
  }).withTypeProvider<ZodTypeProvider>() as App;
  app.setValidatorCompiler(compileValidator);
  // Answers are typed by their schemas at compile time and checked against them in tests; checking each at run time costs more than the query.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler((error, request, reply) => answers.send(error, request, reply));

  addShutdown(app, endStream);
  addRouteErrors(app, whyMissing);
  addAccess(app, deps.authorize);
  addBodyParser(app);
  addMeasurements(app, deps);
  await addOpenapi(app, deps.version);
  addProcessRoutes(app, deps);
  return app;
}

/** Health, readiness, version and self-monitoring alone: what a process serves that does not play the console. */
export async function createProcessApp(deps: ProcessDependencies): Promise<FastifyInstance> {
  const whyMissing =
    'this process does not answer it; data goes to one that plays ingest, queries to one that plays console (target)';
  const app = await createApp(deps, { endStream: () => {}, whyMissing });
  await app.ready();
  return app;
}

/**
 * The read API, the model API, the event stream and the OpenAPI document as one application, not yet listening.
 * Closing it ends the event stream; the store and everything else given stay open.
 */
export async function createConsole(deps: ConsoleDependencies): Promise<FastifyInstance> {
  const app = await createApp(deps, { endStream: () => deps.stream.close(), whyMissing: 'no such path; see /openapi.json' });
  const context: RouteContext = { ...deps, withDeadline: createDeadline(deps.clock, deps.config.query_timeout) };
  addIngestOperation(app);
  addDataRoutes(app, context);
  addMetricRoutes(app, context);
  addIncidentRoutes(app, context);
  addReportRoutes(app, context);
  const { feedback, mcp } = context;
  if (feedback) addFeedbackRoutes(app, { ...context, feedback });
  if (mcp?.config.enabled) addMcpRoute(app, context, mcp);
  addChangeRoutes(app, context);
  addClientRoutes(app, context);
  addModelRoutes(app, context);
  addSimulationRoutes(app, context);
  addSilenceRoutes(app, context);
  if (context.spending) addSpendingRoutes(app, { ...context, spending: context.spending });
  if (context.slack) addSlackRoutes(app, { ...context, slack: context.slack });
  addStreamRoute(app, context);
  await app.ready();
  return app;
}
