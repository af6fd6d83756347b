import type { IncomingHttpHeaders } from 'node:http2';
import type { Ticket } from '../admission.ts';
import type { Sender } from '../handler.ts';

/** What a method knows about the message it is given. */
export interface MessageContext {
  sender: Sender;
  headers: IncomingHttpHeaders;
  /** Accounts for what is held on behalf of the message until it is answered. */
  ticket: Ticket;
  /** Bytes of the message as sent. */
  sentBytes: number;
}

interface MethodBase {
  /** Label of metrics, and the door that the handler is told. */
  door: string;
  /** Ingest methods ask for a key and for admission; the others are small and open to all, like GET /healthz. */
  access: 'ingest' | 'anyone';
}

/** One message in, one out; `exchange`: any number of them, answered in order. */
export interface AnsweringMethod extends MethodBase {
  shape: 'unary' | 'exchange';
  /** Throws HeliosError, which ends the call. */
  answer(message: Uint8Array, context: MessageContext): Promise<Uint8Array>;
}

/** One message in, any number out until the client or the process has enough. */
export interface WatchingMethod extends MethodBase {
  shape: 'watch';
  /** Sends messages from now on; returns how to stop that. */
  watch(message: Uint8Array, send: (message: Uint8Array) => void): () => void;
}

export type Method = AnsweringMethod | WatchingMethod;

/** Methods by path, "/helios.v1.EventService/Publish". */
export type Methods = ReadonlyMap<string, Method>;
