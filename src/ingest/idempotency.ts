import { createHash } from 'node:crypto';
import { HeliosError } from '../lib/errors.ts';

export const MAX_KEY_CHARACTERS = 128;

/** The key's identity: scoped to the client, so that two clients never meet. 32 hex digits. */
export function keyHashOf(clientId: string, key: string): string {
  return createHash('sha256').update(clientId).update('\0').update(key).digest('hex').slice(0, 32);
}

/** 16 hex digits. */
export function bodyHashOf(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex').slice(0, 16);
}

export function checkKey(key: string): void {
  if (key.length >= 1 && key.length <= MAX_KEY_CHARACTERS) return;
  throw new HeliosError(
    'invalid_argument',
    `cannot use the Idempotency-Key: it must have 1 to ${MAX_KEY_CHARACTERS} characters`,
    {
      details: { field: 'Idempotency-Key' },
    },
  );
}
