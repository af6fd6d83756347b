import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isoTime } from '../src/lib/clock.ts';
import type { Anomaly } from '../src/model/anomaly.ts';
import type { Report } from '../src/model/report.ts';
import { realDays, replay } from './replay-run.ts';
import { feedFleet, firstScreenLines, settledReports, startReportServer } from './report-runs.ts';
import type { FleetRun, ReportedIncident } from './report-runs.ts';
import { getJson } from './server-api.ts';
import { temporaryDirectory } from './server-process.ts';

/**
 * Writes docs/reports: reports of generated incidents, one of each kind of fault and seed, beside what a plain alert says, and of three
 * real ones when there is real data.
 *
 *     [HELIOS_TEST_DATA=DIR] node bench/report-samples.ts
 */
const TARGET = join(import.meta.dirname, '../docs/reports');
const RUNS: readonly FleetRun[] = [21, 22, 23].map((seed) => ({ seed, faults: 36, hours: 8, rate: 25 }));
const GENERATED = 24;
const REAL = 3;
const REAL_DAYS = /^nezha-train-ticket-/;
/** An onset is known to about a minute; what starts up to two minutes after a fault may still be of it. */
const EARLY_MS = 60_000;
const LATE_MS = 120_000;

/** What went wrong, by whoever made it go wrong. */
interface Truth {
  startMs: number;
  endMs: number;
  service: string;
  kind: string;
}

interface Sample {
  name: string;
  truth: Truth;
  reported: ReportedIncident;
  plain: string;
}

/** What the summary answers; a report without the line lacks it. */
const QUESTIONS: readonly (readonly [name: string, line: RegExp])[] = [
  ['since when', /^\*\*.* (since|from) \d/m],
  ['how bad', /^- \*\*How bad:\*\* (?!not known)/m],
  ['compared with what', /^- \*\*Compared with:/m],
  ['who is hit', /^- \*\*Who is hit:/m],
  ['what changed', /^- \*\*What changed before:/m],
  ['cause', /^- \*\*Most likely cause:\*\* (?!not known)/m],
  ['what to do', /^- \*\*Do now:/m],
];

/** What a rule with a threshold sends: name, labels, value, start, and a link. */
function plainAlert({ incident }: ReportedIncident, anomaly: Anomaly | undefined): string {
  const first = anomaly?.attribution[0];
  const name = `${anomaly?.signal ?? 'alert'} of ${incident.services[0] ?? 'unknown'}`;
  return [
    `[${incident.status === 'resolved' ? 'RESOLVED' : 'FIRING'}] ${name}`,
    `severity: ${incident.severity}`,
    `service: ${incident.services[0] ?? 'unknown'}`,
    `value: ${first ? `${first.feature} = ${first.observed} (threshold ${first.direction === 'up' ? first.high : first.low})` : 'none'}`,
    `startsAt: ${incident.startedAt}`,
    ...(incident.resolvedAt === null ? [] : [`endsAt: ${incident.resolvedAt}`]),
    'dashboard: https://grafana.example.com/d/services',
  ].join('\n');
}

async function sampleOf(url: string, name: string, truth: Truth, reported: ReportedIncident): Promise<Sample> {
  const [id] = reported.incident.anomalyIds;
  const anomaly = id === undefined ? undefined : await getJson<Anomaly>(url, `/api/v1/anomalies/${encodeURIComponent(id)}`);
  return { name, truth, reported, plain: plainAlert(reported, anomaly) };
}

/** What an incident is of: the newest fault that had begun when it began, and was not long over. */
function truthOf({ incident }: ReportedIncident, truths: readonly Truth[]): Truth | undefined {
  const ms = Date.parse(incident.startedAt);
  const found = truths.filter(({ startMs, endMs }) => startMs <= ms + EARLY_MS && ms < endMs + LATE_MS);
  return found.toSorted((a, b) => b.startMs - a.startMs)[0];
}

/** The first incident of each kind of fault, by a name for that kind. */
function firstOfEach(
  reported: readonly ReportedIncident[],
  truths: readonly Truth[],
  nameOf: (truth: Truth) => string,
): Map<string, { truth: Truth; reported: ReportedIncident }> {
  const found = new Map<string, { truth: Truth; reported: ReportedIncident }>();
  for (const one of reported) {
    const truth = one.incident.mergedInto === null ? truthOf(one, truths) : undefined;
    if (truth && !found.has(nameOf(truth))) found.set(nameOf(truth), { truth, reported: one });
  }
  return found;
}

async function samplesOf(
  url: string,
  reported: readonly ReportedIncident[],
  truths: readonly Truth[],
  nameOf: (truth: Truth) => string,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const [name, { truth, reported: one }] of firstOfEach(reported, truths, nameOf)) {
    samples.push(await sampleOf(url, name, truth, one));
  }
  return samples;
}

async function generatedSamples(run: FleetRun): Promise<Sample[]> {
  using directory = temporaryDirectory();
  await using server = await startReportServer(directory.path);
  const labels = await feedFleet(server.url, run);
  const truths = labels
    .filter(({ benign }) => !benign)
    .map(({ kind, service, start, end }) => ({ kind, service, startMs: Date.parse(start), endMs: Date.parse(end) }));
  const reported = await settledReports(server.url);
  // Awaited here, as long as the server is there.
  return await samplesOf(server.url, reported, truths, ({ kind }) => `${run.seed}-${kind.replaceAll('_', '-')}`);
}

async function realSamples(folder: string | undefined): Promise<Sample[]> {
  const days = (realDays(folder) ?? []).filter(({ name }) => REAL_DAYS.test(name));
  if (days.length === 0) return [];
  using directory = temporaryDirectory();
  await using server = await startReportServer(directory.path);
  await replay(
    server.url,
    days.map(({ events }) => events),
  );
  const reported = await settledReports(server.url);
  const truths = days.flatMap(({ faults }) => {
    const read = JSON.parse(readFileSync(faults, 'utf8')) as { start: string; end: string; service: string; type: string }[];
    return read.map(({ start, end, service, type }) => {
      return { kind: type.replaceAll(/\W+/g, '-'), service, startMs: Date.parse(start), endMs: Date.parse(end) };
    });
  });
  const nameOf = ({ kind, service, startMs }: Truth): string =>
    `real-${kind}-${service}-${isoTime(startMs).slice(5, 16).replaceAll(/\D/g, '')}`;
  const samples = await samplesOf(server.url, reported, truths, nameOf);
  return samples.slice(0, REAL);
}

/** Without the table of evidence, which is most of a report's bytes, and of real data without log lines. */
function shortened({ markdown, evidence }: Report, isReal: boolean): string {
  const [body = ''] = markdown.split('\n## Evidence\n');
  // When it was written, and how many before it, differs from run to run.
  const same = body.replace(/ Report version \d+, written [^ ]+\./, '');
  const text = isReal ? same.replaceAll(/^ {2}for example .*\n/gm, '') : same;
  return `${text}\n## Evidence\n\n${evidence.length} items, left out here.\n`;
}

/** One of each kind first, then others, in the order of seeds and time. */
function chosen(samples: readonly Sample[]): Sample[] {
  const kinds = new Map(samples.toReversed().map((sample) => [sample.truth.kind, sample]));
  const first = new Set(kinds.values());
  const ordered = samples.toSorted((a, b) => Number(first.has(b)) - Number(first.has(a)));
  const taken = new Set(ordered.slice(0, GENERATED));
  return samples.filter((sample) => taken.has(sample));
}

function missing({ sections: { summary } }: Report): string {
  const absent = QUESTIONS.filter(([, line]) => !line.test(summary)).map(([name]) => name);
  return absent.length === 0 ? 'nothing' : absent.join(', ');
}

function rowOf({ name, truth, reported: { incident, report }, plain }: Sample): string {
  const first = /^\*\*(.*?)\*\*/m.exec(report.sections.summary)?.[1] ?? '';
  const ranks = [...new Set(incident.causes.map(({ service }) => service))];
  const rank = ranks.indexOf(truth.service) + 1;
  const cells = [
    `[${name}](${name}.md)`,
    `${truth.kind} of \`${truth.service}\`, ${isoTime(truth.startMs).slice(11, 19)}`,
    first,
    rank === 0 ? 'not named' : String(rank),
    report.verdict,
    missing(report),
    `${firstScreenLines(report)} (${plain.split('\n').length})`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function isRight({ truth, reported: { incident } }: Sample): boolean {
  return incident.causes[0]?.service === truth.service;
}

function overview(generated: readonly Sample[], real: readonly Sample[]): string {
  const all = [...generated, ...real];
  const longest = Math.max(...all.map(({ reported }) => firstScreenLines(reported.report)));
  const lead = all.filter(isRight);
  const others = all.filter((sample) => !isRight(sample)).map(({ name }) => `[${name}](${name}.md)`);
  const header = [
    '| report | what was wrong | says first | true root is cause | verdict | not answered before the detail | lines (plain) |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ];
  return `# Reports, read beside a plain alert

Written by \`node bench/report-samples.ts\`: the reports of ${generated.length} generated incidents (one for each kind of fault that was noticed, of fleets with seeds
${RUNS.map(({ seed }) => seed).join(', ')}) and of ${real.length} real ones (the train-ticket days of the Nezha data, of which only HELIOS's own words are kept here), as they were when it was over. Each file shows first what a plain alert
says: name, value, threshold, time, link. The table of evidence, most of a report's bytes, is left out. What the columns say:

- **says first**: the sentence under the title. A plain alert says the name of a rule.
- **true root is cause**: the rank among the named services of the one that was broken on purpose; ${lead.length} of ${all.length} are first, not in ${others.join(', ')}.
- **not answered before the detail**: of since when, how bad, compared with what, who is hit, what changed, cause, what to do. A plain alert answers
  the first one and half of the second, and none of the rest.
- **lines**: up to the first detail, wrapped at 100 columns; the longest is ${longest}. In brackets the plain alert's.

## Generated

${[...header, ...generated.map(rowOf)].join('\n')}

## Real

${[...header, ...real.map(rowOf)].join('\n')}
`;
}

function write(samples: readonly Sample[], isReal: boolean): void {
  for (const { name, truth, reported, plain } of samples) {
    const from = isoTime(truth.startMs).slice(0, 19);
    const said = `What was wrong: ${truth.kind} of \`${truth.service}\` from ${from} to ${isoTime(truth.endMs).slice(11, 19)}. A plain alert says:`;
    const text = `${said}\n\n\`\`\`text\n${plain}\n\`\`\`\n\nHELIOS says:\n\n---\n\n${shortened(reported.report, isReal)}`;
    writeFileSync(join(TARGET, `${name}.md`), text);
  }
}

const generated: Sample[] = [];
for (const run of RUNS) generated.push(...(await generatedSamples(run)));
const shown = chosen(generated);
const real = await realSamples(process.env['HELIOS_TEST_DATA']);
rmSync(TARGET, { recursive: true, force: true });
mkdirSync(TARGET, { recursive: true });
write(shown, false);
write(real, true);
writeFileSync(join(TARGET, 'README.md'), overview(shown, real));
process.stdout.write(`${shown.length} generated and ${real.length} real reports are in docs/reports\n`);
