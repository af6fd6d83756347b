import type { FastifyInstance, FastifyServerFactory } from 'fastify';
import { createConsole, createProcessApp } from '../../console/console.ts';
import type { ConsoleDependencies, ProcessDependencies, Readiness } from '../../console/dependencies.ts';
import { createAuthorize } from '../../ingest/keys.ts';
import { systemClock } from '../../lib/clock.ts';
import { createDoors } from '../doors.ts';
import type { Doors } from '../doors.ts';
import { openFrontDoor } from '../front-door.ts';
import { createLogger } from '../logger.ts';
import { ALL_METRICS } from '../metrics.ts';
import type { ProcessOptions, Urls } from '../process-options.ts';
import { createPrometheusMetrics } from '../prometheus.ts';
import type { BackgroundRole } from './background-role.ts';
import { openConsoleRole } from './console-role.ts';
import { openDetectRole } from './detect-role.ts';
import { openEngines } from './engines.ts';
import type { Engines } from './engines.ts';
import { createHeartbeat } from '../heartbeat.ts';
import { installationVitals } from './installation-vitals.ts';
import { openIngestLogs } from './ingest-role.ts';
import { openReportRole } from './report-role.ts';
import { rolesOf } from './roles.ts';
import type { RoleName } from './roles.ts';
import { openStoreRole } from './store-role.ts';
import { openWaitingRoom } from './waiting-room.ts';

const BACKGROUND: readonly (readonly [RoleName, (engines: Engines) => Promise<BackgroundRole>])[] = [
  ['store', openStoreRole],
  ['detect', openDetectRole],
  ['report', openReportRole],
];

interface State {
  /** What the start waits for; null once it is over. */
  waitsFor: string | null;
  isStopping: boolean;
  working: Map<RoleName, BackgroundRole>;
  doors: Doors | null;
}

function readinessOf({ waitsFor, isStopping, working, doors }: State): Readiness {
  const reasons: Readiness['reasons'] = [];
  if (waitsFor !== null) reasons.push({ name: 'process', reason: `is starting: waits for ${waitsFor}` });
  if (isStopping) reasons.push({ name: 'process', reason: 'is stopping' });
  const append = doors?.handler.failure();
  if (append) reasons.push({ name: 'log', reason: append.message });
  for (const [name, role] of working) {
    const failure = role.failure();
    if (failure) reasons.push({ name, reason: failure.message });
  }
  return { ready: reasons.length === 0, reasons };
}

async function openDoors(engines: Engines, state: State, scope: AsyncDisposableStack): Promise<Doors> {
  const { config, logger, metrics } = engines;
  const logs = await openIngestLogs(engines, scope);
  return createDoors({ ...logs, config, logger, metrics, isStopping: () => state.isStopping });
}

/** Opens the roles of this process over Kafka and a database server; all of it is closed with the scope. */
export async function openProductionProcess(options: ProcessOptions, scope: AsyncDisposableStack): Promise<Urls> {
  const { config, version, onEvent } = options;
  const logger = createLogger(config.log_level);
  const metrics = createPrometheusMetrics(ALL_METRICS);
  const state: State = { waitsFor: 'its ports', isStopping: false, working: new Map(), doors: null };
  const readiness = (): Readiness => readinessOf(state);
  const common: ProcessDependencies = {
    authorize: createAuthorize(config.keys),
    clock: systemClock,
    logger,
    metrics,
    version,
    readiness,
    renderMetrics: () => metrics.render(),
  };
  await using waitingRoom = await openWaitingRoom(config, common);
  const onWaiting = (what: string): void => {
    state.waitsFor = what;
  };
  const engines = await openEngines({ config, logger, metrics, onWaiting }, scope);
  onWaiting('its roles');
  const roles = rolesOf(config);
  if (roles.has('ingest')) state.doors = await openDoors(engines, state, scope);
  for (const [name, open] of BACKGROUND) if (roles.has(name)) state.working.set(name, scope.use(await open(engines)));
  const api: ConsoleDependencies | null = roles.has('console')
    ? await openConsoleRole({ engines, common, clients: state.doors?.ledger ?? null, onEvent }, scope)
    : null;
  // What all roles have done is in the database: those look at it that somebody listens to, a console also where the reporter is a function.
  if (roles.has('report') || roles.has('console')) {
    const vitals = installationVitals(engines);
    const { heartbeat } = config;
    scope.use(createHeartbeat({ config: heartbeat, version, readiness, vitals, clock: systemClock, logger, metrics }));
  }
  const createApp = (serverFactory: FastifyServerFactory): Promise<FastifyInstance> =>
    api ? createConsole({ ...api, serverFactory }) : createProcessApp({ ...common, serverFactory });
  const onStop = (): void => {
    state.isStopping = true;
    api?.stream.close();
  };
  const isReady = (): boolean => readiness().ready;
  await waitingRoom[Symbol.asyncDispose]();
  state.waitsFor = null;
  return await openFrontDoor({ config, doors: state.doors, createApp, isReady, onStop, logger, metrics }, scope);
}
