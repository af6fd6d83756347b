import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import type { Incident } from '../src/model/incident.ts';
import type { Report } from '../src/model/report.ts';
import { startModelServer } from '../src/report/llm/model-server.fixture.ts';
import { SLACK_CHANNEL, SLACK_TOKEN, startSlackServer } from '../src/report/notify/slack/slack-server.fixture.ts';
import type { SlackServer } from '../src/report/notify/slack/slack-server.fixture.ts';
import { feedHistory, feedLive, quantilesOf } from './latency-run.ts';
import { LatencyTraffic } from './latency-traffic.ts';
import { textTable } from './load-table.ts';
import { waitForPipeline } from './server-api.ts';
import { ServerProcess, temporaryDirectory } from './server-process.ts';
import { EventStreamReader } from './stream-reader.ts';

/**
 * From the opening of an incident on the event stream to its first stored report there, and to its message in chat, while events come and the
 * provider of the language model never answers; incidents are kept from growing together, so that there are many.
 *
 *     node bench/reporting.ts [--duration 240] [--rate 10000] [--history 600]
 */
const { values: flags } = parseArgs({
  options: {
    duration: { type: 'string', default: '240' },
    rate: { type: 'string', default: '10000' },
    history: { type: 'string', default: '600' },
  },
});
const LOOK_EVERY_MS = 5;
const rate = Number(flags.rate);

function writeConfig(directory: string, chat: SlackServer, modelUrl: string): string {
  const receiver = {
    name: 'chat',
    type: 'slack',
    channel: SLACK_CHANNEL,
    token: SLACK_TOKEN,
    api_url: `${new URL(chat.url).origin}/api/`,
  };
  const llm = { provider: 'openai-compatible', model: 'silent', base_url: modelUrl, openai_api_key: 'none', delay: '0s' };
  const prices = [{ model: 'silent', input: 0.1, output: 0.1 }];
  const file = join(directory, 'helios.yaml');
  writeFileSync(file, stringify({ report: { llm, prices }, notify: { receivers: [receiver], max_messages_per_hour: 1000 } }));
  return file;
}

/** Calls back once for every incident that a message is about, soon after it is there. */
function watchMessages(
  chat: SlackServer,
  ids: () => Iterable<string>,
  onMessage: (id: string, atMs: number) => void,
): Disposable {
  const told = new Set<string>();
  let looked = 0;
  const timer = setInterval(() => {
    const atMs = performance.now();
    for (; looked < chat.messages.length; looked++) {
      const text = JSON.stringify(chat.messages[looked]);
      for (const id of ids()) if (!told.has(id) && text.includes(id)) onMessage(id, (told.add(id), atMs));
    }
  }, LOOK_EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function row(name: string, latenciesMs: readonly number[]): string[] {
  const { count, p50Ms, p90Ms, p99Ms, maxMs } = quantilesOf(latenciesMs);
  return [name, String(count), ...[p50Ms, p90Ms, p99Ms, maxMs].map((ms) => ms.toFixed(1))];
}

using directory = temporaryDirectory();
await using chat = await startSlackServer();
await using model = await startModelServer(() => () => {});
await using server = await ServerProcess.start({
  dataDir: join(directory.path, 'data'),
  args: [
    '--log-level',
    'error',
    '--set',
    'anomaly_detection.incident_gap=1s',
    '--config',
    writeConfig(directory.path, chat, model.url),
  ],
});
const load = { url: new URL('/api/v1/events', server.url), traffic: new LatencyTraffic(1, rate), rate };
const fed = await feedHistory(load, Number(flags.history));
await waitForPipeline(server.url, fed, 600_000);
const openedMs = new Map<string, number>();
const reportMs: number[] = [];
const messageMs: number[] = [];
using _stream = await EventStreamReader.open(server.url, ({ type, data, atMs }) => {
  if (type === 'incident') {
    const { id } = data as Incident;
    if (!openedMs.has(id)) openedMs.set(id, atMs);
  } else if (type === 'report') {
    const { incidentId, version } = data as Report;
    const sinceMs = openedMs.get(incidentId);
    if (version === 1 && sinceMs !== undefined) reportMs.push(atMs - sinceMs);
  }
});
using _messages = watchMessages(
  chat,
  () => openedMs.keys(),
  (id, atMs) => messageMs.push(atMs - (openedMs.get(id) as number)),
);
await feedLive(load, Number(flags.duration) * 1000);
process.stdout.write(
  textTable(
    ['from the incident to', 'count', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms'],
    [row('its first report', reportMs), row('its message', messageMs)],
  ),
);
process.stdout.write(`${openedMs.size} incidents, ${rate} events/s, ${model.requests.length} requests without an answer\n`);
