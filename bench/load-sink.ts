import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers every body as the ingest door does when all is well, and forgets it. Ends when its standard input does. */
const NEWLINE = 10;

function countLines(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) count++;
  return count;
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
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ ready: true, url: `http://127.0.0.1:${port}` })}\n`);
});
process.stdin.on('end', () => {
  server.closeAllConnections();
  server.close();
});
process.stdin.resume();
