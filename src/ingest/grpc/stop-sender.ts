import { constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import type { Clock } from '../../lib/clock.ts';

const RETRY_MS = 20;

/**
 * Tells a client that is still sending that the answer is complete (RFC 9113, section 8.1), once the answer has left: the
 * protocol library drops headers that wait behind a reset.
 */
export function stopSender(stream: ServerHttp2Stream, clock: Clock): void {
  if (stream.readableEnded) return;
  stream.resume();
  const stop = (): void => {
    if (stream.closed || stream.destroyed) return;
    if ((stream.session?.state.outboundQueueSize ?? 0) > 0) clock.after(RETRY_MS, stop);
    else stream.close(constants.NGHTTP2_NO_ERROR);
  };
  setImmediate(stop);
}
