import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { createProgram } from './program.ts';

interface Exchange {
  status?: number;
  answer: unknown;
}

interface Run {
  lines: string[];
  requests: { method: string; url: string; authorization: string | undefined; body: string }[];
  error: unknown;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** Runs a command against a server that gives one answer, whatever it is asked. */
async function run(args: string[], { status = 200, answer }: Exchange): Promise<Run> {
  const result: Run = { lines: [], requests: [], error: null };
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = '', url = '', headers } = request;
      result.requests.push({ method, url, authorization: headers.authorization, body });
      response.writeHead(status, { connection: 'close' }).end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const output = (line: string): void => void result.lines.push(line);
  const program = createProgram({ version: '1.2.3', signal: new AbortController().signal, print: output, warn: output });
  try {
    await program.parseAsync([...args, '--url', url], { from: 'user' });
  } catch (error) {
    result.error = error;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  return result;
}

const incident = {
  id: 'i1',
  status: 'open',
  severity: 'high',
  title: 'error rate of shop\u001b[2J',
  startedAt: '2025-10-08T10:30:45.000Z',
  resolvedAt: null,
  services: ['shop', 'cart'],
};

test('incidents prints a table, and shows control characters instead of sending them to the terminal', async () => {
  const { lines, requests } = await run(['incidents', '--status', 'open', '--limit', '5', '--key', 'secret'], {
    answer: { items: [incident], nextCursor: null },
  });
  assert.deepEqual(requests[0], {
    method: 'GET',
    url: '/api/v1/incidents?status=open&limit=5',
    authorization: 'Bearer secret',
    body: '',
  });
  assert.match(
    lines.join('\n'),
    /^INCIDENT +STATUS.*\ni1 +open +high +2025-10-08 10:30:45 +shop, cart +error rate of shop\\x1b\[2J$/,
  );
});

test('incidents says so when there are none, and when there are more', async () => {
  assert.deepEqual((await run(['incidents'], { answer: { items: [], nextCursor: null } })).lines, ['no incidents']);
  const more = await run(['incidents'], { answer: { items: [incident], nextCursor: 'c' } });
  assert.equal(more.lines.at(-1), 'there are more: --limit 2');
});

test('--json prints the answer on one line', async () => {
  const answer = { items: [incident], nextCursor: null };
  for (const args of [
    ['incidents', '--json'],
    ['report', 'i1', '--json'],
    ['model', 'list', '--json'],
    ['model', 'activate', 'v1', '--json'],
  ]) {
    const { lines } = await run(args, { answer });
    assert.deepEqual(JSON.parse(lines.join('\n')), answer);
    assert.equal(lines.length, 1);
  }
});

test('report prints the Markdown of the incident that is asked for', async () => {
  const { lines, requests } = await run(['report', 'a/b'], { answer: { markdown: '# Incident\n\n- one\n' } });
  assert.equal(requests[0]?.url, '/api/v1/incidents/a%2Fb/report');
  assert.deepEqual(lines, ['# Incident\n\n- one']);
});

test('report prints an older version when one is asked for', async () => {
  const { requests } = await run(['report', 'i1', '--revision', '2'], { answer: { markdown: '' } });
  assert.equal(requests[0]?.url, '/api/v1/incidents/i1/report?version=2');
});

test('reports are found by words, verdict, service and time', async () => {
  const report = {
    incidentId: 'i1',
    version: 3,
    verdict: 'LIKELY',
    createdAt: incident.startedAt,
    markdown: '# shop is slow\n\nText',
  };
  const args = ['reports', 'connection', 'pool', '--verdict', 'likely', '--service', 'shop', '--from', '2025-10-08'];
  const { lines, requests } = await run(args, { answer: { items: [report], nextCursor: 'c' } });
  assert.equal(requests[0]?.url, '/api/v1/reports?text=connection+pool&verdict=LIKELY&service=shop&from=2025-10-08&limit=20');
  assert.match(
    lines.join('\n'),
    /^INCIDENT +VERSION.*\ni1 +3 +LIKELY +2025-10-08 10:30:45 +shop is slow\nthere are more: --limit 2$/,
  );
  assert.deepEqual((await run(['reports'], { answer: { items: [], nextCursor: null } })).lines, ['no reports']);
});

test('model trains, lists and activates', async () => {
  const model = {
    version: 'v3',
    service: 'shop',
    state: 'active',
    trainedAt: '2025-10-08T10:30:45.000Z',
    offset: -0.51234,
    metrics: { trainingWindows: 400, flaggedShare: 0.05 },
  };
  const trained = await run(['model', 'train', '--service', 'shop'], { answer: { items: [model] } });
  assert.equal(trained.requests[0]?.body, '{"service":"shop"}');
  assert.match(trained.lines.join('\n'), /\nv3 +shop +active +2025-10-08 10:30:45 +400 +-0\.5123 +5\.0 %$/);
  const activated = await run(['model', 'activate', 'v3'], { answer: model });
  assert.deepEqual([activated.requests[0]?.method, activated.requests[0]?.url], ['POST', '/api/v1/models/v3/activate']);
  assert.match(activated.lines.join('\n'), /\nv3 +shop/);
  assert.deepEqual((await run(['model', 'list'], { answer: { items: [] } })).lines, ['no models yet']);
});

test('feedback asks, says, lists and takes back', async () => {
  const preview = { days: 30, sentence: '14 fewer alerts, 0 confirmed incidents hidden' };
  const asked = await run(['feedback', 'say', 'i1', 'expected', '--hours', '22-24', '--preview'], {
    answer: { feedback: null, preview },
  });
  assert.equal(asked.requests[0]?.url, '/api/v1/incidents/i1/feedback');
  assert.equal(asked.requests[0].body, '{"label":"expected","preview":true,"scope":{"hours":{"from":22,"to":0}}}');
  assert.deepEqual(asked.lines, [`over the last 30 days: ${preview.sentence}`]);
  const item = { id: 'i1.1', label: 'expected', at: '2025-10-08T10:30:45.000Z', by: 'ada', services: ['shop'], note: null };
  const feedback = { ...item, rule: {}, takenBack: null };
  const said = await run(['feedback', 'say', 'i1', 'expected', '--by', 'ada'], { answer: { feedback, preview } });
  assert.match(
    said.lines.join('\n'),
    /^expected \(i1\.1\)\nanomalies like these call nobody from now on\nover the last 30 days: 14/,
  );
  const listed = await run(['feedback', 'list', '--label', 'expected'], { answer: { items: [feedback], nextCursor: null } });
  assert.match(listed.lines.join('\n'), /\ni1\.1 +expected +2025-10-08 10:30:45 +ada +in force +shop$/);
  const back = await run(['feedback', 'take-back', 'i1.1'], { answer: feedback });
  assert.deepEqual([back.requests[0]?.method, back.requests[0]?.url], ['DELETE', '/api/v1/feedback/i1.1']);
  const times = ['--from', '2025-10-08T10:00:00Z', '--to', '2025-10-08T10:05:00Z'];
  const missed = await run(['feedback', 'missed', 'shop', ...times], { answer: { ...feedback, id: 'missed.1' } });
  assert.deepEqual(missed.lines, ['missed (missed.1)']);
  const { error } = await run(['feedback', 'say', 'i1', 'expected', '--hours', 'night'], { answer: {} });
  assert.match((error as Error).message, /two hours of the day/);
});

test('a problem document becomes one sentence with its code', async () => {
  const answer = { code: 'unauthenticated', detail: 'no API key' };
  const { error } = await run(['incidents'], { status: 401, answer });
  const { code, message } = error as { code: string; message: string };
  assert.equal(code, 'unauthenticated');
  assert.match(message, /answered 401: no API key \(give an API key with --key or HELIOS_KEY\)$/);
});

test('an answer that is not from HELIOS is named as such', async () => {
  for (const status of [200, 404]) {
    const { error } = await run(['incidents'], { status, answer: '<html>' });
    assert.match((error as Error).message, new RegExp(`answered ${status} with something other than JSON; is it HELIOS\\?$`));
  }
});
