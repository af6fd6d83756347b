import { AlertmanagerNotifier } from './alertmanager/alertmanager-notifier.ts';
import { EmailNotifier } from './email/email-notifier.ts';
import type { NotifierOptions } from './notifier-options.ts';
import type { Notifier } from './notifier.ts';
import { PagerdutyNotifier } from './pagerduty/pagerduty-notifier.ts';
import type { ConfigOf, ReceiverConfig } from './receiver-config.ts';
import { checkSecrets } from './secret.ts';
import { SlackWebhookNotifier } from './slack-webhook/slack-webhook-notifier.ts';
import { SlackNotifier } from './slack/slack-notifier.ts';
import { TeamsNotifier } from './teams/teams-notifier.ts';

type Makers = { [K in ReceiverConfig['type']]: (config: ConfigOf<K>, options: NotifierOptions) => Notifier };

const MAKERS: Makers = {
  slack: (config, options) => new SlackNotifier(config, options),
  slack_webhook: (config, options) => new SlackWebhookNotifier(config, options),
  pagerduty: (config, options) => new PagerdutyNotifier(config, options),
  alertmanager: (config, options) => new AlertmanagerNotifier(config, options),
  email: (config, options) => new EmailNotifier(config, options),
  teams: (config, options) => new TeamsNotifier(config, options),
};

/**
 * The notifier of one configured receiver. Opens nothing: libraries are loaded and connections made by `send`. Throws `invalid_config` when a
 * file of a secret cannot be read.
 */
export function createNotifier(config: ReceiverConfig, options: NotifierOptions): Notifier {
  checkSecrets(config);
  const make = MAKERS[config.type] as (of: ReceiverConfig, options: NotifierOptions) => Notifier;
  return make(config, options);
}
