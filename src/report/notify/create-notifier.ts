import { AlertmanagerNotifier } from './alertmanager/alertmanager-notifier.ts';
import { EmailNotifier } from './email/email-notifier.ts';
import type { NotifierOptions } from './notifier-options.ts';
import type { Notifier } from './notifier.ts';
import { PagerdutyNotifier } from './pagerduty/pagerduty-notifier.ts';
import type { ReceiverConfig } from './receiver-config.ts';
import { SlackWebhookNotifier } from './slack-webhook/slack-webhook-notifier.ts';
import { SlackNotifier } from './slack/slack-notifier.ts';
import { TeamsNotifier } from './teams/teams-notifier.ts';

/** The notifier of one configured receiver. Opens nothing: libraries are loaded and connections made by `send`. */
export function createNotifier(config: ReceiverConfig, options: NotifierOptions): Notifier {
  switch (config.type) {
    case 'slack':
      return new SlackNotifier(config, options);
    case 'slack_webhook':
      return new SlackWebhookNotifier(config, options);
    case 'pagerduty':
      return new PagerdutyNotifier(config, options);
    case 'alertmanager':
      return new AlertmanagerNotifier(config, options);
    case 'email':
      return new EmailNotifier(config, options);
    case 'teams':
      return new TeamsNotifier(config, options);
  }
}
