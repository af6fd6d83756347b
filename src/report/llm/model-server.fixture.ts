import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The evidence as a model reads it out of the prompt. */
export interface Telemetry {
  incident: { status: string; lead: string; startedAt: string };
  verdict: string;
  services: string[];
  causes: { rank: number; service: string; reason: string[] }[];
  evidence: TelemetryItem[];
}

export interface TelemetryItem {
  id: string;
  type: string;
  role: string;
  service: string;
  feature?: string;
  value: number | string;
  at: string;
  direction?: 'up' | 'down';
  pair?: string;
  text?: string;
}

export interface ModelRequest {
  /** The body as it came. */
  body: string;
  path: string;
  telemetry: Telemetry;
  /** Of this server, from 1. */
  count: number;
}

/** What a scripted provider does with a request: a model's text, or anything at all on the wire. */
export type Script = (request: ModelRequest) => { text: string } | ((response: ServerResponse) => void);

export interface ModelServer extends AsyncDisposable {
  /** With the version, as `report.llm.base_url` has it. */
  url: string;
  requests: ModelRequest[];
  script: Script;
}

function telemetryOf(body: string): Telemetry {
  const { messages = [] } = JSON.parse(body) as { messages?: { content: unknown }[] };
  const text = messages.map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content))).join('\n');
  const fenced = /<telemetry>\n(.*)\n<\/telemetry>/.exec(text)?.[1];
  return JSON.parse(fenced ?? '{"evidence":[],"services":[],"causes":[]}') as Telemetry;
}

function completion(text: string): string {
  return JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_759_919_440,
    model: 'scripted',
    choices: [{ index: 0, message: { role: 'assistant', content: text, refusal: null }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1000, completion_tokens: 200, total_tokens: 1200 },
  });
}

export function answerJson(response: ServerResponse, body: string, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

/** A provider with the chat interface of OpenAI on loopback; how it behaves can be changed at any time. */
export async function startModelServer(script: Script): Promise<ModelServer> {
  const requests: ModelRequest[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const request = { body, path: incoming.url ?? '', telemetry: telemetryOf(body), count: requests.length + 1 };
      requests.push(request);
      const said = started.script(request);
      if (typeof said === 'function') said(response);
      else answerJson(response, completion(said.text));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const started: ModelServer = {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    script,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return started;
}
