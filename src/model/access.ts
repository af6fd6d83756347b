export type AccessRole = 'ingest' | 'read' | 'respond' | 'admin';

/** Who a request comes from. `id` is "" when no keys are configured; `services` null means any. */
export interface Principal {
  id: string;
  services: ((service: string) => boolean) | null;
}

/**
 * Judges the `authorization` and `x-api-key` headers of a request. Throws `unauthenticated` or `forbidden`.
 * The role admin includes all others.
 */
export type Authorize = (
  headers: { authorization?: string | undefined; 'x-api-key'?: string | string[] | undefined },
  role: AccessRole,
) => Principal;
