import type { Command } from 'commander';
import { loadConfig } from '../config/sources.ts';
import type { Config } from '../config/config.ts';
import { systemClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { formatDurationMs } from '../lib/units.ts';
import type { CommandContext } from './command-context.ts';
import { addConfigFlags, configRequestOf, type ConfigFlags } from './config-flags.ts';
import { examples } from './help-examples.ts';
import { welcome } from './welcome.ts';
import type { Urls } from './welcome.ts';

/** Closing files comes after the last request, which shutdown_timeout bounds. */
const CLOSE_MS = 10_000;

/** Prints events as JSON lines, the ready line before all that happened during the start. */
function eventPrinter(print: (line: string) => void): {
  onEvent: (event: Record<string, unknown>) => void;
  ready: (urls: Urls) => void;
} {
  let early: Record<string, unknown>[] | null = [];
  return {
    onEvent(event) {
      if (early === null) print(JSON.stringify(event));
      else early.push(event);
    },
    ready(urls) {
      print(JSON.stringify({ ready: true, ...urls }));
      for (const event of early ?? []) print(JSON.stringify(event));
      early = null;
    },
  };
}

async function stoppedInTime(stopped: Promise<void>, config: Config, signal: AbortSignal): Promise<void> {
  const limitMs = config.shutdown_timeout + CLOSE_MS;
  const late = new Promise<never>((_, reject) => {
    const startTimer = (): void => {
      systemClock.after(limitMs, () => {
        reject(new HeliosError('timeout', `cannot stop in an orderly way: not done within ${formatDurationMs(limitMs)}`));
      });
    };
    if (signal.aborted) startTimer();
    else signal.addEventListener('abort', startTimer, { once: true });
  });
  await Promise.race([stopped, late]);
}

export function registerServe(program: Command, context: CommandContext): void {
  const serve = program.command('serve').description('run HELIOS: take events, detect, report, answer queries');
  addConfigFlags(serve)
    .option('--json', 'print one JSON line per event of interest, the first when ready')
    .addHelpText(
      'after',
      examples(
        'helios serve',
        'helios serve --port 9000 --data-dir /var/lib/helios --config helios.yaml',
        'helios serve --clock events --data-dir ./history     # takes data of any age',
        'helios serve --target store,detect --config helios.yaml     # over Kafka and TimescaleDB',
      ),
    )
    .action(async (flags: ConfigFlags) => {
      const { config, warnings } = loadConfig(configRequestOf(flags));
      for (const warning of warnings) context.warn(`helios: warning: ${warning}`);
      // Loaded here, because the other commands should not wait for the whole server to load.
      const { startProcess } = await import('../roles/process.ts');
      const { version, signal } = context;
      const events = flags['json'] === true ? eventPrinter(context.print) : null;
      const { stopped, ...urls } = await startProcess({ config, version, signal, onEvent: events?.onEvent ?? (() => {}) });
      if (events === null) context.print(welcome(urls, config));
      else events.ready(urls);
      await stoppedInTime(stopped, config, signal);
    });
}
