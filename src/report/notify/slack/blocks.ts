import type { ActionsBlock, KnownBlock } from '@slack/web-api';
import { bold, plainText, rich } from '../message-text.ts';
import type { RichText } from '../message-text.ts';
import { firstLines } from '../digest.ts';
import type { Digest } from '../digest.ts';
import { SLACK_ACTIONS, SLACK_ACTIONS_BLOCK } from './actions.ts';
import { escapeTo, mrkdwn, slackLink } from './mrkdwn.ts';

/**
 * Block Kit's limits. All text of one message together has one that is not documented: somewhat above 13,000 characters Slack answers
 * msg_blocks_too_long, so a message is kept to 10,000.
 */
export const SLACK_LIMITS = {
  text: 40_000,
  blocks: 50,
  header: 150,
  section: 3000,
  contextElements: 10,
  actionElements: 25,
  buttonText: 75,
  buttonValue: 2000,
  actionId: 255,
  metadataBytes: 8192,
  message: 10_000,
} as const;

/** A text that notifications and screen readers get; longer ones Slack cuts by itself at 4,000. */
const MAX_FALLBACK = 3000;

export interface SlackContent {
  text: string;
  blocks: KnownBlock[];
}

function section(text: string): KnownBlock {
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}

function context(text: string): KnownBlock {
  return { type: 'context', elements: [{ type: 'mrkdwn', text, verbatim: true }] };
}

/** A line that does not fit into a section by itself loses its markup and its end. */
function lineText(line: RichText): string {
  const text = mrkdwn(line);
  return text.length <= SLACK_LIMITS.section ? text : escapeTo(plainText(line), SLACK_LIMITS.section);
}

/** As it is counted: what JSON escapes takes more. */
function sentLength(line: RichText): number {
  return JSON.stringify(lineText(line)).length;
}

/** Lines as sections, each as full as it may be; all of them within `limit`. */
function sections(lines: readonly RichText[], limit: number): KnownBlock[] {
  const texts: string[] = [];
  for (const line of firstLines(lines, limit, sentLength)) {
    const text = lineText(line);
    const last = texts.at(-1);
    if (last === undefined || last.length + 1 + text.length > SLACK_LIMITS.section) texts.push(text);
    else texts[texts.length - 1] = `${last}\n${text}`;
  }
  return texts.filter((text) => text.trim() !== '').map((text) => section(text));
}

function buttons({ incidentId, phase }: Digest): ActionsBlock {
  const offered = SLACK_ACTIONS.filter(({ id }) => id !== 'acknowledge' || phase === 'Open');
  return {
    type: 'actions',
    block_id: SLACK_ACTIONS_BLOCK,
    elements: offered.map(({ id, label }) => ({
      type: 'button',
      action_id: id,
      value: incidentId,
      text: { type: 'plain_text', text: label, emoji: false },
      ...(id === 'acknowledge' && { style: 'primary' as const }),
    })),
  };
}

function footerText({ footer, link }: Digest, note: RichText | null): string {
  const words = mrkdwn(note === null ? footer : rich`${footer}. ${note}`);
  return link === null ? words : `${slackLink(link, 'Open in HELIOS')} ${words}`;
}

/** What a phone shows of it. */
function fallbackText({ headline, lead }: Digest): string {
  return escapeTo(plainText(lead === '' ? headline : rich`${headline}. ${lead}`), MAX_FALLBACK);
}

/** The message that lives in the channel: facts on one screen, and what a person can do. */
export function incidentContent(
  digest: Digest,
  { withButtons, note }: { withButtons: boolean; note: RichText | null },
): SlackContent {
  const blocks: KnownBlock[] = [
    { type: 'header', text: { type: 'plain_text', text: escapeTo(digest.headline, SLACK_LIMITS.header), emoji: false } },
    ...sections(digest.facts, SLACK_LIMITS.section * 2),
    context(footerText(digest, note)),
  ];
  if (withButtons && digest.incidentId !== '') blocks.push(buttons(digest));
  return { text: fallbackText(digest), blocks };
}

/** The same in its shortest form, for a Slack that refuses the other one: the message has to come. */
export function barestContent(digest: Digest, note: RichText | null): SlackContent {
  return {
    text: fallbackText(digest),
    blocks: [section(escapeTo(digest.headline, 300)), context(footerText(digest, note))],
  };
}

/** Messages of the thread: the report's sections, then its evidence. */
export function threadContents({ headline, detail, evidence }: Digest): { part: 'report' | 'evidence'; content: SlackContent }[] {
  const text = escapeTo(headline, MAX_FALLBACK);
  const listed = [bold(rich`Evidence, exact values`), ...evidence];
  return [
    { part: 'report' as const, content: { text: `Report. ${text}`, blocks: sections(detail, SLACK_LIMITS.message) } },
    {
      part: 'evidence' as const,
      content: { text: `Evidence. ${text}`, blocks: evidence.length === 0 ? [] : sections(listed, SLACK_LIMITS.message) },
    },
  ].filter(({ content }) => content.blocks.length > 0);
}
