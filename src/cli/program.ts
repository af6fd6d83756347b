import { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import { registerConfig } from './config.ts';
import { registerDemo } from './demo.ts';
import { registerDlq } from './dlq.ts';
import { registerEvaluate } from './evaluate.ts';
import { registerFeedback } from './feedback.ts';
import { registerGenerate } from './generate.ts';
import { registerIncidents } from './incidents.ts';
import { registerMigrate } from './migrate.ts';
import { registerModel } from './model.ts';
import { registerReplay } from './replay.ts';
import { registerReport } from './report.ts';
import { registerReports } from './reports.ts';
import { registerSend } from './send.ts';
import { registerServe } from './serve.ts';
import { registerWhatIf } from './what-if.ts';

type Register = (program: Command, context: CommandContext) => void;

/** In the order in which `helios help` lists them. */
const COMMANDS: readonly Register[] = [
  registerServe,
  registerDemo,
  registerGenerate,
  registerReplay,
  registerSend,
  registerIncidents,
  registerReport,
  registerReports,
  registerFeedback,
  registerModel,
  registerWhatIf,
  registerEvaluate,
  registerConfig,
  registerMigrate,
  registerDlq,
];

/** The command line of `helios`. Parsing throws CommanderError for usage errors, for help and for --version. */
export function createProgram(context: CommandContext): Command {
  const program = new Command('helios')
    .description('Watches event streams, detects incidents within seconds, and writes the incident report.')
    .version(context.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .showHelpAfterError('(helios help COMMAND explains)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => context.print(text.trimEnd()), writeErr: (text) => context.warn(text.trimEnd()) });
  for (const register of COMMANDS) register(program, context);
  return program;
}
