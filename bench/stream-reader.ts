import http from 'node:http';
import type { IncomingMessage } from 'node:http';

export interface StreamEvent {
  type: string;
  data: unknown;
  /** Monotonic time of arrival, milliseconds. */
  atMs: number;
}

/** Listens to the server-sent events of `/api/v1/stream` (WHATWG HTML, "Server-sent events"); disposing of it ends it. */
export class EventStreamReader implements Disposable {
  readonly #response: IncomingMessage;
  readonly #onEvent: (event: StreamEvent) => void;
  #text = '';

  private constructor(response: IncomingMessage, onEvent: (event: StreamEvent) => void) {
    this.#response = response;
    this.#onEvent = onEvent;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.#take(chunk, performance.now()));
    // The end of the server ends the stream.
    response.on('error', () => {});
  }

  static open(url: string, onEvent: (event: StreamEvent) => void): Promise<EventStreamReader> {
    return new Promise((resolve, reject) => {
      const request = http.get(new URL('/api/v1/stream', url), { headers: { accept: 'text/event-stream' } });
      request.on('error', reject);
      request.on('response', (response) => {
        if (response.statusCode === 200) resolve(new EventStreamReader(response, onEvent));
        else reject(new Error(`GET /api/v1/stream: ${response.statusCode}`));
      });
    });
  }

  #take(chunk: string, atMs: number): void {
    this.#text += chunk;
    for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
      const lines = this.#text.slice(0, end).split('\n');
      this.#text = this.#text.slice(end + 2);
      const field = (name: string): string[] =>
        lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trimStart());
      const data = field('data');
      if (data.length > 0) this.#onEvent({ type: field('event')[0] ?? 'message', data: JSON.parse(data.join('\n')), atMs });
    }
  }

  [Symbol.dispose](): void {
    this.#response.destroy();
  }
}
