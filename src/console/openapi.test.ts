import assert from 'node:assert/strict';
import test from 'node:test';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { createFixture } from './console.fixture.ts';

interface Operation {
  operationId: string;
  security?: unknown;
  parameters?: { name: string; in: string }[];
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

/** A request for every operation but the stream (see stream-route.itest.ts) and the ingest door, which is elsewhere. */
const REQUESTS: Record<string, string | { url: string; payload?: object }> = {
  index: '/',
  openapi: '/openapi.json',
  health: '/healthz',
  readiness: '/readyz',
  version: '/version',
  selfMetrics: '/metrics',
  listEvents: '/api/v1/events',
  listServices: '/api/v1/services',
  queryMetrics: '/api/v1/metrics?name=event_count,queue.depth',
  listSeries: '/api/v1/series',
  listTemplates: '/api/v1/templates',
  listAnomalies: '/api/v1/anomalies',
  getAnomaly: '/api/v1/anomalies/ano-1',
  listIncidents: '/api/v1/incidents',
  getIncident: '/api/v1/incidents/inc-1',
  getReport: '/api/v1/incidents/inc-1/report',
  exportReport: '/api/v1/incidents/inc-1/report.md',
  listReports: '/api/v1/reports?text=slow&verdict=LIKELY',
  listChanges: '/api/v1/changes',
  getChange: '/api/v1/changes/chg-1',
  listClients: '/api/v1/clients',
  listModels: '/api/v1/models',
  listModelMetrics: '/api/v1/models/metrics',
  acknowledgeIncident: { url: '/api/v1/incidents/inc-1/acknowledge' },
  decideNewNormal: { url: '/api/v1/incidents/inc-1/new-normal', payload: { decision: 'accept' } },
  resolveIncident: { url: '/api/v1/incidents/inc-1/resolve', payload: { by: 'ada' } },
  labelIncident: {
    url: '/api/v1/incidents/inc-1/feedback',
    payload: { label: 'expected', scope: { hours: { from: 2, to: 4 } } },
  },
  getIncidentFeedback: '/api/v1/incidents/inc-1/feedback',
  listFeedback: '/api/v1/feedback?label=expected&service=cart',
  exportFeedback: '/api/v1/feedback/export',
  getFeedbackQuality: '/api/v1/feedback/quality',
  reportMissed: {
    url: '/api/v1/feedback/missed',
    payload: { service: 'cart', from: '2025-10-08T10:00:00Z', to: '2025-10-08T10:10:00Z' },
  },
  takeFeedbackBack: '/api/v1/feedback/inc-1.1',
  getCosts: '/api/v1/costs?by=day',
  listReceipts: '/api/v1/incidents/inc-1/receipts',
  getReceipt: '/api/v1/receipts/2025-10-08T10:30:00.000Z-0a1b2c3d',
  recordChange: { url: '/api/v1/changes', payload: { service: 'cart' } },
  trainModels: { url: '/api/v1/models/train' },
  predict: { url: '/api/v1/models/predict', payload: { service: 'cart', features: { event_count: 1 } } },
  activateModel: { url: '/api/v1/models/v1/activate' },
  rollBackModel: { url: '/api/v1/models/rollback', payload: { service: 'cart' } },
  compareModels: { url: '/api/v1/models/compare', payload: { versions: ['v1', 'v2'], labels: [] } },
  createSilence: { url: '/api/v1/silences', payload: { labels: { service: 'cart' }, duration: '1h' } },
  listSilences: '/api/v1/silences',
  createSimulation: { url: '/api/v1/simulations', payload: { overrides: { false_alarm_budget: 1 } } },
  listSimulations: '/api/v1/simulations',
  getSimulation: '/api/v1/simulations/sim-1',
  mcp: { url: '/mcp', payload: { jsonrpc: '2.0', id: 1, method: 'tools/list' } },
  cancelSimulation: '/api/v1/simulations/sim-1',
};

async function openapi(): Promise<Document> {
  await using fixture = await createFixture();
  return (await fixture.app.inject('/openapi.json')).json<Document>();
}

/** "GET /path/{id}" of every route, from the tree that the router prints; HEAD comes with every GET. */
function routesOf(app: FastifyInstance): string[] {
  const routes: string[] = [];
  const prefixes: string[] = [];
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const match = /^([│├└─ ]*)(\S+) \((.*)\)$/.exec(line);
    if (!match) continue;
    const depth = (match[1] as string).length / 4;
    const path = `${depth > 1 ? prefixes[depth - 1] : ''}${match[2]}`;
    prefixes[depth] = depth === 1 && path !== '/' ? path : path.replace(/^\/$/, '');
    const url = `/${path.replace(/^\//, '')}`.replaceAll(/:(\w+)/g, '{$1}');
    for (const method of (match[3] as string).split(', ')) if (method !== 'HEAD') routes.push(`${method} ${url}`);
  }
  return routes;
}

/** A validator of one of the document's schemas, its references resolved. */
function validator(schema: object, document: Document): z.ZodType {
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
  return z.fromJSONSchema(
    JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as Parameters<typeof z.fromJSONSchema>[0],
  );
}

test('every route is an operation of the OpenAPI document, and every operation a route', async () => {
  await using fixture = await createFixture();
  const document = await openapi();
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(routesOf(fixture.app).toSorted(), operations.toSorted());
});

test('every answer has the form that the OpenAPI document gives it', async () => {
  await using fixture = await createFixture();
  const document = await openapi();
  const seen = new Set<string>();
  for (const [method, operation] of Object.values(document.paths).flatMap((methods) => Object.entries(methods))) {
    const request = REQUESTS[operation.operationId];
    if (request === undefined) continue;
    seen.add(operation.operationId);
    const options = typeof request === 'string' ? { url: request } : request;
    const answer = await fixture.app.inject({ method: method as 'get', ...options });
    const [type] = String(answer.headers['content-type']).split(';');
    const content = operation.responses[String(answer.statusCode)]?.content?.[type as string];
    assert.ok(content, `${operation.operationId} is documented to answer ${answer.statusCode} ${type}`);
    const body: unknown = type === 'application/json' ? answer.json() : answer.body;
    assert.deepEqual(validator(content.schema, document).safeParse(body).error?.issues, undefined, operation.operationId);
  }
  assert.deepEqual([...seen].toSorted(), Object.keys(REQUESTS).toSorted());
});

test('the document catches an answer of another form', async () => {
  const document = await openapi();
  const schema = document.paths['/api/v1/incidents']?.['get']?.responses['200']?.content?.['application/json']?.schema;
  assert.ok(schema);
  assert.equal(validator(schema, document).safeParse({ items: [{}], nextCursor: null }).success, false);
});

test('operations are named once, and all but those of the process itself ask for a key', async () => {
  const document = await openapi();
  assert.equal(document.openapi, '3.1.0');
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  const names = operations.map((operation) => operation.operationId);
  assert.equal(new Set(names).size, names.length);
  const open = operations.filter((operation) => operation.security === undefined).map((operation) => operation.operationId);
  assert.deepEqual(open.toSorted(), ['health', 'index', 'openapi', 'readiness', 'takeSlackInteraction', 'version']);
});

test('every component is used and every reference resolves', async () => {
  const document = await openapi();
  const text = JSON.stringify(document);
  const referred = new Set([...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => String(match[1])));
  assert.deepEqual([...referred].toSorted(), Object.keys(document.components.schemas).toSorted());
});

test('posting events to a process that does not ingest answers 404 without reading the body', async () => {
  await using fixture = await createFixture();
  const answer = await fixture.app.inject({
    method: 'POST',
    url: '/api/v1/events',
    headers: { 'content-type': 'application/xml' },
    payload: '<a/>',
  });
  assert.equal(answer.statusCode, 404);
  assert.equal(answer.json<{ code: string }>().code, 'not_found');
});
