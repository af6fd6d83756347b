import { concernsIncident, SEVERITIES } from '../../model/incident-labels.ts';
import type { Severity } from '../../model/anomaly.ts';
import type { Incident } from '../../model/incident.ts';
import type { RouteConfig } from './config.ts';

export function isBelow(severity: Severity, floor: Severity): boolean {
  return SEVERITIES.indexOf(severity) < SEVERITIES.indexOf(floor);
}

/**
 * Who hears of the incident: the receivers of the first route that fits, and of those after it as long as each says `continue`. Without routes
 * all of `everybody`.
 */
export function receiversOf(
  routes: readonly RouteConfig[],
  everybody: readonly string[],
  incident: Incident,
): ReadonlySet<string> {
  if (routes.length === 0) return new Set(everybody);
  const found = new Set<string>();
  for (const route of routes) {
    if (isBelow(incident.severity, route.min_severity) || !concernsIncident(route.match, incident)) continue;
    for (const name of route.receivers) found.add(name);
    if (!route.continue) break;
  }
  return found;
}
