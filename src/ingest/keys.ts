import { createHash } from 'node:crypto';
import { HeliosError } from '../lib/errors.ts';
import type { AccessRole, Authorize, Principal } from '../model/access.ts';
import type { ApiKey } from './config.ts';

/** `payment-*` → matcher; `*` stands for any run of characters. */
function servicePattern(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

function principalOf(key: ApiKey): Principal {
  const patterns = key.services?.map(servicePattern);
  return { id: key.id, services: patterns ? (service) => patterns.some((pattern) => pattern.test(service)) : null };
}

const ANYONE: Principal = { id: '', services: null };

/** Judges API keys; without any configured everybody is let in (the process then listens on loopback only). */
export function createAuthorize(keys: readonly ApiKey[]): Authorize {
  if (keys.length === 0) return () => ANYONE;
  // Looked up by digest: comparing digests tells an attacker nothing about the key.
  const byDigest = new Map(
    keys.map((key) => [key.sha256, { roles: new Set<AccessRole>(key.roles), principal: principalOf(key) }]),
  );
  return (headers, role) => {
    const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
    const own = headers['x-api-key'];
    const secret = bearer ?? (Array.isArray(own) ? own[0] : own);
    if (secret === undefined || secret === '') {
      throw new HeliosError(
        'unauthenticated',
        'cannot let the request in: it has no API key (Authorization: Bearer or X-API-Key)',
      );
    }
    const known = byDigest.get(createHash('sha256').update(secret).digest('hex'));
    if (!known) throw new HeliosError('unauthenticated', 'cannot let the request in: the API key is unknown');
    if (!known.roles.has(role) && !known.roles.has('admin')) {
      throw new HeliosError(
        'forbidden',
        `cannot let the request in: the API key "${known.principal.id}" lacks the role ${role}`,
        { details: { role } },
      );
    }
    return known.principal;
  };
}
