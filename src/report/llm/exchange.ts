/** What went over the wire in one request: the receipt is made of it. */
export interface Exchange {
  /** The body as it was sent, byte for byte; "" before anything was. */
  sent: string;
  receivedBytes: number;
  status: number | null;
  /** Wait asked for by the server, milliseconds. */
  retryAfterMs: number | null;
  isTooLarge: boolean;
}

/** Milliseconds of a Retry-After header (RFC 9110, section 10.2.3), or null. */
export function retryAfterMs(headers: Headers, nowMs: number): number | null {
  const precise = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (precise >= 0) return precise;
  const text = headers.get('retry-after');
  if (text === null) return null;
  if (/^\d+$/.test(text.trim())) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}

async function boundedBody(response: Response, exchange: Exchange, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  if (response.body === null) return new Uint8Array();
  // Decompressed bytes are counted as they come: what is longer is never held.
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    exchange.receivedBytes += chunk.byteLength;
    if (exchange.receivedBytes > maxBytes) {
      exchange.isTooLarge = true;
      return new Uint8Array();
    }
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/**
 * A fetch for one request that notes what is sent and reads at most `maxBytes` of the answer; of a longer one the body is empty. It follows
 * no redirect: what is sent goes where the configuration says, or nowhere.
 */
export function recordingFetch(maxBytes: number, nowMs: () => number): { exchange: Exchange; fetch: typeof globalThis.fetch } {
  const exchange: Exchange = { sent: '', receivedBytes: 0, status: null, retryAfterMs: null, isTooLarge: false };
  const fetch: typeof globalThis.fetch = async (input, init) => {
    exchange.sent = typeof init?.body === 'string' ? init.body : '';
    const response = await globalThis.fetch(input, { ...init, redirect: 'error' });
    exchange.status = response.status;
    exchange.retryAfterMs = retryAfterMs(response.headers, nowMs());
    const body = await boundedBody(response, exchange, maxBytes);
    const headers = new Headers(response.headers);
    // They speak of the body as it was on the wire.
    for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) headers.delete(name);
    return new Response(exchange.isTooLarge ? null : body, { status: response.status, headers });
  };
  return { exchange, fetch };
}
