import { createHash } from 'node:crypto';
import { firstLines } from '../digest.ts';
import type { Digest } from '../digest.ts';
import { cut, plainText, spansOf } from '../message-text.ts';
import type { RichText } from '../message-text.ts';
import type { Message, Sent } from '../notifier.ts';

/** Characters of report and evidence in one mail, far below what any server refuses. */
const MAX_TEXT = 60_000;
const MAX_SUBJECT = 180;

export interface Mail {
  messageId: string;
  inReplyTo: string | undefined;
  references: string[];
  subject: string;
  text: string;
  html: string;
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function htmlOf(line: RichText): string {
  return spansOf(line)
    .map(({ text, isBold, isCode }) => {
      const escaped = isCode ? `<code>${escapeHtml(text)}</code>` : escapeHtml(text);
      return isBold ? `<b>${escaped}</b>` : escaped;
    })
    .join('');
}

function paragraphs(lines: readonly RichText[]): string {
  return lines.map((line) => `<div>${plainText(line) === '' ? '&nbsp;' : htmlOf(line)}</div>`).join('\n');
}

/** The part of an address behind the @, for ids; only what a domain may hold. */
function domainOf(from: string): string {
  return /@([A-Za-z0-9.-]{1,200})>?\s*$/.exec(from)?.[1] ?? 'helios.invalid';
}

/**
 * The ids of RFC 5322, section 3.6.4, made of the delivery alone: a revision that is sent twice has one id, and all of an incident's mails
 * refer to the same thread, whichever of them came.
 */
function idsOf(
  { key, revision }: Message,
  from: string,
  previous: Sent | undefined,
): Pick<Mail, 'messageId' | 'inReplyTo' | 'references'> {
  const name = createHash('sha256').update(key).digest('hex').slice(0, 32);
  const thread = `<${name}@${domainOf(from)}>`;
  const before = previous?.ref['message_id'];
  const inReplyTo = before === undefined ? undefined : before;
  return {
    messageId: `<${name}.${revision}@${domainOf(from)}>`,
    inReplyTo,
    references: inReplyTo === undefined ? [thread] : [thread, inReplyTo],
  };
}

/** A mail's whole text. The subject stays what it was first, as some clients thread by it; the state is the first line. */
export function mailOf(message: Message, digest: Digest, from: string, previous: Sent | undefined): Mail {
  const first = previous?.ref['subject'] ?? cut(`[HELIOS] ${message.incident.severity}: ${plainText(digest.title)}`, MAX_SUBJECT);
  const body = firstLines([...digest.detail, ...digest.evidence], MAX_TEXT, (line) => line.length);
  const link = digest.link === null ? [] : [digest.link, ''];
  const plain = (lines: readonly RichText[]): string[] => lines.map((line) => plainText(line));
  const text = [
    plainText(digest.headline),
    '',
    ...plain(digest.facts),
    '',
    ...link,
    ...plain(body),
    '',
    plainText(digest.footer),
    '',
  ];
  const anchor = digest.link === null ? '' : `<p><a href="${escapeHtml(digest.link)}">Open in HELIOS</a></p>\n`;
  return {
    ...idsOf(message, from, previous),
    subject: previous === undefined ? first : `Re: ${first}`,
    text: text.join('\n'),
    html: `<!doctype html>
<html><body>
<h2>${escapeHtml(plainText(digest.headline))}</h2>
${paragraphs(digest.facts)}
${anchor}${paragraphs(body)}
<p><small>${htmlOf(digest.footer)}</small></p>
</body></html>
`,
  };
}
