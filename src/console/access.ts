import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HeliosError } from '../lib/errors.ts';
import type { AccessRole, Authorize, Principal } from '../model/access.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null on routes that are open to all. */
    principal: Principal | null;
  }
  interface FastifyContextConfig {
    /** Role that the route needs; absent: open to all. */
    role?: AccessRole;
  }
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A page of another site, open in a browser on this machine, must not acknowledge or train: without keys nothing else
 * would stop it. Only browsers send `Origin`.
 */
function refuseForeignOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  if (SAFE_METHODS.has(request.method) || origin === undefined) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new HeliosError('forbidden', 'cannot take the request: it comes from a page of another origin');
}

/** Judges every request by the role of its route before its body is read. */
export function addAccess(app: FastifyInstance, authorize: Authorize): void {
  app.decorateRequest('principal', null);
  app.addHook('onRequest', (request, _reply, done) => {
    const { role } = request.routeOptions.config;
    if (role !== undefined) request.principal = authorize(request.headers, role);
    refuseForeignOrigin(request);
    done();
  });
}
