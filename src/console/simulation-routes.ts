import { z } from 'zod';
import type { App, RouteContext } from './app.ts';
import { found } from './incident-routes.ts';
import { openRange, present, serviceParameter, timeParameter } from './parameters.ts';
import { pageOf } from './schemas.ts';
import { simulationSchema, simulationStatusSchema } from './simulation-schemas.ts';

const tags = ['simulations'];
const idParameter = z.strictObject({ id: z.string().min(1) });

function addCreate(app: App, { simulations }: RouteContext): void {
  app.post('/api/v1/simulations', {
    config: { role: 'respond' },
    schema: {
      operationId: 'createSimulation',
      tags,
      summary: 'Ask what would have fired under other settings of anomaly_detection',
      description:
        'Replays stored history into two detectors, one with the present settings and one with the overrides. One runs at a time, four ' +
        'may wait; the last 20 are kept in memory. Progress comes on the event stream as `simulation`.',
      body: z.strictObject({
        overrides: z.record(z.string(), z.unknown()).meta({
          description: 'Values by key of anomaly_detection, full or short, as in the configuration file',
          examples: [{ false_alarm_budget: 1 }],
        }),
        from: timeParameter.optional(),
        to: timeParameter.optional(),
        service: serviceParameter.optional(),
      }),
      response: { 202: simulationSchema },
    },
    handler: async ({ body: { overrides, service, ...range } }, reply) => {
      const simulation = simulations.create({ overrides, ...present({ service }), ...openRange(range) });
      return reply.code(202).header('location', `/api/v1/simulations/${simulation.id}`).send(simulation);
    },
  });
}

function addReads(app: App, { simulations }: RouteContext): void {
  app.get('/api/v1/simulations', {
    config: { role: 'read' },
    schema: {
      operationId: 'listSimulations',
      tags,
      summary: 'The last 20 simulations, newest first, without results',
      response: { 200: pageOf(simulationStatusSchema) },
    },
    handler: async () => ({ items: simulations.list(), nextCursor: null }),
  });
  app.get('/api/v1/simulations/:id', {
    config: { role: 'read' },
    schema: {
      operationId: 'getSimulation',
      tags,
      summary: 'One simulation, with its result once it is done',
      params: idParameter,
      response: { 200: simulationSchema },
    },
    handler: async ({ params: { id } }) => found(simulations.get(id), 'simulation', id),
  });
}

function addCancel(app: App, { simulations }: RouteContext): void {
  app.delete('/api/v1/simulations/:id', {
    config: { role: 'respond' },
    schema: {
      operationId: 'cancelSimulation',
      tags,
      summary: 'Cancel a simulation that waits or runs',
      params: idParameter,
      response: { 200: simulationSchema },
    },
    handler: async ({ params: { id } }) => found(await simulations.cancel(id), 'simulation', id),
  });
}

/** What would have fired: ask, look, cancel. */
export function addSimulationRoutes(app: App, context: RouteContext): void {
  addCreate(app, context);
  addReads(app, context);
  addCancel(app, context);
}
