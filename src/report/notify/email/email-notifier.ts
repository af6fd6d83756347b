import { isoTime } from '../../../lib/clock.ts';
import { HeliosError } from '../../../lib/errors.ts';
import { digestOf } from '../digest.ts';
import { MessageText } from '../message-text.ts';
import type { NotifierOptions } from '../notifier-options.ts';
import type { Message, Notifier, Sent } from '../notifier.ts';
import { saidOf } from '../outgoing-request.ts';
import type { ConfigOf } from '../receiver-config.ts';
import { requireSecret } from '../secret.ts';
import { mailOf } from './mail.ts';
import type { Mail } from './mail.ts';

interface SmtpFailure {
  code?: unknown;
  responseCode?: unknown;
  response?: unknown;
}

/**
 * Login and addresses that there are not are configuration (RFC 3463: 5.1.x is about addresses). All else may be better next time, also what
 * is refused for good: servers say 550 of a quota that is used up, and 554 of a text that they take for spam.
 */
function smtpError(receiver: string, error: unknown): HeliosError {
  const { code, responseCode, response } = (error ?? {}) as SmtpFailure;
  const status = typeof responseCode === 'number' ? responseCode : 0;
  const answer = typeof response === 'string' ? response : '';
  const isLogin = (code === 'EAUTH' || code === 'ENOAUTH') && (status >= 500 || status === 0);
  const isAddress = code === 'EENVELOPE' && (status === 0 || /^5\d\d[ -]5\.1\.\d/.test(answer));
  const reason = typeof code === 'string' ? code : 'failed';
  const what =
    isLogin || isAddress ? 'the mail server refused login or addresses' : `the mail server did not take it (${reason})`;
  return new HeliosError(
    isLogin || isAddress ? 'invalid_config' : 'unavailable',
    `cannot send mail by receiver ${receiver}: ${what}${saidOf(answer)}`,
    {
      cause: error,
    },
  );
}

function serverOf(
  smtpUrl: string,
  name: string,
): { host: string; port: number; secure: boolean; auth?: { user: string; pass: string } } {
  const url = URL.canParse(smtpUrl) ? new URL(smtpUrl) : null;
  if (url === null || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '') {
    throw new HeliosError(
      'invalid_config',
      `cannot use smtp_url of receiver ${name}: it must be smtp://user:password@host:port or smtps://…`,
    );
  }
  const secure = url.protocol === 'smtps:';
  const auth =
    url.username === '' ? {} : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } };
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || (secure ? 465 : 587), secure, ...auth };
}

/** Mail by SMTP, a mail for each revision, threaded by its headers. */
export class EmailNotifier implements Notifier {
  readonly kind = 'email';
  readonly supports = { edit: false, dedup: false };
  readonly #config: ConfigOf<'email'>;
  readonly #options: NotifierOptions;

  constructor(config: ConfigOf<'email'>, options: NotifierOptions) {
    this.#config = config;
    this.#options = options;
  }

  async send(message: Message, previous: Sent | undefined, signal: AbortSignal): Promise<Sent> {
    const { redactor, logger, clock } = this.#options;
    const digest = digestOf(message, new MessageText(redactor, logger, message.incident.services));
    const mail = mailOf(message, digest, this.#config.from, previous);
    await this.#deliver(mail, signal);
    const subject = mail.subject.replace(/^Re: /, '');
    const ref = { message_id: mail.messageId, subject, at: isoTime(clock.nowMs()) };
    return { ref, revision: message.revision, state: message.state };
  }

  async #deliver(mail: Mail, signal: AbortSignal): Promise<void> {
    const { name, from, to, require_tls: requireTls } = this.#config;
    const { timeoutMs } = this.#options;
    const server = serverOf(requireSecret(this.#config, 'smtp_url'), name);
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      ...server,
      requireTLS: !server.secure && (requireTls ?? server.auth !== undefined),
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      dnsTimeout: timeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const deadline = new AbortController();
    const stop = this.#options.clock.after(timeoutMs, () => deadline.abort());
    try {
      const { rejected } = await transport.sendMail({
        ...mail,
        from,
        to,
        // RFC 3834: whoever answers automatically does not answer this.
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
        signal: AbortSignal.any([signal, deadline.signal]),
      });
      if (rejected.length > 0) this.#options.logger.warn('mail server refused some recipients', { name, count: rejected.length });
    } catch (error) {
      if (signal.aborted) throw signal.reason as Error;
      if (deadline.signal.aborted) {
        throw new HeliosError(
          'unavailable',
          `cannot send mail by receiver ${name}: the mail server took longer than ${timeoutMs} ms`,
          { cause: error },
        );
      }
      throw smtpError(name, error);
    } finally {
      stop();
      transport.close();
    }
  }
}
