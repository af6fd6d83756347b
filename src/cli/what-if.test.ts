import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import type { SimulatedAlert, Simulation, SimulationSide } from '../model/simulation.ts';
import { createProgram } from './program.ts';
import { overridesOf } from './what-if.ts';

const AT = '2025-10-08T10:00:00.000Z';

const alert: SimulatedAlert = {
  id: 'an-1',
  service: 'shop',
  signal: 'latency',
  severity: 'high',
  startedAt: AT,
  detectedAt: AT,
  resolvedAt: null,
  quiet: false,
  incidentId: 'in-1',
};
const side: SimulationSide = {
  alertCount: 3,
  quietCount: 1,
  incidentCount: 2,
  alertsPerServiceDay: 0.125,
  alerts: [],
  incidents: [],
};
const running: Simulation = {
  id: 'sim-1',
  state: 'running',
  createdAt: AT,
  startedAt: AT,
  endedAt: null,
  overrides: { 'anomaly_detection.false_alarm_budget': 1 },
  present: { 'anomaly_detection.false_alarm_budget': 0.05 },
  service: null,
  from: null,
  to: AT,
  progress: 0.5,
  error: null,
  result: null,
};
const done: Simulation = {
  ...running,
  state: 'done',
  result: {
    historyFrom: AT,
    historyLost: true,
    serviceDays: 24,
    present: side,
    overridden: { ...side, alertCount: 4 },
    difference: {
      both: 3,
      sooner: 2,
      later: 0,
      onlyPresentCount: 0,
      onlyOverriddenCount: 22,
      onlyPresent: [],
      onlyOverridden: Array.from({ length: 22 }, () => alert),
    },
  },
};

/** Runs the command against a server that gives the answers in turn; the last one again and again. */
async function run(args: string[], answers: readonly object[], signal = new AbortController().signal) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const answer = answers[Math.min(requests.length, answers.length - 1)];
      requests.push(`${request.method} ${request.url} ${body}`.trim());
      response.writeHead(200, { connection: 'close' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const lines: string[] = [];
  const output = (line: string): void => void lines.push(line);
  let error: unknown = null;
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const program = createProgram({ version: '1', signal, print: output, warn: output });
    await program.parseAsync(['what-if', ...args, '--url', url], { from: 'user' });
  } catch (caught) {
    error = caught;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  return { requests, text: lines.join('\n'), error };
}

test('what-if asks, waits, and prints both configurations side by side and what only one of them calls for', async () => {
  const { requests, text, error } = await run(['false_alarm_budget=1', '--service', 'shop'], [running, running, done]);
  assert.equal(error, null);
  assert.deepEqual(requests, [
    'POST /api/v1/simulations {"overrides":{"false_alarm_budget":"1"},"service":"shop"}',
    'GET /api/v1/simulations/sim-1',
    'GET /api/v1/simulations/sim-1',
  ]);
  assert.match(text, /PRESENT +OVERRIDDEN\nanomaly_detection\.false_alarm_budget +0\.05 +1\nalerts +3 +4\n/);
  assert.match(text, /alerts per service-day +0\.125 +0\.125\n/);
  assert.match(text, /history from 2025-10-08 10:00:00, 24\.00 service-days; retention has removed/);
  assert.match(text, /3 alerts are in both: 2 sooner with the overrides, 0 later/);
  assert.match(text, /overridden +2025-10-08 10:00:00 +shop +latency +high\nand 2 more: --json$/);
});

test('what-if --json prints the answer of the API', async () => {
  const { text } = await run(['threshold=auto', '--json'], [done]);
  assert.deepEqual(JSON.parse(text), done);
});

test('a simulation that fails or is cancelled fails the command with its reason', async () => {
  const failed = { ...running, state: 'failed', error: { code: 'too_large', message: 'cannot simulate: too much' } };
  assert.match(String((await run(['threshold=auto', '--json'], [failed])).error), /too much/);
  assert.match(String((await run(['threshold=auto', '--json'], [{ ...running, state: 'cancelled' }])).error), /was cancelled/);
});

test('an interrupt cancels the simulation', async () => {
  const abort = new AbortController();
  abort.abort(new Error('interrupted'));
  const { requests, error } = await run(['threshold=auto', '--json'], [running, done], abort.signal);
  assert.match(String(error), /interrupted/);
  assert.equal(requests.at(-1), 'DELETE /api/v1/simulations/sim-1');
});

test('overrides are KEY=VALUE, each key once', () => {
  assert.deepEqual(overridesOf(['a=1', ' b =x=y', 'c=']), { a: '1', b: 'x=y', c: '' });
  assert.throws(() => overridesOf(['a']), { code: 'invalid_argument' });
  assert.throws(() => overridesOf(['=1']), { code: 'invalid_argument' });
  assert.throws(() => overridesOf(['a=1', 'a=2']), { code: 'invalid_argument' });
});
