import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { Misbehaviour } from '../receiver-server.fixture.ts';

export interface ReceivedMail {
  from: string;
  to: string[];
  /** Names in lower case, unfolded, encoded words decoded. */
  headers: Map<string, string>;
  text: string;
  html: string;
}

export interface MailServer extends AsyncDisposable {
  port: number;
  mails: ReceivedMail[];
  misbehave(how: Misbehaviour | null): void;
}

export const MAIL_LOGIN = { user: 'helios', pass: 'letmein' };
const MAX_SIZE = 1_000_000;

function decodeWords(header: string): string {
  return header
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([QB])\?([^?]*)\?=/gi, (_, encoding: string, word: string) =>
      encoding.toUpperCase() === 'B' ? Buffer.from(word, 'base64').toString('latin1') : quotedBytes(word.replaceAll('_', ' ')),
    );
}

/** Quoted-printable as bytes, one character each. */
function quotedBytes(text: string): string {
  return text
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function headersOf(head: string): Map<string, string> {
  const lines = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  return new Map(
    lines.map((line) => {
      const value = Buffer.from(decodeWords(line.slice(line.indexOf(':') + 1).trim()), 'latin1').toString('utf8');
      return [line.slice(0, line.indexOf(':')).toLowerCase(), value];
    }),
  );
}

function split(text: string): [head: string, body: string] {
  const end = text.indexOf('\r\n\r\n');
  return [text.slice(0, end), text.slice(end + 4)];
}

function bodyOf(headers: Map<string, string>, body: string): string {
  const encoding = headers.get('content-transfer-encoding') ?? '7bit';
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  return encoding === 'quoted-printable' ? Buffer.from(quotedBytes(body), 'latin1').toString('utf8') : body;
}

/** A message of RFC 5322 with a plain and an HTML part. */
function parse(raw: string): Pick<ReceivedMail, 'headers' | 'text' | 'html'> {
  const [head, body] = split(raw);
  const headers = headersOf(head);
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')?.[1] ?? '';
  const parts = body.split(`--${boundary}`).slice(1, -1);
  const found = { text: '', html: '' };
  for (const part of parts) {
    const [partHead, partBody] = split(part.replace(/^\r\n/, ''));
    const partHeaders = headersOf(partHead);
    const kind = partHeaders.get('content-type')?.startsWith('text/html') ? 'html' : 'text';
    found[kind] = bodyOf(partHeaders, partBody);
  }
  return { headers, ...found };
}

/** What stands in front of the mail server and behaves badly in its place. */
function answerBadly(how: Misbehaviour, socket: Socket): void {
  switch (how) {
    case 'rate_limited':
      socket.end('421 4.7.0 Too many connections, try again later\r\n');
      return;
    case 'failing':
      socket.end('554 No SMTP service here\r\n');
      return;
    case 'garbage':
      socket.end(Buffer.from([0xff, 0xfe, 0, 1, 13, 10, 0x3c, 13, 10]));
      return;
    case 'page':
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html></html>');
      return;
    case 'endless':
      socket.on('drain', () => socket.write('220-welcome\r\n'.repeat(5000)));
      socket.write('220-welcome\r\n'.repeat(5000));
      return;
    case 'redirect':
      socket.end('220 mail.example.com\r\n551 User not local; please try <other.example.com>\r\n');
      return;
    case 'hang_up':
      socket.destroy();
      return;
    case 'slow':
  }
}

async function listen(server: { listen(port: number, host: string, run: () => void): unknown }): Promise<void> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
}

/** A mail server of the test's process, by smtp-server. Login is wanted; mail to nobody@example.com is refused. */
export async function startMailServer(): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const sockets = new Set<Socket>();
  let misbehaviour: Misbehaviour | null = null;
  const smtp = new SMTPServer({
    allowInsecureAuth: true,
    hideSTARTTLS: true,
    size: MAX_SIZE,
    closeTimeout: 50,
    noDelay: true,
    onAuth: ({ username, password }, _session, done) =>
      username === MAIL_LOGIN.user && password === MAIL_LOGIN.pass
        ? done(null, { user: username })
        : done(new Error('Invalid login')),
    onRcptTo: ({ address }, _session, done) =>
      address === 'nobody@example.com' ? done(Object.assign(new Error('5.1.1 No such user'), { responseCode: 550 })) : done(),
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (stream.sizeExceeded) return done(Object.assign(new Error('Too large'), { responseCode: 552 }));
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const raw = Buffer.concat(chunks).toString('latin1');
        mails.push({ from, to: envelope.rcptTo.map(({ address }) => address), ...parse(raw) });
        return done();
      });
    },
  });
  await listen(smtp);
  const front = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    if (misbehaviour !== null) return answerBadly(misbehaviour, socket);
    const { port } = smtp.server.address() as AddressInfo;
    const behind = connect({ port, host: '127.0.0.1', noDelay: true });
    behind.on('error', () => socket.destroy());
    socket.on('close', () => behind.destroy());
    socket.pipe(behind).pipe(socket);
  });
  await listen(front);
  return {
    port: (front.address() as AddressInfo).port,
    mails,
    misbehave(how) {
      misbehaviour = how;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        front.close(resolve);
      });
      await new Promise<void>((resolve) => {
        smtp.close(resolve);
      });
    },
  };
}
