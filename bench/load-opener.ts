import type { LoadChannel, Outcome } from './load-channel.ts';
import { LoadConnection } from './load-connection.ts';
import type { LoadDoor } from './load-doors.ts';
import { GrpcSessions, openGrpcStream, openGrpcUnary } from './load-grpc.ts';

/** What a server that has too much to do, or that sees a request twice at once, answers. */
const LATER = new Set([408, 409, 429, 502, 503, 504]);

function httpOutcome(status: number): Outcome {
  if (status >= 200 && status <= 299) return 'stored';
  return LATER.has(status) ? 'later' : 'refused';
}

async function openHttp(url: URL): Promise<LoadChannel> {
  const connection = await LoadConnection.open(url);
  return {
    get usable() {
      return connection.usable;
    },
    async post(bytes) {
      const { status, body } = await connection.send(bytes);
      return { outcome: httpOutcome(status), text: `${status} ${body}` };
    },
    close: () => connection.close(),
  };
}

/** Opens channels to one address; gRPC channels share `sessions` connections, others have one each. */
export class ChannelOpener {
  readonly #door: LoadDoor;
  readonly #url: URL;
  readonly #sessions: GrpcSessions;

  constructor(door: LoadDoor, url: URL, sessions: number) {
    this.#door = door;
    this.#url = url;
    this.#sessions = new GrpcSessions(url, sessions);
  }

  /** Rejects when nobody listens there. */
  open(): Promise<LoadChannel> {
    const { transport, path } = this.#door;
    if (transport === 'http') return openHttp(this.#url);
    return transport === 'grpc' ? openGrpcUnary(this.#sessions, path) : openGrpcStream(this.#sessions, path);
  }

  close(): void {
    this.#sessions.close();
  }
}
