import { readFileSync } from 'node:fs';
import { HeliosError } from '../../lib/errors.ts';

/**
 * A secret of a receiver, from its key or from the file that `<key>_file` names; undefined when neither is there. Read at every send, so that
 * a secret that was changed in its file is the one that is used. Throws `invalid_config` when the file cannot be read or is empty.
 */
export function readSecret<K extends string>(
  receiver: { name: string } & { [key in K | `${K}_file`]?: string | undefined },
  key: K,
): string | undefined {
  const file = receiver[`${key}_file`];
  if (file === undefined) return receiver[key];
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new HeliosError('invalid_config', `cannot read ${key}_file of receiver ${receiver.name}: ${(error as Error).message}`, { cause: error });
  }
  if (text === '') throw new HeliosError('invalid_config', `cannot use ${key}_file of receiver ${receiver.name}: it is empty`);
  return text;
}

/** As `readSecret`, for those that the schema makes sure of. */
export function requireSecret<K extends string>(
  receiver: { name: string } & { [key in K | `${K}_file`]?: string | undefined },
  key: K,
): string {
  const text = readSecret(receiver, key);
  if (text === undefined) throw new HeliosError('invalid_config', `cannot use receiver ${receiver.name}: it has neither ${key} nor ${key}_file`);
  return text;
}
