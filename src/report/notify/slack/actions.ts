/** Slack calls the interactions address with one of these as `action_id`, and the incident's id as `value`. */
export const SLACK_ACTIONS = [
  { id: 'acknowledge', label: 'Acknowledge' },
  { id: 'real', label: 'Real' },
  { id: 'expected', label: 'Expected' },
  { id: 'false_alarm', label: 'False alarm' },
  { id: 'new_normal', label: 'New normal' },
] as const;
export type SlackAction = (typeof SLACK_ACTIONS)[number]['id'];

/** `block_id` of the row of buttons. */
export const SLACK_ACTIONS_BLOCK = 'helios_incident';
