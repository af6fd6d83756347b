import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Admission, Ticket } from '../admission.ts';
import { decompress } from '../decompression.ts';
import type { DoorLimits } from '../door-limits.ts';
import type { Sender } from '../handler.ts';
import { BYTES_RECEIVED, REQUEST_SECONDS, REQUESTS } from '../metrics.ts';
import { errorTrailers, frame, OK_TRAILERS, RESPONSE_HEADERS } from './answer.ts';
import {
  MAX_IN_FLIGHT_BYTES,
  MAX_IN_FLIGHT_MESSAGES,
  MAX_OPEN_IN_FLIGHT_MESSAGES,
  OPEN_LIMITS,
  STREAM_WINDOW_BYTES,
} from './limits.ts';
import { releaseBytes } from '../owned-bytes.ts';
import { MessageReader, PREFIX_BYTES } from './message-reader.ts';
import { encodingOf, timeoutMsOf } from './metadata.ts';
import type { MessageEncoding } from './metadata.ts';
import type { Method } from './method.ts';
import { stopSender } from './stop-sender.ts';

export interface CallOptions {
  admission: Admission;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** By door; a body is a message here. */
  limitsOf: (door: string) => DoorLimits;
}

interface ReadMessage {
  bytes: Uint8Array;
  isCompressed: boolean;
  ticket: Ticket;
  startedMs: number;
}

/** For methods that are open to all: their messages are small, and nothing is counted. */
const NO_TICKET: Ticket = { reserve() {}, settle() {}, fail() {}, [Symbol.dispose]() {} };

/**
 * One gRPC call from its headers to its trailers (gRPC over HTTP/2). Every failure becomes a status; `INTERNAL` is a bug. Memory
 * is accounted for by one ticket a message, from its first byte until it is answered.
 */
export class Call {
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #method: Method;
  readonly #options: CallOptions;
  readonly #limits: Pick<DoorLimits, 'maxBodyBytes' | 'bodyTimeoutMs'>;
  readonly #maxInFlight: number;
  readonly #startedMs: number;
  #sender: Sender;
  #encoding: MessageEncoding = 'identity';
  #reader: MessageReader;
  /** Of the message that is being read, until it is given to the method. */
  #ticket: Ticket | null = null;
  /** The one message of a call that takes one. */
  #message: ReadMessage | null = null;
  /** Accounts for what the client may still send into a stream that is not read. */
  #pauseTicket: Ticket | null = null;
  /** Settles when everything so far is answered. */
  #tail: Promise<void> = Promise.resolve();
  #inFlight = 0;
  #inFlightBytes = 0;
  #trailers: OutgoingHttpHeaders = OK_TRAILERS;
  #wantsMore = true;
  #hasEnded = false;
  #isOver = false;
  #stopDeadline = (): void => {};
  #stopMessageTimer: (() => void) | null = null;
  #stopWatching = (): void => {};

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, method: Method, peer: string, options: CallOptions) {
    this.#stream = stream;
    this.#headers = headers;
    this.#method = method;
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
    this.#sender = { principal: { id: '', services: null }, client: peer };
    this.#limits = method.access === 'anyone' ? OPEN_LIMITS : options.limitsOf(method.door);
    this.#maxInFlight = method.access === 'anyone' ? MAX_OPEN_IN_FLIGHT_MESSAGES : MAX_IN_FLIGHT_MESSAGES;
    this.#reader = new MessageReader(this.#limits.maxBodyBytes, {
      begin: () => this.#begin(),
      take: (bytes, isCompressed) => this.#take(bytes, isCompressed),
    });
    stream.on('wantTrailers', () => this.#sendTrailers());
    stream.on('close', () => this.#onClose());
    this.#open(peer);
  }

  /** Ends calls that would go on for ever: what was received is answered, then the client is told to go elsewhere. */
  drain(): void {
    if (this.#method.shape === 'unary') return;
    this.#refuse(
      new HeliosError('shutting_down', 'cannot go on with the stream: the process is stopping', {
        details: { retryAfterSeconds: 1 },
      }),
    );
  }

  #open(peer: string): void {
    const { admission, clock } = this.#options;
    const { door, access, shape } = this.#method;
    try {
      const timeoutMs = timeoutMsOf(this.#headers);
      this.#encoding = encodingOf(this.#headers);
      if (access === 'ingest') {
        this.#sender = admission.identify(this.#headers, peer, door);
        if (shape !== 'exchange') this.#ticket = admission.admit(this.#sender, door);
      }
      if (timeoutMs < Infinity) this.#stopDeadline = clock.after(timeoutMs, () => this.#fail(deadlineExceeded()));
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (shape !== 'exchange') this.#timeMessage();
    this.#stream.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#stream.on('end', () => this.#onEnd());
  }

  #read(chunk: Buffer): void {
    if (!this.#wantsMore) return;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    if (this.#reader.isWanted) this.#timeMessage();
    else this.#pause();
  }

  #begin(): Ticket {
    const { shape, access, door } = this.#method;
    if (shape !== 'exchange' && this.#message) throw invalidBody('the call takes one message, and there is more');
    if (access === 'anyone') this.#ticket ??= NO_TICKET;
    else this.#ticket ??= this.#options.admission.admit(this.#sender, door);
    return this.#ticket;
  }

  #take(bytes: Uint8Array, isCompressed: boolean): boolean {
    this.#stopMessageTimer?.();
    this.#stopMessageTimer = null;
    const ticket = this.#ticket ?? NO_TICKET;
    const { clock, metrics } = this.#options;
    metrics.add(BYTES_RECEIVED, bytes.length + PREFIX_BYTES, { door: this.#method.door });
    const message: ReadMessage = { bytes, isCompressed, ticket, startedMs: clock.monotonicMs() };
    if (this.#method.shape !== 'exchange') {
      message.startedMs = this.#startedMs;
      this.#message = message;
      return true;
    }
    this.#submit(message);
    return this.#wantsMore && this.#inFlight < this.#maxInFlight && this.#inFlightBytes < MAX_IN_FLIGHT_BYTES;
  }

  /** The message that is being read has until then, unless it has been timed already. */
  #timeMessage(): void {
    const isExpected = this.#reader.isInside || (this.#method.shape !== 'exchange' && !this.#message);
    if (!isExpected || this.#stopMessageTimer) return;
    const { bodyTimeoutMs } = this.#limits;
    this.#stopMessageTimer = this.#options.clock.after(bodyTimeoutMs, () =>
      this.#refuse(new HeliosError('timeout', `cannot take the message: it did not arrive within ${bodyTimeoutMs} ms`)),
    );
  }

  #onEnd(): void {
    if (!this.#wantsMore) return;
    // A stream can end while it is paused; then there may be messages left to read.
    this.#hasEnded = true;
    if (!this.#reader.isWanted) return;
    const message = this.#message;
    if (this.#reader.isInside) this.#refuse(invalidBody('the stream ends within a message'));
    else if (this.#method.shape !== 'exchange' && !message) this.#refuse(invalidBody('there is none'));
    else if (this.#method.shape === 'watch') this.#watch(message as ReadMessage);
    else {
      this.#wantsMore = false;
      if (message) this.#submit(message);
      void this.#tail.then(() => this.#finish());
    }
  }

  #watch({ bytes, isCompressed }: ReadMessage): void {
    const method = this.#method;
    if (method.shape !== 'watch') return;
    try {
      if (isCompressed) throw invalidBody('it is compressed, which this method does not take');
      this.#stopWatching = method.watch(bytes, (answer) => this.#send(answer, () => {}));
    } catch (error) {
      this.#fail(error);
    }
  }

  #submit(message: ReadMessage): void {
    const { length } = message.bytes;
    this.#ticket = null;
    this.#inFlight++;
    this.#inFlightBytes += length;
    const work = this.#answer(message);
    // Whatever comes after a message that ends the call is not read; those before it are answered first.
    work.catch(() => (this.#wantsMore = false));
    this.#tail = this.#deliver(this.#tail, work, () => {
      this.#inFlight--;
      this.#inFlightBytes -= length;
      this.#resume();
    });
  }

  async #deliver(earlier: Promise<void>, work: Promise<Uint8Array>, done: () => void): Promise<void> {
    await earlier;
    try {
      this.#send(await work, done);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #answer({ bytes, isCompressed, ticket, startedMs }: ReadMessage): Promise<Uint8Array> {
    using _ = ticket;
    const method = this.#method;
    const { metrics, clock } = this.#options;
    try {
      if (method.shape === 'watch') throw invalidBody('the method has no answer');
      const message = isCompressed ? await this.#decompress(bytes, ticket) : bytes;
      const sentBytes = bytes.length + PREFIX_BYTES;
      const answer = await method.answer(message, { sender: this.#sender, headers: this.#headers, ticket, sentBytes });
      releaseBytes(bytes);
      releaseBytes(message);
      metrics.add(REQUESTS, 1, { door: method.door, code: 'ok' });
      metrics.observe(REQUEST_SECONDS, (clock.monotonicMs() - startedMs) / 1000, { door: method.door });
      return answer;
    } catch (error) {
      if (error instanceof HeliosError) ticket.fail(error);
      throw error;
    }
  }

  async #decompress(bytes: Uint8Array, memory: Ticket): Promise<Uint8Array> {
    if (this.#encoding === 'identity') throw invalidBody('it is compressed, and the call names no grpc-encoding');
    return decompress(bytes, this.#encoding, { limitBytes: this.#limits.maxBodyBytes, memory, what: 'message' });
  }

  /** `done` is called when the answer has left, which a client that reads none delays. */
  #send(answer: Uint8Array, done: () => void): void {
    if (this.#isOver || this.#isGone) return;
    if (!this.#stream.headersSent) this.#stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    if (this.#method.shape === 'unary') this.#finish(frame(answer));
    else this.#stream.write(frame(answer), done);
  }

  #pause(): void {
    this.#stopMessageTimer?.();
    this.#stopMessageTimer = null;
    this.#stream.pause();
    if (this.#pauseTicket || this.#method.access === 'anyone') return;
    try {
      this.#pauseTicket = this.#options.admission.admit(this.#sender, this.#method.door);
      this.#pauseTicket.reserve(STREAM_WINDOW_BYTES);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #resume(): void {
    if (this.#isOver || !this.#wantsMore || this.#reader.isWanted) return;
    if (this.#inFlight > this.#maxInFlight / 2 || this.#inFlightBytes > MAX_IN_FLIGHT_BYTES / 2) return;
    try {
      this.#reader.resume();
    } catch (error) {
      this.#refuse(error);
    }
    if (!this.#reader.isWanted && this.#wantsMore) return;
    this.#endPause();
    this.#stream.resume();
    if (this.#hasEnded) this.#onEnd();
    else if (this.#wantsMore) this.#timeMessage();
  }

  #endPause(): void {
    this.#pauseTicket?.[Symbol.dispose]();
    this.#pauseTicket = null;
  }

  /** Reads no more, answers what was received, then ends the call with the error. */
  #refuse(error: unknown): void {
    this.#wantsMore = false;
    this.#stopMessageTimer?.();
    void this.#failAfter(this.#tail, error);
  }

  async #failAfter(answered: Promise<void>, error: unknown): Promise<void> {
    await answered;
    this.#fail(error);
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    const known =
      error instanceof HeliosError
        ? error
        : new HeliosError('internal', 'cannot take the call: an unexpected failure', { cause: error });
    if (known.code === 'internal')
      this.#options.logger.error('gRPC call failed', { error: String((error as Error)?.stack ?? error) });
    this.#options.metrics.add(REQUESTS, 1, { door: this.#method.door, code: known.code });
    this.#ticket?.fail(known);
    const trailers = errorTrailers(known);
    if (this.#stream.headersSent) {
      this.#trailers = trailers;
      this.#finish();
      return;
    }
    this.#release();
    if (this.#isGone) return;
    this.#stream.respond({ ...RESPONSE_HEADERS, ...trailers }, { endStream: true });
    stopSender(this.#stream, this.#options.clock);
  }

  /** The client has reset the stream, or the connection is lost; the event follows. */
  get #isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  #finish(last?: Buffer): void {
    if (this.#isOver) return;
    this.#release();
    if (this.#isGone) return;
    if (!this.#stream.headersSent) this.#stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    this.#stream.end(last);
  }

  #sendTrailers(): void {
    this.#stream.sendTrailers(this.#trailers);
    stopSender(this.#stream, this.#options.clock);
  }

  #onClose(): void {
    if (this.#isOver) return;
    this.#options.metrics.add(REQUESTS, 1, { door: this.#method.door, code: 'client_gone' });
    this.#release();
  }

  /** Once, when the call is over; messages that are being stored keep their tickets until they are. */
  #release(): void {
    this.#isOver = true;
    this.#wantsMore = false;
    this.#stopDeadline();
    this.#stopMessageTimer?.();
    this.#stopWatching();
    this.#endPause();
    this.#ticket?.[Symbol.dispose]();
    this.#ticket = null;
  }
}

function invalidBody(reason: string): HeliosError {
  return new HeliosError('invalid_body', `cannot read the message: ${reason}`);
}

function deadlineExceeded(): HeliosError {
  return new HeliosError('timeout', 'cannot answer the call: its deadline has passed');
}
