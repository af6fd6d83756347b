import http2 from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { LoadAnswer, LoadChannel, Outcome } from './load-channel.ts';

const PREFIX_LENGTH = 5;
const OK = 0;
/** RESOURCE_EXHAUSTED, ABORTED and UNAVAILABLE (grpc.io, "Status codes"). */
const LATER = new Set([8, 10, 14]);

/** HTTP/2 connections that gRPC calls are spread over, opened when first used and again when one has ended. */
export class GrpcSessions {
  readonly #url: URL;
  readonly #sessions: (ClientHttp2Session | null)[];
  #next = 0;

  constructor(url: URL, count: number) {
    this.#url = url;
    this.#sessions = Array.from({ length: count }, () => null);
  }

  /** Rejects when nobody listens there. */
  async take(): Promise<ClientHttp2Session> {
    const index = this.#next++ % this.#sessions.length;
    const known = this.#sessions[index];
    const session = known && !known.closed && !known.destroyed ? known : http2.connect(this.#url);
    this.#sessions[index] = session;
    if (session.connecting) await connected(session);
    return session;
  }

  close(): void {
    for (const session of this.#sessions) session?.destroy();
  }
}

function connected(session: ClientHttp2Session): Promise<void> {
  session.setMaxListeners(0);
  return new Promise((resolve, reject) => {
    session.once('connect', () => resolve());
    session.once('error', reject);
    session.once('close', () => reject(new Error('the connection was closed')));
    // Calls in flight fail by themselves.
    session.on('error', () => {});
  });
}

function callHeaders(path: string): Record<string, string> {
  return { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', 'user-agent': 'bench' };
}

function outcomeOf(code: number): Outcome {
  if (code === OK) return 'stored';
  return LATER.has(code) ? 'later' : 'refused';
}

/** Status and message of a call that has ended: in trailers, or in the headers of an answer that is nothing else. */
function statusOf(headers: IncomingHttpHeaders): LoadAnswer | null {
  const code = headers['grpc-status'];
  if (code === undefined) return null;
  return { outcome: outcomeOf(Number(code)), text: `grpc ${String(code)} ${String(headers['grpc-message'] ?? '')}` };
}

class UnaryChannel implements LoadChannel {
  readonly #session: ClientHttp2Session;
  readonly #headers: Record<string, string>;

  constructor(session: ClientHttp2Session, path: string) {
    this.#session = session;
    this.#headers = callHeaders(path);
  }

  get usable(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  post(bytes: Buffer): Promise<LoadAnswer> {
    return new Promise((resolve, reject) => {
      const stream = this.#session.request(this.#headers);
      let answer: LoadAnswer | null = null;
      const take = (headers: IncomingHttpHeaders): void => {
        answer = statusOf(headers) ?? answer;
      };
      stream.on('response', take).on('trailers', take).on('error', reject);
      stream.on('close', () => {
        if (answer) resolve(answer);
        else reject(new Error('the call ended without a status'));
      });
      stream.resume();
      stream.end(bytes);
    });
  }

  /** The session is shared. */
  close(): void {}
}

/** One request at a time on a stream that stays open; every message that comes is the answer to one that went. */
class StreamChannel implements LoadChannel {
  readonly #stream: ClientHttp2Stream;
  #received: Buffer = Buffer.alloc(0);
  #pending: { resolve: (answer: LoadAnswer) => void; reject: (error: Error) => void } | null = null;
  #end: LoadAnswer | null = null;
  #failure: Error | null = null;

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream;
    const take = (headers: IncomingHttpHeaders): void => {
      this.#end = statusOf(headers) ?? this.#end;
    };
    stream.on('response', take).on('trailers', take);
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('error', (error) => (this.#failure ??= error));
    stream.on('close', () => this.#ended());
  }

  get usable(): boolean {
    return this.#failure === null;
  }

  post(bytes: Buffer): Promise<LoadAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#failure || this.#pending) {
        reject(this.#failure ?? new Error('a request is in flight'));
        return;
      }
      this.#pending = { resolve, reject };
      this.#stream.write(bytes);
    });
  }

  close(): void {
    this.#stream.close(http2.constants.NGHTTP2_CANCEL);
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= PREFIX_LENGTH) {
      const end = PREFIX_LENGTH + this.#received.readUInt32BE(1);
      if (this.#received.length < end) return;
      this.#received = this.#received.subarray(end);
      const pending = this.#pending;
      this.#pending = null;
      pending?.resolve({ outcome: 'stored', text: 'acknowledged' });
    }
  }

  #ended(): void {
    this.#failure ??= new Error(this.#end?.text ?? 'the stream ended without a status');
    const pending = this.#pending;
    this.#pending = null;
    if (this.#end && this.#end.outcome !== 'stored') pending?.resolve(this.#end);
    else pending?.reject(this.#failure);
  }
}

/** Unary calls, each an HTTP/2 stream of its own. */
export async function openGrpcUnary(sessions: GrpcSessions, path: string): Promise<LoadChannel> {
  return new UnaryChannel(await sessions.take(), path);
}

/** One bidirectional call. */
export async function openGrpcStream(sessions: GrpcSessions, path: string): Promise<LoadChannel> {
  const session = await sessions.take();
  return new StreamChannel(session.request(callHeaders(path)));
}
