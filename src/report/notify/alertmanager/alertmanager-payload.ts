import { createHash } from 'node:crypto';
import { digestOf, firstLines } from '../digest.ts';
import { plainText } from '../message-text.ts';
import type { MessageText, RichText } from '../message-text.ts';
import type { Message } from '../notifier.ts';

const MAX_SERVICES = 200;
const MAX_DESCRIPTION = 20_000;
/** What Alertmanager sends for an alert that has no end yet: the zero time of Go. */
const NO_END = '0001-01-01T00:00:00Z';
/** Prometheus: label names. */
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

type Texts = Record<string, string>;

function fingerprint(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

function described(lines: readonly RichText[]): string {
  return firstLines(lines, MAX_DESCRIPTION, (line) => line.length)
    .map((line) => plainText(line))
    .join('\n')
    .trim();
}

/** Labels that the routes saw, by names that Prometheus allows. */
function labelsOf({ incident, labels }: Message, text: MessageText): Texts {
  const given = Object.entries(labels).slice(0, 100);
  return {
    ...Object.fromEntries(
      given.map(([name, value]) => [
        LABEL_NAME.test(name) ? name : name.replaceAll(/[^a-zA-Z0-9_]|^(?=\d)/g, '_'),
        text.data(value),
      ]),
    ),
    alertname: 'HeliosIncident',
    severity: incident.severity,
    incident: text.data(incident.id),
  };
}

/**
 * The body of Alertmanager's webhook, version 4, for one incident: an alert for each of its services. Labels are data, so that receivers can
 * match them; annotations are for people.
 */
export function alertmanagerPayload(message: Message, receiver: string, text: MessageText) {
  const { incident, state } = message;
  const digest = digestOf(message, text);
  const status = state === 'resolved' || incident.status === 'resolved' ? 'resolved' : 'firing';
  const commonLabels = labelsOf(message, text);
  const commonAnnotations: Texts = {
    summary: plainText(digest.headline),
    description: described(digest.facts),
    ...(digest.detail.length > 0 && { report: described(digest.detail), evidence: described(digest.evidence) }),
    ...(digest.link !== null && { incident_url: digest.link }),
    about: plainText(digest.footer),
  };
  const services = incident.services.length === 0 ? [''] : incident.services;
  const { service: _, ...shared } = commonLabels;
  return {
    version: '4',
    groupKey: `{}:{incident="${text.data(incident.id)}"}`,
    truncatedAlerts: Math.max(0, services.length - MAX_SERVICES),
    status,
    receiver,
    groupLabels: { incident: text.data(incident.id) },
    commonLabels: services.length === 1 ? { ...shared, service: text.data(services[0] as string) } : shared,
    commonAnnotations,
    externalURL: digest.link === null ? '' : new URL(digest.link).origin,
    alerts: services.slice(0, MAX_SERVICES).map((service) => ({
      status,
      labels: { ...shared, service: text.data(service) },
      annotations: commonAnnotations,
      startsAt: incident.startedAt,
      endsAt: status === 'resolved' ? (incident.resolvedAt ?? incident.updatedAt) : NO_END,
      generatorURL: digest.link ?? '',
      fingerprint: fingerprint([message.key, service]),
    })),
  };
}
