import { z } from 'zod';

/** A mailbox, with or without a name in front: "HELIOS <helios@example.com>". */
const MAILBOX = /^(?:[^<>"\r\n\p{C}]{0,100}<)?[^\s<>"@,;\p{C}]{1,64}@[^\s<>"@,;\p{C}]{1,255}>?$/u;

const common = {
  name: z.string().min(1).max(100).meta({ description: 'What routes call it' }),
};

function httpUrl(description: string) {
  return z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .max(2000)
    .optional()
    .meta({ description, secret: true });
}

function secret(description: string) {
  return z.string().min(1).max(4000).optional().meta({ description, secret: true });
}

function smtpUrl(description: string) {
  return z
    .url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// URL' })
    .max(4000)
    .optional()
    .meta({ description, secret: true });
}

function secretFile(key: string) {
  return z
    .string()
    .min(1)
    .optional()
    .meta({ description: `File to read ${key} from, instead of it` });
}

const mailbox = z.string().max(400).regex(MAILBOX, 'must be an address such as oncall@example.com');

export const slackSchema = z.strictObject({
  type: z.literal('slack').meta({ description: 'What kind of receiver it is; the other keys depend on it' }),
  ...common,
  channel: z
    .string()
    .regex(
      /^[CGD][A-Z0-9]{6,20}$/,
      'must be the id of a channel, such as C0123456789 (Slack shows it in the details of the channel)',
    )
    .meta({ description: 'Slack: id of the channel, which the app is a member of' }),
  token: secret('Slack: bot token, xoxb-…'),
  token_file: secretFile('token'),
  signing_secret: secret('Slack: signing secret of the app; buttons are shown when there is one'),
  signing_secret_file: secretFile('signing_secret'),
  api_url: z
    .url({ protocol: /^https?$/ })
    .default('https://slack.com/api/')
    .meta({ description: 'Slack: address of its Web API' }),
});

export const slackWebhookSchema = z.strictObject({
  type: z.literal('slack_webhook'),
  ...common,
  url: httpUrl('Address of the webhook, a secret; PagerDuty: of its Events API'),
  url_file: secretFile('url'),
});

export const pagerdutySchema = z.strictObject({
  type: z.literal('pagerduty'),
  ...common,
  routing_key: secret('PagerDuty: integration key of the service (Events API v2)'),
  routing_key_file: secretFile('routing_key'),
  url: z.url({ protocol: /^https?$/ }).default('https://events.pagerduty.com/v2/enqueue'),
});

export const alertmanagerSchema = z.strictObject({
  type: z.literal('alertmanager'),
  ...common,
  url: httpUrl('Address of the webhook'),
  url_file: secretFile('url'),
  authorization: secret('Alertmanager webhook: value of the Authorization header, such as "Bearer …"'),
  authorization_file: secretFile('authorization'),
  hmac_secret: secret('Alertmanager webhook: key of the signature in X-Helios-Signature; absent: there is none'),
  hmac_secret_file: secretFile('hmac_secret'),
});

export const emailSchema = z.strictObject({
  type: z.literal('email'),
  ...common,
  smtp_url: smtpUrl('E-mail: smtp://user:password@host:587, or smtps:// for TLS from the start'),
  smtp_url_file: secretFile('smtp_url'),
  require_tls: z.boolean().optional().meta({ description: 'E-mail: only over TLS; absent: when smtp_url has a password' }),
  from: mailbox.meta({ description: 'E-mail: sender' }),
  to: z.array(mailbox).min(1).max(50).meta({ description: 'E-mail: recipients' }),
});

export const teamsSchema = z.strictObject({
  type: z.literal('teams'),
  ...common,
  url: httpUrl('Address of the workflow'),
  url_file: secretFile('url'),
});

/** Keys of which exactly one of `key` and `key_file` is there. */
const REQUIRED_SECRETS = {
  slack: ['token'],
  slack_webhook: ['url'],
  pagerduty: ['routing_key'],
  alertmanager: ['url'],
  email: ['smtp_url'],
  teams: ['url'],
} as const;
const OPTIONAL_SECRETS = ['signing_secret', 'authorization', 'hmac_secret'] as const;

/** One receiver of notifications; `type` says which other keys it has. */
export const receiverConfigSchema = z
  .discriminatedUnion('type', [slackSchema, slackWebhookSchema, pagerdutySchema, alertmanagerSchema, emailSchema, teamsSchema])
  .superRefine((receiver, context) => {
    const given: Record<string, unknown> = receiver;
    const count = (key: string): number => Number(given[key] !== undefined) + Number(given[`${key}_file`] !== undefined);
    for (const key of REQUIRED_SECRETS[receiver.type]) {
      if (count(key) !== 1) context.addIssue({ code: 'custom', path: [key], message: `give either ${key} or ${key}_file` });
    }
    for (const key of OPTIONAL_SECRETS) {
      if (count(key) > 1)
        context.addIssue({ code: 'custom', path: [key], message: `give either ${key} or ${key}_file, not both` });
    }
  });

export type ReceiverConfig = z.output<typeof receiverConfigSchema>;
export type ReceiverInput = z.input<typeof receiverConfigSchema>;
export type ConfigOf<K extends ReceiverConfig['type']> = Extract<ReceiverConfig, { type: K }>;
