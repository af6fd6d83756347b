import net from 'node:net';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import type { FuzzCall } from './fuzz-grpc.ts';
import type { FuzzInput } from './fuzz-pipeline.ts';
import type { FuzzTally } from './fuzz-tally.ts';
import type { GrpcSessions } from './load-grpc.ts';

/** How long an answer may take to bytes that may never make a request. */
const PATIENCE_MS = 200;
const CALL_PATIENCE_MS = 5000;

/** Bytes on a connection of their own; done when the server has ended it, or has had the time to. */
export function sendAlone(url: URL, { name, bytes }: FuzzInput, kind: 'HTTP' | 'HTTP/2', tally: FuzzTally): Promise<void> {
  return new Promise((resolve) => {
    let received = '';
    const socket = net.connect({ host: url.hostname, port: Number(url.port) });
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    socket.on('data', (chunk) => {
      if (received.length < 4096) received += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      const statuses = kind === 'HTTP' ? [...received.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status)) : [];
      const worst = Math.max(...statuses);
      if (statuses.length > 0) tally.http(worst, received.slice(0, 300), name, bytes);
      else tally.noAnswer(kind);
      resolve();
    });
    socket.end(bytes);
  });
}

/** One call; a server that waits for the rest of a message is left. */
export async function sendCall(sessions: GrpcSessions, call: FuzzCall & FuzzInput, tally: FuzzTally): Promise<void> {
  let session: ClientHttp2Session;
  try {
    session = await sessions.take();
  } catch {
    tally.noAnswer('gRPC');
    return;
  }
  await new Promise<void>((resolve) => {
    let headers: IncomingHttpHeaders = {};
    const stream = session.request(call.headers);
    stream.setTimeout(CALL_PATIENCE_MS, () => stream.close());
    const take = (more: IncomingHttpHeaders): void => {
      headers = { ...headers, ...more };
    };
    stream
      .on('response', take)
      .on('trailers', take)
      .on('error', () => {});
    stream.on('close', () => {
      const code = headers['grpc-status'];
      const status = Number(headers[':status']);
      if (code !== undefined) tally.grpc(Number(code), String(headers['grpc-message']), call.name, call.bytes);
      else if (status > 0) tally.http(status, '', call.name, call.bytes);
      else tally.noAnswer('gRPC');
      resolve();
    });
    stream.resume();
    stream.end(call.bytes);
  });
}
