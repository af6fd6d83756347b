import { Option, type Command } from 'commander';
import type { Incident } from '../model/incident.ts';
import { connect, KEY_FLAG, URL_FLAG, type ClientFlags } from './api-client.ts';
import type { CommandContext } from './command-context.ts';
import { examples } from './help-examples.ts';
import { formatTable, shortTime } from './table.ts';

interface Flags extends ClientFlags {
  status?: string;
  service?: string;
  limit: string;
  json?: boolean;
}

interface IncidentList {
  items: Incident[];
  nextCursor: string | null;
}

function tableOf(incidents: readonly Incident[]): string {
  const head = ['INCIDENT', 'STATUS', 'SEVERITY', 'STARTED (UTC)', 'RESOLVED (UTC)', 'SERVICES', 'TITLE'];
  const rows = incidents.map(({ id, status, severity, startedAt, resolvedAt, services, title }) => [
    id,
    status,
    severity,
    shortTime(startedAt),
    shortTime(resolvedAt),
    services.join(', '),
    title,
  ]);
  return formatTable(head, rows);
}

export function registerIncidents(program: Command, context: CommandContext): void {
  program
    .command('incidents')
    .description('list incidents, newest first')
    .option(...URL_FLAG)
    .option(...KEY_FLAG)
    .option('--status <status>', 'only open, acknowledged or resolved ones')
    .option('--service <service>', 'only those of a service')
    .addOption(new Option('--limit <count>', 'how many at most, up to 1000').default('20', '20'))
    .option('--json', 'print the answer of the API')
    .addHelpText('after', examples('helios incidents --status open', 'helios incidents --service shop --limit 100 --json'))
    .action(async (flags: Flags) => {
      const { status, service, limit } = flags;
      const answer = await connect(flags).get('/api/v1/incidents', { status, service, limit });
      if (flags.json === true) {
        context.print(JSON.stringify(answer));
        return;
      }
      const { items, nextCursor } = answer as IncidentList;
      if (items.length === 0) context.print('no incidents');
      else context.print(tableOf(items));
      if (nextCursor !== null) context.print(`there are more: --limit ${Math.min(1000, items.length * 2)}`);
    });
}
