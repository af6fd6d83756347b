import { isoTime } from '../../lib/clock.ts';
import { redactionConfigSchema } from '../../lib/redaction/config.ts';
import { createRedactor } from '../../lib/redaction/redactor.ts';
import type { Report } from '../../model/report.ts';
import { anomaly, incidentOf, MINUTE, ONSET_MS } from '../scenario.fixture.ts';
import type { Redaction } from './message-text.ts';
import type { Message } from './notifier.ts';

/** What telemetry may hold to reach out of a message: mentions, links, markup and headers of every medium, and tricks to hide them. */
export const HOSTILE_TEXTS: readonly string[] = [
  '<!here> <!channel|everyone> <@U012AB3CD> <#C012AB3CD|general> <!subteam^S0123|@oncall>',
  '@channel @here @everyone @oncall please restart',
  '<https://evil.example/login|Open in HELIOS>',
  'see https://evil.example/x?y=1&z=2 or HTTP://EVIL.EXAMPLE, www.evil.example, evil.example/pay, //evil.example',
  '[Open in HELIOS](https://evil.example) ![x](https://evil.example/x.png) <https://evil.example>',
  'mailto:a@evil.example tel:+123456789 javascript:alert(1) slack://user?id=1 msteams:/l/chat',
  '<a href="https://evil.example">x</a><img src=x onerror=alert(1)><script>alert(1)</script>',
  '</div></body><at>everyone</at> &lt;!here&gt; &amp;lt;!here>',
  'Subject: x\r\nBcc: victim@evil.example\r\n\r\nbody\n.\nRCPT TO:<a@evil.example>',
  '`code` ```fence``` *bold* _it_ ~no~ **strong** | cell | > quote\n# heading\n- list',
  'h\u200bttps\u2060://evil.example \u202eelpmaxe.live//:sptth\u202c <\u200b!here> @\u200bhere',
  '\ue000\ue001<!here>\ue002 \uff20here \u0000\u0007\u001b[31mred',
  '{"event_action":"resolve"}"}]}, "links":[{"href":"https://evil.example"}]',
];

function sectionsOf(text: string): Report['sections'] {
  return {
    summary: `**${text}**\n\n- ${text}\n- \`${text}\``,
    impactAssessment: `| Service | Value |\n| --- | --- |\n| ${text} | \`${text}\` |`,
    rootCauseAnalysis: `## ${text}\n\n1. ${text} (E1)`,
    recommendedActions: { immediate: [text], shortTerm: [text], longTerm: [text] },
  };
}

/** A report in which every text is `text`, and the number of whose evidence items is `evidence`. */
export function reportOf(text: string, evidence = 3, changed: Partial<Report> = {}): Report {
  return {
    incidentId: 'in-1',
    version: 1,
    phase: 'facts',
    verdict: 'LIKELY',
    createdAt: isoTime(ONSET_MS + MINUTE),
    sections: sectionsOf(text),
    timeline: [{ at: isoTime(ONSET_MS), text, evidence: ['E1'] }],
    evidence: Array.from({ length: evidence }, (_, i) => ({
      id: `E${i + 1}`,
      type: 'template',
      service: text,
      feature: i % 2 === 0 ? null : text,
      value: text,
      unit: text,
      from: isoTime(ONSET_MS),
      to: isoTime(ONSET_MS + MINUTE),
      query: `/api/v1/events?text=${encodeURIComponent(text.slice(0, 40).toWellFormed())}`,
      pointer: '/items/0/message',
    })),
    costUsd: 0.0123,
    markdown: text,
    ...changed,
  };
}

/** The first message of an incident of payment, with a plain report. */
export function messageOf(changed: Partial<Message> = {}): Message {
  return {
    key: 'receiver/in-1',
    revision: 1,
    state: 'opened',
    incident: incidentOf([anomaly('an-1', 'payment', 'error_rate'), anomaly('an-2', 'checkout', 'latency')]),
    report: reportOf('payment fails'),
    url: 'https://helios.example.com/incidents/in-1',
    labels: { service: 'payment', environment: 'prod', severity: 'high' },
    grouped: 0,
    ...changed,
  };
}

/** Every text that telemetry or a person can set is `text`. */
export function hostileMessage(text: string): Message {
  const { incident } = messageOf();
  return messageOf({
    incident: {
      ...incident,
      title: text,
      acknowledgedAt: isoTime(ONSET_MS),
      acknowledgedBy: text,
      mergedInto: text,
      services: [text, `second ${text}`],
      causes: incident.causes.map((cause) => ({ ...cause, service: text, reason: text })),
    },
    report: reportOf(text),
    labels: { service: text, [text]: text },
  });
}

const redactor = createRedactor(redactionConfigSchema.parse({}));

/** The program's own, which fails on "unspeakable". */
export const testRedaction: Redaction = {
  open(options) {
    const session = redactor.open(options);
    return {
      redact(text) {
        if (text.includes('unspeakable')) throw new Error('cannot redact');
        return session.redact(text);
      },
    };
  },
};

/** What in a text a person's client would make a link or a mention of. */
export function actionable(text: string): string[] {
  return [
    ...text.matchAll(/(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*:\/\/\S*/gi),
    ...text.matchAll(/\b(?:mailto|tel|javascript|slack|msteams):\S+/gi),
    ...text.matchAll(/\bwww\.\S+/gi),
    ...text.matchAll(/(?<![\w-])[\w-]+\.(?:com|example|org)\b\S*/gi),
    ...text.matchAll(/[@\uff20][\p{L}\p{N}]\S*/gu),
    ...text.matchAll(/[\u200b-\u200f\u202a-\u202e\u2060]/g),
  ].map(([match]) => match);
}
