import type { Logger } from '../../lib/logger.ts';

/** What of `src/lib/redaction` a notifier needs. `redact` throws when it cannot vouch for the result. */
export interface Redaction {
  open(options?: { keep?: Iterable<string> }): { redact(text: string): string };
}

/**
 * A line or several of telemetry made harmless: redacted, without invisible characters, with nothing in it that a client would make a link
 * or a mention of. Markers of the private use area say what is bold and what is code; nothing else in it is markup.
 */
export type RichText = string & { readonly rich: unique symbol };

/** Begins and ends it. */
const BOLD = '\ue000';
const CODE_ON = '\ue001';
const CODE_OFF = '\ue002';
const MARKERS = /([\ue000-\ue002])/;
const WITHHELD = '(withheld: it could not be redacted)';
/** A log line may be a megabyte. So much behind what is shown is looked at, so that a secret which begins in there is known by its whole. */
const LOOK_AHEAD = 16_384;
const MAX_LINE = 4000;

// Zero-width, bidirectional and other format characters vanish; they would hide a secret, a link or a mention from the rules below.
const INVISIBLE = /[\p{Cf}\p{Co}]+/gu;
const CONTROLS = /[\p{Cc}\p{Cs}\u2028\u2029]/gu;
/** Last labels that mail and chat clients make links of without a scheme. Not complete: Slack and Teams get no text to guess in anyway. */
const DOMAINS = new Set(
  `com org net io dev app info biz xyz top site online shop link click co ai me ly gg cc tv ru cn su uk de eu us fr nl br in jp zip mov
  example test`.split(/\s+/),
);

function defangHost(name: string): string {
  const end = name.search(/[.-]*$/);
  const dot = name.lastIndexOf('.', end - 1);
  if (dot < 1 || !DOMAINS.has(name.slice(dot + 1, end).toLowerCase())) return name;
  return name.replaceAll('.', '[.]');
}

/**
 * Breaks links and mentions in the way that people who handle hostile text do: `https[:]//`, `[.]com`, `[@]here`. Nothing is hidden, and
 * no client finds anything to act on.
 */
export function defang(text: string): string {
  return text
    .replaceAll(/:(?=\/\/)/g, '[:]')
    .replaceAll(/\b(mailto|tel|xmpp|javascript|data|file|slack|msteams):(?=\S)/gi, '$1[:]')
    .replaceAll(/\bwww\./gi, 'www[.]')
    .replaceAll(/[\p{L}\p{N}_.-]+/gu, defangHost)
    .replaceAll(/(?<=[a-z0-9-])[\u3002\uff0e\uff61](?=[a-z0-9-])/gi, '[.]')
    .replaceAll(/[@\uff20\ufe6b](?=\S)/g, '[@]')
    .replaceAll(/(?<![\p{L}\p{N}])#(?=[\p{L}\p{N}])/gu, '[#]');
}

/** At most `limit` UTF-16 units, cut with "…", never inside a character. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const head = text.slice(0, Math.max(0, limit - 1));
  return `${head.isWellFormed() ? head : head.slice(0, -1)}…`;
}

/** One message's text: everything that leaves goes through one session, so that a placeholder means the same thing all through it. */
export class MessageText {
  readonly #session: { redact(text: string): string };
  readonly #logger: Logger;
  /** Names and messages come again and again in one report. */
  readonly #known = new Map<string, string>();

  /** `keep` are names that are known to be nobody's: of services. */
  constructor(redaction: Redaction, logger: Logger, keep: Iterable<string> = []) {
    this.#session = redaction.open({ keep });
    this.#logger = logger;
  }

  /** Data for machines, such as a label: redacted, one line, otherwise as it is. */
  data(text: string, limit = 200): string {
    const line = this.#redact(text.replaceAll(INVISIBLE, '').replaceAll(CONTROLS, ' ')).replaceAll(/ +/g, ' ').trim();
    return cut(line, limit);
  }

  /** A name or sentence for people, on one line. */
  plain(text: string, limit = 200): RichText {
    return cut(defang(this.#line(text, limit)), limit) as RichText;
  }

  code(text: string, limit = 200): RichText {
    const line = this.plain(text, limit);
    return `${CODE_ON}${line === '' ? '(empty)' : line.replaceAll('`', "'")}${CODE_OFF}` as RichText;
  }

  /** A line of the report's Markdown (`template/markdown.ts`): its escapes resolved, code and bold marked, then as any text. */
  markdown(line: string): RichText {
    const marked = line
      .slice(0, MAX_LINE + LOOK_AHEAD)
      .replaceAll(INVISIBLE, '')
      .replaceAll(CONTROLS, ' ')
      .replaceAll(/\\([!-/:-@[-`{-~])|`([^`]*)`|\*\*/g, (_, escaped?: string, code?: string) =>
        code === undefined ? (escaped ?? BOLD) : `${CODE_ON}${code}${CODE_OFF}`,
      );
    return balanced(cut(defang(this.#redact(marked)), MAX_LINE));
  }

  /** Redacted, on one line; not much longer than what is shown of it. */
  #line(text: string, limit: number): string {
    const seen = text
      .slice(0, limit + LOOK_AHEAD)
      .replaceAll(INVISIBLE, '')
      .replaceAll(CONTROLS, ' ');
    const line = this.#redact(seen).replaceAll(/ +/g, ' ').trim();
    return line.slice(0, 2 * limit);
  }

  #redact(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const redacted = this.#tryRedact(text);
    this.#known.set(text, redacted);
    return redacted;
  }

  #tryRedact(text: string): string {
    try {
      return this.#session.redact(text);
    } catch (error) {
      this.#logger.error('text withheld from a notification', { error: String(error) });
      return WITHHELD;
    }
  }
}

/** Markers in pairs, code never inside code; those without a partner, after a cut or a redaction, vanish or are closed. */
function balanced(text: string): RichText {
  let result = '';
  let isBold = false;
  let isCode = false;
  for (const part of text.split(MARKERS)) {
    if (part === BOLD && isCode) continue;
    if (part === CODE_ON && isCode) continue;
    if (part === CODE_OFF && !isCode) continue;
    if (part === BOLD) isBold = !isBold;
    else if (part === CODE_ON || part === CODE_OFF) isCode = part === CODE_ON;
    result += part;
  }
  return `${result}${isCode ? CODE_OFF : ''}${isBold ? BOLD : ''}` as RichText;
}

export function cutRich(text: RichText, limit: number): RichText {
  return text.length <= limit ? text : balanced(cut(text, limit));
}

export interface Span {
  text: string;
  isBold: boolean;
  isCode: boolean;
}

/** The parts of a text that look alike, in order; no empty ones. */
export function spansOf(text: RichText): Span[] {
  const spans: Span[] = [];
  let isBold = false;
  let isCode = false;
  for (const part of text.split(MARKERS)) {
    if (part === BOLD) isBold = !isBold;
    else if (part === CODE_ON || part === CODE_OFF) isCode = part === CODE_ON;
    else if (part !== '') spans.push({ text: part, isBold, isCode });
  }
  return spans;
}

export function plainText(text: RichText): string {
  return spansOf(text)
    .map((span) => span.text)
    .join('');
}

/** Words of our own with rich text in them: rich`Since ${time}`. */
export function rich(words: TemplateStringsArray, ...values: (RichText | number)[]): RichText {
  return String.raw({ raw: words }, ...values) as RichText;
}

export function bold(text: RichText): RichText {
  return `${BOLD}${text}${BOLD}` as RichText;
}

export function joined(texts: readonly RichText[], separator: string): RichText {
  return texts.join(separator) as RichText;
}
