/**
 * An entity is what has a baseline: `environment/namespace/service`. Its id is the bare service name when environment
 * and namespace are empty (and the name has no slash), else all three parts; slashes inside the first two are written %2F.
 */
export interface Entity {
  environment: string;
  namespace: string;
  service: string;
}

export function entityId({ environment, namespace, service }: Entity): string {
  if (environment === '' && namespace === '' && !service.includes('/')) return service;
  return `${environment.replaceAll('/', '%2F')}/${namespace.replaceAll('/', '%2F')}/${service}`;
}

export function parseEntityId(id: string): Entity {
  const first = id.indexOf('/');
  const second = id.indexOf('/', first + 1);
  if (first < 0 || second < 0) return { environment: '', namespace: '', service: id };
  return {
    environment: id.slice(0, first).replaceAll('%2F', '/'),
    namespace: id.slice(first + 1, second).replaceAll('%2F', '/'),
    service: id.slice(second + 1),
  };
}

/** Whether a `service` query parameter names this entity: by its full id, or by its bare service name. */
export function entityMatches(id: string, service: string): boolean {
  return id === service || parseEntityId(id).service === service;
}
