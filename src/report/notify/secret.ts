import { readFileSync } from 'node:fs';
import { HeliosError } from '../../lib/errors.ts';

type Receiver<K extends string> = { name: string } & { [key in K | `${K}_file`]?: string | undefined };

/**
 * A secret of a receiver, from its key or from the file that `<key>_file` names; undefined when neither is there. Read at every send, so that
 * a secret that was changed in its file is the one that is used. Throws `unavailable` when the file cannot be read or is empty: it may be there again.
 */
export function readSecret<K extends string>(receiver: Receiver<K>, key: K): string | undefined {
  const { name } = receiver;
  const values = receiver as Record<string, string | undefined>;
  const file = values[`${key}_file`];
  if (file === undefined) return values[key];
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new HeliosError('unavailable', `cannot read ${key}_file of receiver ${name}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (text === '') throw new HeliosError('unavailable', `cannot use ${key}_file of receiver ${name}: it is empty`);
  return text;
}

/** As `readSecret`, for those that the schema makes sure of. */
export function requireSecret<K extends string>(receiver: Receiver<K>, key: K): string {
  const text = readSecret(receiver, key);
  if (text === undefined) throw new HeliosError('invalid_config', `cannot use receiver ${receiver.name}: it has no ${key}`);
  return text;
}

/** Reads every secret that is in a file; throws `invalid_config` where that cannot be. */
export function checkSecrets(receiver: { name: string }): void {
  for (const key of Object.keys(receiver)) {
    if (!key.endsWith('_file')) continue;
    try {
      readSecret(receiver, key.slice(0, -'_file'.length));
    } catch (error) {
      throw new HeliosError('invalid_config', (error as Error).message, { cause: error });
    }
  }
}
