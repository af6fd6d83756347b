import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface RawAnswer {
  status: number;
  head: string;
  body: string;
  /** The server ended the connection with it. */
  ended: boolean;
}

/** A connection to the server on which a test says what no HTTP client would; errors end it quietly. */
export function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

function parseAnswer(text: string): RawAnswer | null {
  const final = text.replace(/^HTTP\/1\.1 1\d\d [^]*?\r\n\r\n/, '');
  const split = final.indexOf('\r\n\r\n');
  if (split < 0) return null;
  const head = final.slice(0, split);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? NaN);
  const body = final.slice(split + 4, split + 4 + length);
  if (!(body.length >= length)) return null;
  return { status: Number(head.slice(9, 12)), head, body, ended: /\r\nconnection: close/i.test(head) };
}

/** The next answer on a connection, or what had come when the server ended it. Bodies are taken as Latin-1. */
export function readAnswer(socket: Socket): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let text = '';
    const done = (answer: RawAnswer): void => {
      socket.off('data', onData).off('close', onClose);
      resolve(answer);
    };
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const answer = parseAnswer(text);
      if (answer) done(answer);
    };
    const onClose = (): void => {
      const [head = '', body = ''] = text.split('\r\n\r\n', 2);
      done({ status: head === '' ? 0 : Number(head.slice(9, 12)), head, body, ended: true });
    };
    socket.on('data', onData).on('close', onClose);
  });
}

/** Sends bytes on a connection of their own; its first answer. */
export async function exchange(url: string, ...parts: (string | Uint8Array)[]): Promise<RawAnswer> {
  const socket = await openSocket(url);
  const answer = readAnswer(socket);
  for (const part of parts) socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
  const result = await answer;
  socket.destroy();
  return result;
}

/** `POST /api/v1/events` with these header lines, without a length unless one of them says it. */
export function postHead(...headers: string[]): string {
  return ['POST /api/v1/events HTTP/1.1', 'Host: helios', ...headers, '', ''].join('\r\n');
}

/** Sends `size` bytes again and again as one chunked body until the server answers or `total` bytes are out. */
export async function postChunked(url: string, size: number, total: number): Promise<RawAnswer & { sentBytes: number }> {
  const socket = await openSocket(url);
  const answer = readAnswer(socket);
  const answered = new AbortController();
  void answer.then(() => answered.abort());
  const frame = Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), Buffer.alloc(size, 0x20), Buffer.from('\r\n')]);
  const frames = Buffer.concat(Array.from({ length: Math.max(1, Math.floor(65_536 / frame.length)) }, () => frame));
  const perWrite = (frames.length / frame.length) * size;
  socket.write(postHead('Transfer-Encoding: chunked'));
  let sentBytes = 0;
  for (; sentBytes < total && !answered.signal.aborted && !socket.destroyed; sentBytes += perWrite) {
    if (!socket.write(frames)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), answer]);
  }
  socket.write('0\r\n\r\n');
  const result = await answer;
  socket.destroy();
  return { ...result, sentBytes };
}
