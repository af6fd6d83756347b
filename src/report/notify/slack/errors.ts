import { HeliosError } from '../../../lib/errors.ts';

/** What only a person can mend, in one sentence each. */
const CONFIG_ERRORS: Readonly<Record<string, string>> = {
  channel_not_found: 'there is no such channel, or the app is not a member of it: check channel, and invite the app',
  not_in_channel: 'the app is not a member of the channel: invite it',
  is_archived: 'the channel is archived: restore it or configure another one',
  invalid_auth: 'the token is not valid',
  not_authed: 'there is no token',
  token_revoked: 'the token was revoked',
  token_expired: 'the token has expired',
  account_inactive: 'the account of the token is gone',
  missing_scope: 'the app lacks a scope: it needs chat:write, and channels:history (groups:history for private channels)',
  no_permission: 'the app may not do this in the workspace',
  restricted_action: 'the workspace does not let the app post',
  restricted_action_read_only_channel: 'the channel is read-only',
  restricted_action_thread_only_channel: 'the channel takes answers in threads only',
  team_access_not_granted: 'the app has no access to the workspace',
  org_login_required: 'the workspace is being moved: log in again',
  ekm_access_denied: 'the keys of the workspace are withheld',
  not_allowed_token_type: 'the token is of another kind: a bot token begins with xoxb-',
};

/** What Slack says of content that breaks a limit we do not know of. */
const CONTENT_ERRORS = new Set([
  'msg_too_long',
  'msg_blocks_too_long',
  'invalid_blocks',
  'invalid_blocks_format',
  'invalid_attachments',
  'no_text',
  'metadata_too_large',
]);
const GONE_ERRORS = new Set(['message_not_found', 'thread_not_found', 'cant_update_message', 'edit_window_closed']);
const RATE_ERRORS = new Set(['ratelimited', 'rate_limited', 'message_limit_exceeded']);

interface SlackFailure {
  code?: unknown;
  retryAfter?: unknown;
  statusCode?: unknown;
  headers?: Record<string, string>;
  original?: unknown;
  data?: { error?: unknown; response_metadata?: { retryAfter?: unknown } };
}

/** The name that Slack gave the error, "" when it gave none; what is no such name was no answer of Slack's. */
export function slackCode(error: unknown): string {
  const code = (error as SlackFailure | null)?.data?.error;
  return typeof code === 'string' && /^[a-z][a-z_]{1,79}$/.test(code) ? code : '';
}

/** The message that was to be changed is not there, or can no longer be changed. */
export function isGone(error: unknown): boolean {
  return GONE_ERRORS.has(slackCode(error));
}

export function isRefusedContent(error: unknown): boolean {
  return CONTENT_ERRORS.has(slackCode(error));
}

function waitOf(error: SlackFailure): { retryAfterMs?: number } {
  const seconds = Number(error.retryAfter ?? error.data?.response_metadata?.retryAfter ?? error.headers?.['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 ? { retryAfterMs: Math.min(seconds * 1000, 3_600_000) } : {};
}

/** Any failure of the client as one of ours; one that is ours already stays as it is. */
export function slackError(receiver: string, error: unknown): HeliosError {
  const failure = (error ?? {}) as SlackFailure;
  if (error instanceof HeliosError) return error;
  if (failure.original instanceof HeliosError) return failure.original;
  const code = slackCode(error);
  const known = CONFIG_ERRORS[code];
  if (known !== undefined)
    return new HeliosError('invalid_config', `cannot send to Slack by receiver ${receiver}: ${known} (${code})`, {
      cause: error,
    });
  const details = waitOf(failure);
  let what = 'it did not answer as Slack does';
  if (code !== '') what = `it answered ${code}`;
  else if (typeof failure.statusCode === 'number') what = `it answered ${failure.statusCode}`;
  if (RATE_ERRORS.has(code) || failure.code === 'slack_webapi_rate_limited_error') what = 'it wants fewer requests';
  return new HeliosError('unavailable', `cannot send to Slack by receiver ${receiver}: ${what}`, { cause: error, details });
}
