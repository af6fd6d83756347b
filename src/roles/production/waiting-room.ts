import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createProcessApp } from '../../console/console.ts';
import type { ProcessDependencies } from '../../console/dependencies.ts';
import type { Config } from '../../config/config.ts';
import { HeliosError, problemOf } from '../../lib/errors.ts';
import { openFrontDoor } from '../front-door.ts';

const ANSWERED = /^\/(healthz|readyz|metrics|version)(\?|$)/;
const RETRY_AFTER_S = '1';

/** What a client must not take for its own fault: it is to come again. */
function refuse(request: IncomingMessage, response: ServerResponse): void {
  const body = JSON.stringify(problemOf(new HeliosError('unavailable', 'cannot answer yet: the process is starting')));
  request.resume();
  response
    .writeHead(503, { 'Content-Type': 'application/problem+json', 'Retry-After': RETRY_AFTER_S, Connection: 'close' })
    .end(body);
}

/**
 * Answers while the process waits for its brokers and its database, where it will listen: `/healthz` that it is alive, `/readyz` for what
 * it waits, everything else 503. Disposing of it frees the port for the front door. A port that is chosen at the start is known to nobody
 * yet: then there is none.
 */
export async function openWaitingRoom(config: Config, deps: ProcessDependencies): Promise<AsyncDisposable> {
  if (config.port === 0) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  await using opening = new AsyncDisposableStack();
  const { logger, metrics } = deps;
  await openFrontDoor(
    {
      config,
      doors: null,
      createApp: (listen) =>
        createProcessApp({
          ...deps,
          serverFactory: (handler, options) => {
            const answer: RequestListener = (request, response) =>
              ANSWERED.test(request.url ?? '') ? handler(request, response) : refuse(request, response);
            return listen(answer, options);
          },
        }),
      isReady: () => false,
      onStop: () => {},
      logger,
      metrics,
    },
    opening,
  );
  const room = opening.move();
  return { [Symbol.asyncDispose]: () => room.disposeAsync() };
}
