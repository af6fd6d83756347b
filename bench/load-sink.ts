import http from 'node:http';
import http2 from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';

/** Answers every request as the doors do when all is well, and forgets it. Ends when its standard input does. */
const NEWLINE = 10;
const GRPC_PREFIX_LENGTH = 5;
const EMPTY_MESSAGE = Buffer.alloc(GRPC_PREFIX_LENGTH);

function countLines(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** Calls back for every message of a gRPC request; its bytes are not kept. */
function onMessages(stream: ServerHttp2Stream, take: () => void): void {
  let prefix: Buffer = Buffer.alloc(0);
  let missing = 0;
  stream.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length;) {
      if (missing === 0) {
        const piece = chunk.subarray(at, at + GRPC_PREFIX_LENGTH - prefix.length);
        prefix = Buffer.concat([prefix, piece]);
        at += piece.length;
        if (prefix.length < GRPC_PREFIX_LENGTH) return;
        missing = prefix.readUInt32BE(1);
      }
      const length = Math.min(missing, chunk.length - at);
      at += length;
      missing -= length;
      if (missing > 0) return;
      prefix = Buffer.alloc(0);
      take();
    }
  });
}

function answerCall(stream: ServerHttp2Stream): void {
  stream.on('error', () => {});
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  onMessages(stream, () => stream.write(EMPTY_MESSAGE));
  stream.on('end', () => stream.end());
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const server = http.createServer((request, response) => {
  let accepted = 0;
  request.on('data', (chunk: Buffer) => (accepted += countLines(chunk)));
  request.on('end', () => {
    const body = JSON.stringify({ accepted });
    response.writeHead(202, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
});
const grpcServer = http2.createServer();
grpcServer.on('stream', answerCall);
const [url, grpcUrl] = [await listen(server), await listen(grpcServer)];
process.stdout.write(`${JSON.stringify({ ready: true, url, grpcUrl })}\n`);
process.stdin.on('end', () => process.exit());
process.stdin.resume();
