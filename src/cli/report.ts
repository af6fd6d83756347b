import type { Command } from 'commander';
import { connect, KEY_FLAG, URL_FLAG, type ClientFlags } from './api-client.ts';
import type { CommandContext } from './command-context.ts';
import { examples } from './help-examples.ts';
import { visible } from './table.ts';

interface Flags extends ClientFlags {
  revision?: string;
  json?: boolean;
}

export function registerReport(program: Command, context: CommandContext): void {
  program
    .command('report')
    .description('print the report of an incident as Markdown')
    .argument('<incident>', 'id of the incident, as "helios incidents" lists it')
    .option(...URL_FLAG)
    .option(...KEY_FLAG)
    .option('--revision <number>', 'an older version of it; the newest unless given')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', examples('helios report in-0123456789abcdef', 'helios report in-0123456789abcdef > incident.md'))
    .action(async (incident: string, flags: Flags) => {
      const path = `/api/v1/incidents/${encodeURIComponent(incident)}/report`;
      const report = await connect(flags).get(path, { version: flags.revision });
      if (flags.json === true) context.print(JSON.stringify(report));
      else context.print(visible((report as { markdown: string }).markdown).trimEnd());
    });
}
