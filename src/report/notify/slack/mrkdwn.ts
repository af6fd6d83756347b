import { cut, spansOf } from '../message-text.ts';
import type { RichText } from '../message-text.ts';

/** Slack's three control characters; with them escaped, no text can hold a mention or a link. */
export function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** What is escaped, cut to at most `limit` characters as they are sent, never inside an entity. */
export function escapeTo(text: string, limit: number): string {
  let escaped = escapeSlack(text);
  for (let length = Math.min(text.length, limit); escaped.length > limit; length -= Math.ceil((escaped.length - limit) / 5)) {
    escaped = escapeSlack(cut(text, length));
  }
  return escaped;
}

/** Slack's own markup, to be shown with `verbatim: true`, so that nothing but our markers is acted on. */
export function mrkdwn(text: RichText): string {
  return spansOf(text)
    .map((span) => {
      const escaped = escapeSlack(span.text);
      if (span.isCode) return `\`${escaped.replaceAll('`', "'")}\``;
      // A star next to a space is no mark.
      return span.isBold ? escaped.replaceAll('*', '').replace(/^(\s*)(\S.*?)(\s*)$/s, '$1*$2*$3') : escaped;
    })
    .join('');
}

/** A link of ours: the address is escaped so that it ends where it ends. */
export function slackLink(url: string, words: string): string {
  return `<${escapeSlack(url).replaceAll('|', '%7C')}|${escapeSlack(words)}>`;
}
