import type { Command } from 'commander';
import { systemClock, type Clock } from '../lib/clock.ts';
import { ERROR_CODES, HeliosError, type ErrorCode } from '../lib/errors.ts';
import type { SimulatedAlert, Simulation, SimulationResult } from '../model/simulation.ts';
import { connect, KEY_FLAG, URL_FLAG, type ApiClient, type ClientFlags } from './api-client.ts';
import type { CommandContext } from './command-context.ts';
import { examples } from './help-examples.ts';
import { startProgress } from './progress.ts';
import { formatTable, shortTime } from './table.ts';

const FIRST_POLL_MS = 100;
const MAX_POLL_MS = 2000;
/** Alerts printed of each configuration alone; --json has up to 1,000. */
const MAX_ROWS = 20;

interface Flags extends ClientFlags {
  from?: string;
  to?: string;
  service?: string;
  json?: true;
}

/** "key=value" texts as the body of a simulation. */
export function overridesOf(texts: readonly string[]): Record<string, string> {
  const overrides: Record<string, string> = {};
  for (const text of texts) {
    const equals = text.indexOf('=');
    if (equals < 1) {
      throw new HeliosError('invalid_argument', `cannot simulate: "${text}" is not KEY=VALUE, such as false_alarm_budget=1`);
    }
    const key = text.slice(0, equals).trim();
    if (Object.hasOwn(overrides, key)) throw new HeliosError('invalid_argument', `cannot simulate: ${key} is given twice`);
    overrides[key] = text.slice(equals + 1);
  }
  return overrides;
}

function rowsOf(alerts: readonly SimulatedAlert[], which: string): string[][] {
  return alerts
    .slice(0, MAX_ROWS)
    .map(({ detectedAt, service, signal, severity }) => [which, shortTime(detectedAt), service, signal, severity]);
}

function differenceText({ difference }: SimulationResult): string {
  const { onlyPresent, onlyOverridden, onlyPresentCount, onlyOverriddenCount, both, sooner, later } = difference;
  const lines = [`${both} alerts are in both: ${sooner} sooner with the overrides, ${later} later`];
  const rows = [...rowsOf(onlyPresent, 'present'), ...rowsOf(onlyOverridden, 'overridden')];
  if (rows.length > 0) lines.push('', formatTable(['ONLY', 'DETECTED (UTC)', 'SERVICE', 'SIGNAL', 'SEVERITY'], rows));
  const hidden = onlyPresentCount + onlyOverriddenCount - rows.length;
  if (hidden > 0) lines.push(`and ${hidden} more: --json`);
  return lines.join('\n');
}

/** The two configurations side by side. */
export function simulationText({ overrides, present, result }: Simulation): string {
  if (result === null) return '';
  const keys = Object.keys(overrides);
  const shown = (value: number | null): string => (value === null ? '' : value.toFixed(3));
  const sides = [result.present, result.overridden] as const;
  const table = formatTable(
    ['', 'PRESENT', 'OVERRIDDEN'],
    [
      ...keys.map((key) => [key, String(present[key]), String(overrides[key])]),
      ['alerts', ...sides.map(({ alertCount }) => String(alertCount))],
      ['quiet alerts', ...sides.map(({ quietCount }) => String(quietCount))],
      ['incidents', ...sides.map(({ incidentCount }) => String(incidentCount))],
      ['alerts per service-day', ...sides.map(({ alertsPerServiceDay }) => shown(alertsPerServiceDay))],
    ],
  );
  const { historyFrom, historyLost, serviceDays } = result;
  const lost = historyLost ? '; retention has removed what came before' : '';
  const history =
    historyFrom === null
      ? 'there is no history'
      : `history from ${shortTime(historyFrom)}, ${serviceDays.toFixed(2)} service-days`;
  return `${table}\n\n${history}${lost}\n${differenceText(result)}`;
}

/** Asks until the simulation has ended; an abort cancels it. */
async function follow(api: ApiClient, first: Simulation, signal: AbortSignal, clock: Clock, flags: Flags): Promise<Simulation> {
  const path = `/api/v1/simulations/${encodeURIComponent(first.id)}`;
  const progress = startProgress({
    label: 'simulating',
    total: 100,
    format: (percent) => `${percent.toFixed(0)} %`,
    quiet: flags.json === true,
    stream: process.stderr,
    clock,
  });
  try {
    let simulation = first;
    for (let pollMs = FIRST_POLL_MS; simulation.state === 'queued' || simulation.state === 'running'; pollMs *= 1.5) {
      await clock.sleep(Math.min(pollMs, MAX_POLL_MS), signal);
      simulation = (await api.get(path)) as Simulation;
      progress.update(100 * simulation.progress, simulation.state);
    }
    return simulation;
  } catch (error) {
    if (signal.aborted) await api.delete(path);
    throw error;
  } finally {
    progress.stop();
  }
}

function outcomeOf(simulation: Simulation): Simulation {
  const { id, state, error } = simulation;
  if (state === 'done') return simulation;
  const code = error?.code ?? '';
  const known: ErrorCode = Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'conflict';
  throw new HeliosError(known, error?.message ?? `cannot simulate: ${id} was ${state}`);
}

export function registerWhatIf(program: Command, { print, signal }: CommandContext): void {
  program
    .command('what-if <override...>')
    .description('say what would have fired under other settings of anomaly_detection, from stored history')
    .option(...URL_FLAG)
    .option(...KEY_FLAG)
    .option('--service <service>', 'only what concerns this service')
    .option('--from <time>', 'only what was detected from this time on, ISO 8601; what came before still makes the baselines')
    .option('--to <time>', 'only what was detected before this time, ISO 8601')
    .option('--json', 'print the answer of the API')
    .addHelpText(
      'after',
      examples(
        'helios what-if false_alarm_budget=1',
        'helios what-if incident_gap=15m window_size=10m --service shop --from 2025-10-01 --json',
      ),
    )
    .action(async (texts: string[], flags: Flags) => {
      const { from, to, service } = flags;
      const api = connect(flags);
      const created = await api.post('/api/v1/simulations', { overrides: overridesOf(texts), from, to, service });
      const simulation = outcomeOf(await follow(api, created as Simulation, signal, systemClock, flags));
      print(flags.json ? JSON.stringify(simulation) : simulationText(simulation));
    });
}
