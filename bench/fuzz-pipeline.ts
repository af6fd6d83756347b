import net from 'node:net';
import type { Socket } from 'node:net';
import type { FuzzTally } from './fuzz-tally.ts';

const DEPTH = 16;
const HEAD_END = '\r\n\r\n';

export interface FuzzInput {
  name: string;
  bytes: Buffer;
}

/** The next input, or null when there are no more. */
export type NextInput = () => FuzzInput | null;

/**
 * Sends requests on one keep-alive connection, several at once, and opens another when the server ends it: the first request
 * without an answer counts as one that has none, those behind it are sent again.
 */
export class FuzzPipeline {
  readonly #url: URL;
  readonly #next: NextInput;
  readonly #tally: FuzzTally;
  #again: FuzzInput[] = [];

  constructor(url: URL, next: NextInput, tally: FuzzTally) {
    this.#url = url;
    this.#next = next;
    this.#tally = tally;
  }

  /** Resolves when every input has its answer. Rejects when nobody listens. */
  async run(): Promise<void> {
    for (let open: FuzzInput[] | null = []; open !== null;) {
      open = await this.#useConnection();
      if (open === null) return;
      if (open.length > 0) this.#tally.noAnswer('HTTP');
      this.#again = [...open.slice(1), ...this.#again];
    }
  }

  #take(): FuzzInput | null {
    return this.#again.shift() ?? this.#next();
  }

  /** Inputs without an answer when the connection ended, or null when all is done. */
  #useConnection(): Promise<FuzzInput[] | null> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: this.#url.hostname, port: Number(this.#url.port) });
      const open: FuzzInput[] = [];
      let received = '';
      let isConnected = false;
      socket.setEncoding('latin1').setNoDelay(true);
      socket.on('connect', () => {
        isConnected = true;
        if (!this.#fill(socket, open)) socket.end();
      });
      socket.on('data', (text: unknown) => {
        received = this.#read(received + String(text), open);
        if (!this.#fill(socket, open)) socket.end();
      });
      socket.on('error', (error) => {
        if (!isConnected) reject(error);
      });
      socket.on('close', () => {
        const isDone = open.length === 0 && this.#again.length === 0 && socket.writableEnded;
        resolve(isDone ? null : open);
      });
    });
  }

  /** Keeps the connection busy; false when there is nothing left to send or to wait for. */
  #fill(socket: Socket, open: FuzzInput[]): boolean {
    const batch: Buffer[] = [];
    while (open.length < DEPTH) {
      const input = this.#take();
      if (input === null) break;
      open.push(input);
      batch.push(input.bytes);
    }
    if (batch.length > 0 && socket.writable) socket.write(Buffer.concat(batch));
    return open.length > 0;
  }

  #read(text: string, open: FuzzInput[]): string {
    let rest = text;
    for (;;) {
      const headEnd = rest.indexOf(HEAD_END);
      if (headEnd < 0) return rest;
      const head = rest.slice(0, headEnd);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      const end = headEnd + HEAD_END.length + length;
      if (rest.length < end) return rest;
      const body = rest.slice(headEnd + HEAD_END.length, end);
      rest = rest.slice(end);
      const status = Number(head.slice(9, 12));
      const input = status >= 200 ? open.shift() : undefined;
      if (input) this.#tally.http(status, body, input.name, input.bytes);
    }
  }
}
