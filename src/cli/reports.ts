import { Option, type Command } from 'commander';
import type { Report } from '../model/report.ts';
import { connect, KEY_FLAG, URL_FLAG, type ClientFlags } from './api-client.ts';
import type { CommandContext } from './command-context.ts';
import { examples } from './help-examples.ts';
import { formatTable, shortTime } from './table.ts';

interface Flags extends ClientFlags {
  verdict?: string;
  service?: string;
  from?: string;
  to?: string;
  limit: string;
  json?: boolean;
}

interface ReportList {
  items: Report[];
  nextCursor: string | null;
}

/** The first line of the Markdown is what happened. */
function titleOf({ markdown }: Report): string {
  return (markdown.split('\n', 1)[0] ?? '').replace(/^#+\s*/, '');
}

function tableOf(reports: readonly Report[]): string {
  const head = ['INCIDENT', 'VERSION', 'VERDICT', 'WRITTEN (UTC)', 'TITLE'];
  const rows = reports.map((report) => {
    const { incidentId, version, verdict, createdAt } = report;
    return [incidentId, String(version), verdict, shortTime(createdAt), titleOf(report)];
  });
  return formatTable(head, rows);
}

export function registerReports(program: Command, context: CommandContext): void {
  program
    .command('reports')
    .description('find reports by what they say, newest first')
    .argument('[words...]', 'words that a report holds, or their beginnings; all reports without any')
    .option(...URL_FLAG)
    .option(...KEY_FLAG)
    .option('--verdict <verdict>', 'only CONFIRMED, LIKELY or INCONCLUSIVE ones')
    .option('--service <service>', 'only those of a service')
    .option('--from <time>', 'only those written at or after a time, such as 2025-10-08T10:30Z')
    .option('--to <time>', 'only those written before a time')
    .addOption(new Option('--limit <count>', 'how many at most, up to 1000').default('20', '20'))
    .option('--json', 'print the answer of the API')
    .addHelpText(
      'after',
      examples('helios reports connection pool', 'helios reports timeout --service checkout --verdict CONFIRMED'),
    )
    .action(async (words: string[], { json, limit, verdict, service, from, to, ...client }: Flags) => {
      const text = words.length === 0 ? undefined : words.join(' ');
      const query = { text, verdict: verdict?.toUpperCase(), service, from, to, limit };
      const answer = await connect(client).get('/api/v1/reports', query);
      if (json === true) {
        context.print(JSON.stringify(answer));
        return;
      }
      const { items, nextCursor } = answer as ReportList;
      context.print(items.length === 0 ? 'no reports' : tableOf(items));
      if (nextCursor !== null) context.print(`there are more: --limit ${Math.min(1000, items.length * 2)}`);
    });
}
