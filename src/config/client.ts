import { readFileSync } from 'node:fs';
import { HeliosError } from '../lib/errors.ts';
import type { Environment } from './environment.ts';

export const DEFAULT_URL = 'http://127.0.0.1:8080';

/** Where a running HELIOS is, and the API key to show it; "" is no key. */
export interface ClientConfig {
  url: string;
  key: string;
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new HeliosError('invalid_config', `cannot read the key file that HELIOS_KEY_FILE names: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Flags before environment (HELIOS_URL, HELIOS_KEY, HELIOS_KEY_FILE) before the default address. */
export function loadClientConfig(
  flags: { url?: string | undefined; key?: string | undefined },
  env: Environment = process.env,
): ClientConfig {
  const url = flags.url ?? (env['HELIOS_URL'] || DEFAULT_URL);
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new HeliosError('invalid_config', `cannot use "${url}" as the address of HELIOS: expected one such as ${DEFAULT_URL}`);
  }
  const file = env['HELIOS_KEY_FILE'];
  const key = flags.key ?? (env['HELIOS_KEY'] || (file ? readKeyFile(file) : ''));
  return { url: url.replace(/\/+$/, ''), key };
}
