import net from 'node:net';
import type { Socket } from 'node:net';

export interface LoadAnswer {
  status: number;
  body: string;
}

const HEAD_END = '\r\n\r\n';

/**
 * One keep-alive HTTP/1.1 connection with one request in flight. Knows no more of HTTP than the answers it gets need: a
 * status line, headers, and a body of Content-Length bytes.
 */
export class LoadConnection {
  readonly #socket: Socket;
  #received = '';
  #wanted = -1;
  #pending: { resolve: (answer: LoadAnswer) => void; reject: (error: Error) => void } | null = null;
  #failure: Error | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text) => this.#take(text as unknown as string));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  /** Rejects when nobody listens there. */
  static open(url: URL): Promise<LoadConnection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: url.hostname, port: Number(url.port) });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new LoadConnection(socket));
      });
    });
  }

  /** False once the connection is closed or broken. */
  get usable(): boolean {
    return this.#failure === null;
  }

  /** The bytes may be changed once the answer is there. Rejects when the connection ends first. */
  send(bytes: Uint8Array): Promise<LoadAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#failure || this.#pending) {
        reject(this.#failure ?? new Error('a request is in flight'));
        return;
      }
      this.#pending = { resolve, reject };
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received = this.#received === '' ? text : this.#received + text;
    for (;;) {
      const headEnd = this.#received.indexOf(HEAD_END);
      if (headEnd < 0) return;
      if (this.#wanted < 0) this.#wanted = headEnd + HEAD_END.length + contentLength(this.#received.slice(0, headEnd));
      if (Number.isNaN(this.#wanted)) {
        this.#fail(new Error(`no Content-Length in the answer: ${this.#received.slice(0, headEnd)}`));
        return;
      }
      if (this.#received.length < this.#wanted) return;
      const status = Number(this.#received.slice(9, 12));
      const body = this.#received.slice(headEnd + HEAD_END.length, this.#wanted);
      this.#received = this.#received.slice(this.#wanted);
      this.#wanted = -1;
      // 100 Continue and its like announce an answer.
      if (status >= 200) this.#answer({ status, body });
    }
  }

  #answer(answer: LoadAnswer): void {
    const pending = this.#pending;
    this.#pending = null;
    pending?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#socket.destroy();
    const pending = this.#pending;
    this.#pending = null;
    pending?.reject(this.#failure);
  }
}

function contentLength(head: string): number {
  const found = /\r\ncontent-length: *(\d+)/i.exec(head);
  if (found) return Number(found[1]);
  return /^HTTP\/1\.1 (1\d\d|204|304)/.test(head) ? 0 : NaN;
}
