import type { ClientDirectory, ConsoleDependencies, Control, ProcessDependencies } from '../../console/dependencies.ts';
import { StreamHub } from '../../console/stream-hub.ts';
import type { DetectorCommand } from '../../detect/detector.ts';
import { HeliosError } from '../../lib/errors.ts';
import { createRedactor } from '../../lib/redaction/redactor.ts';
import type { Clock } from '../../lib/clock.ts';
import type { IncidentDecision } from '../../model/alert.ts';
import type { Incident } from '../../model/incident.ts';
import { createOutbox } from '../../store/timescale/outbox.ts';
import type { IncidentLedger } from '../../store/timescale/incident-ledger.ts';
import { openTimescaleMetricStore } from '../../store/timescale/metric-store.ts';
import { openTimescaleStore } from '../../store/timescale/timescale-store.ts';
import { createControl } from '../control.ts';
import { openResponses } from '../responses.ts';
import { StoredModelService } from '../model-service.ts';
import { sendControl } from './control-sender.ts';
import type { Engines } from './engines.ts';
import { createEventClock } from './event-clock.ts';
import { NO_SIMULATIONS } from './no-simulations.ts';
import { openOutboxTail } from './outbox-tail.ts';
import { openLedger } from './ledger.ts';

export interface ConsoleRoleOptions {
  engines: Engines;
  common: ProcessDependencies;
  /** Of the doors of the same process; null when it has none. */
  clients: ClientDirectory | null;
  onEvent: (event: Record<string, unknown>) => void;
}

const NO_CLIENTS: ClientDirectory = { list: () => ({ items: [], nextCursor: null }) };

/** Carries decisions out at the desk that all processes share; detectors hear of them through the control topic. */
function createCommand(engines: Engines, ledger: IncidentLedger) {
  const decide = async (decision: IncidentDecision): Promise<Incident | undefined> => {
    const answer = await ledger.command(decision);
    void sendControl(engines, ledger).catch(() => {
      // The reporters send what waits.
    });
    if (!('refusal' in answer)) return answer.incident;
    if (answer.refusal === 'not_found') return undefined;
    throw new HeliosError('conflict', 'cannot decide: the incident proposes nothing to decide on');
  };
  return async (command: DetectorCommand): Promise<Incident | undefined> => {
    if (command.type === 'mute' || command.type === 'decide')
      throw new HeliosError('internal', 'cannot decide without an incident');
    if (command.type !== 'activate') return decide(command);
    const { record, payload } = command.model;
    const atMs = engines.clock.nowMs();
    await ledger.tell({ type: 'activate', record, payload: Buffer.from(payload).toString('base64'), atMs });
    await sendControl(engines, ledger);
    return undefined;
  };
}

/** What the console answers from: the database, which all processes share. */
export async function openConsoleRole(
  { engines, common, clients, onEvent }: ConsoleRoleOptions,
  scope: AsyncDisposableStack,
): Promise<ConsoleDependencies> {
  const { config, database, logger, metrics } = engines;
  const ledger = openLedger(engines);
  const store = scope.use(
    await openTimescaleStore({
      database,
      clock: engines.clock,
      logger,
      storeConfig: config.store,
      topic: config.kafka.topic_events,
    }),
  );
  const metricStore = scope.use(await openTimescaleMetricStore({ database, clock: engines.clock, logger }));
  const clock: Clock = config.clock === 'events' ? scope.use(createEventClock(engines)) : engines.clock;
  const hub = new StreamHub({ startMs: engines.clock.nowMs(), metrics });
  const { clock: realClock, prng } = engines;
  scope.use(await openOutboxTail({ outbox: createOutbox(database), hub, clock: realClock, logger, prng, onEvent }));
  const command = createCommand(engines, ledger);
  const control: Control = createControl({ store, command, clock });
  const redactor = createRedactor(config.redaction);
  const parts = { config, store, control, command, clock, wallClock: engines.clock, metrics, logger, redactor };
  // Whoever reports looks at what has changed every few seconds.
  const responses = openResponses({ ...parts, onChange: () => {} }, scope);
  return {
    ...common,
    clock,
    store,
    metricStore,
    config: config.console,
    control,
    ...responses,
    models: new StoredModelService({ store, config: config.anomaly_detection, clock, command }),
    simulations: NO_SIMULATIONS,
    clients: clients ?? NO_CLIENTS,
    stream: hub,
  };
}
