import { request } from 'undici';
import { DEFAULT_URL, loadClientConfig, type ClientConfig } from '../config/client.ts';
import { ERROR_CODES, HeliosError, systemCode, type ErrorCode } from '../lib/errors.ts';

const TIMEOUT_MS = 60_000;

export type Query = Readonly<Record<string, string | number | undefined>>;

/** A running HELIOS as the commands see it. Every failure is a HeliosError with one sentence for a person. */
export interface ApiClient {
  /** The JSON answer. */
  get(path: string, query?: Query): Promise<unknown>;
  /** Sends `body` as JSON; the JSON answer. */
  post(path: string, body: unknown): Promise<unknown>;
  delete(path: string): Promise<unknown>;
}

interface Answer {
  status: number;
  text: string;
}

function unreachable(url: string, error: unknown): HeliosError {
  const code = systemCode(error);
  const reasons: Record<string, string> = {
    ECONNREFUSED: 'nothing listens there (start it with "helios serve", or name another address with --url)',
    ENOTFOUND: 'there is no such host',
    UND_ERR_HEADERS_TIMEOUT: 'it does not answer',
    UND_ERR_BODY_TIMEOUT: 'it stopped in the middle of its answer',
    UND_ERR_CONNECT_TIMEOUT: 'it cannot be connected to',
  };
  const reason = reasons[code] ?? (error as Error).message;
  return new HeliosError('unavailable', `cannot reach HELIOS at ${url}: ${reason}`, { cause: error });
}

function parseJson(url: string, { status, text }: Answer): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new HeliosError(
      'unavailable',
      `cannot understand ${url}: it answered ${status} with something other than JSON; is it HELIOS?`,
      {
        cause: error,
      },
    );
  }
}

function refusal(url: string, answer: Answer): HeliosError {
  const problem = parseJson(url, answer) as { code?: string; detail?: string; title?: string } | null;
  const code: ErrorCode = Object.hasOwn(ERROR_CODES, String(problem?.code)) ? (problem?.code as ErrorCode) : 'internal';
  const detail = problem?.detail ?? problem?.title ?? 'no reason given';
  const hint = answer.status === 401 ? ' (give an API key with --key or HELIOS_KEY)' : '';
  return new HeliosError(code, `HELIOS at ${url} answered ${answer.status}: ${detail}${hint}`);
}

export function createApiClient({ url, key }: ClientConfig, timeoutMs = TIMEOUT_MS): ApiClient {
  const call = async (method: 'GET' | 'POST' | 'DELETE', path: string, query: Query, body?: unknown): Promise<string> => {
    const target = new URL(`${url}${path}`);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) target.searchParams.set(name, String(value));
    const headers: Record<string, string> = { accept: 'application/json' };
    if (key !== '') headers['authorization'] = `Bearer ${key}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    let answer: Answer;
    try {
      const payload = body === undefined ? null : JSON.stringify(body);
      const response = await request(target, {
        method,
        headers,
        body: payload,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
      answer = { status: response.statusCode, text: await response.body.text() };
    } catch (error) {
      throw unreachable(url, error);
    }
    if (answer.status >= 300) throw refusal(url, answer);
    return answer.text;
  };
  return {
    get: async (path, query = {}) => parseJson(url, { status: 200, text: await call('GET', path, query) }),
    delete: async (path) => parseJson(url, { status: 200, text: await call('DELETE', path, {}) }),
    post: async (path, body) => parseJson(url, { status: 200, text: await call('POST', path, {}, body) }),
  };
}

/** Flags of every command that talks to a running HELIOS. */
export interface ClientFlags {
  url?: string;
  key?: string;
}

export const URL_FLAG = ['--url <url>', `address of HELIOS; HELIOS_URL or ${DEFAULT_URL} unless given`] as const;
export const KEY_FLAG = ['--key <key>', 'API key (better: HELIOS_KEY or HELIOS_KEY_FILE, which no process list shows)'] as const;

export function connect(flags: ClientFlags, timeoutMs?: number): ApiClient {
  return createApiClient(loadClientConfig(flags), timeoutMs);
}
