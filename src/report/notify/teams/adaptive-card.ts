import { firstLines } from '../digest.ts';
import type { Digest } from '../digest.ts';
import { plainText, spansOf } from '../message-text.ts';
import type { RichText } from '../message-text.ts';

/**
 * Teams takes about 28 KB of a message, all of the JSON counted; some messages of more than 21 KB were refused, so 20 KB is what is sent.
 */
export const TEAMS_LIMIT_BYTES = 28 * 1024;
const MAX_BYTES = 20_000;

const COLORS = { Open: 'attention', Acknowledged: 'warning', Resolved: 'good' } as const;

/** Runs of a RichTextBlock: unlike a TextBlock, whose text is Markdown, what stands in them is shown as it is. */
function richBlock(line: RichText, extra: Record<string, unknown> = {}) {
  const inlines = spansOf(line).map(({ text, isBold, isCode }) => ({
    type: 'TextRun',
    text,
    ...(isBold && { weight: 'bolder' }),
    ...(isCode && { fontType: 'monospace' }),
    ...extra,
  }));
  return { type: 'RichTextBlock', inlines };
}

function cardOf(digest: Digest, note: RichText, detail: readonly RichText[]) {
  const lines = [...digest.facts, ...detail].filter((line) => plainText(line) !== '');
  return {
    type: 'message',
    summary: plainText(digest.headline),
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          msteams: { width: 'Full' },
          body: [
            richBlock(digest.headline, { size: 'large', weight: 'bolder', color: COLORS[digest.phase] }),
            ...lines.map((line) => richBlock(line)),
            richBlock(digest.footer, { size: 'small', isSubtle: true }),
            richBlock(note, { size: 'small', isSubtle: true }),
          ],
          ...(digest.link !== null && { actions: [{ type: 'Action.OpenUrl', title: 'Open in HELIOS', url: digest.link }] }),
        },
      },
    ],
  };
}

/** The message of a workflow webhook as JSON, with as much of the report as there is room for. */
export function teamsBody(digest: Digest, note: RichText): string {
  const bytes = (line: RichText): number => Buffer.byteLength(JSON.stringify(richBlock(line))) + 1;
  const facts = firstLines(digest.facts, MAX_BYTES / 2, bytes);
  const bare = { ...digest, facts };
  const room = MAX_BYTES - Buffer.byteLength(JSON.stringify(cardOf(bare, note, [])));
  return JSON.stringify(cardOf(bare, note, firstLines(digest.detail, room, bytes)));
}
