import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a receiver behaves badly; each is what a real one, or something in front of it, does. */
export type Misbehaviour = 'rate_limited' | 'failing' | 'slow' | 'garbage' | 'page' | 'redirect' | 'endless' | 'hang_up';

export interface ReceivedRequest {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface ServedAnswer {
  status: number;
  body: string;
  headers?: Record<string, string>;
}

export interface ReceiverServer extends AsyncDisposable {
  url: string;
  requests: ReceivedRequest[];
  misbehave(how: Misbehaviour | null): void;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function answerBadly(how: Misbehaviour, response: ServerResponse, url: string): void {
  switch (how) {
    case 'rate_limited':
      response.writeHead(429, { 'retry-after': '7', 'content-type': 'text/plain' }).end('slow down');
      return;
    case 'failing':
      response.writeHead(500).end('internal error');
      return;
    case 'garbage':
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(Buffer.from([0xff, 0xfe, 0, 1, 2, 0x3c]));
      return;
    case 'page':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><html><body>Sign in</body></html>');
      return;
    case 'redirect':
      response.writeHead(307, { location: `${url}/elsewhere` }).end();
      return;
    case 'endless': {
      response.writeHead(200, { 'content-type': 'application/json' });
      const chunk = 'x'.repeat(65_536);
      const write = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', write);
      write();
      return;
    }
    case 'hang_up':
      response.destroy();
      return;
    case 'slow':
  }
}

/** An HTTP server of the test's process that behaves as `answer` says, until it is told to misbehave. */
export async function startReceiverServer(answer: (request: ReceivedRequest) => ServedAnswer): Promise<ReceiverServer> {
  const requests: ReceivedRequest[] = [];
  let misbehaviour: Misbehaviour | null = null;
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      if (misbehaviour !== null) {
        answerBadly(misbehaviour, response, url);
        return;
      }
      const received = { path: request.url ?? '', headers: request.headers, body };
      requests.push(received);
      const { status, body: text, headers } = answer(received);
      response.writeHead(status, headers).end(text);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    requests,
    misbehave(how) {
      misbehaviour = how;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
