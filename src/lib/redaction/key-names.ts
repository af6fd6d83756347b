export type KeyStrength = 'strong' | 'weak' | 'phone';

export interface KeyMeaning {
  kind: string;
  /** strong: any value is a secret; weak: one that looks random is; phone: a telephone number. */
  strength: KeyStrength;
  /** Whether a short number counts: passwords may be one, while `pass=120` and `token: 3` are counts. */
  numbers: boolean;
}

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));

const PASSWORDS = set(
  'password passwords passwd passphrase passcode pwd psw userpassword passwort kennwort contrasena motdepasse',
);
const SHORT_PASSWORDS = set('pass pw');
const SECRETS = set(
  'secret secrets credential credentials otp totp cvv cvc cvv2 dsn connectionstring connstr sharedaccesssignature',
);
const TOKENS = set('token authtoken accesstoken refreshtoken bearer jwt jsessionid phpsessid sessiontoken idtoken csrftoken');
const KEYS = set(
  'apikey accesskey secretkey privatekey accountkey sharedkey authkey masterkey sharedaccesskey signingkey encryptionkey',
);
const COOKIES = set('cookie setcookie');
const PHONES = set('phone mobile telephone tel msisdn fax cellphone phonenumber mobilenumber');
const WEAK = set('key keys auth signature sig session sessionid sid code salt nonce hmac sas routingkey cred creds');
/** What such a name may end in without meaning something else: password_value, secret2. */
const ENDINGS = set(
  'value plain plaintext text raw base64 b64 new old current confirm confirmation default string str hash hashed digest base encrypted',
);
/** With these before it, a key is a secret. */
const SECRET_KEY = set(
  'api access secret private encryption decryption signing account shared master auth service license licence webhook integration ssh storage client app application admin root deploy ingest write subscription crypto hmac jwt session server',
);
/** With these before it, a key or token is the name of something. */
const NAMING = set(
  'primary foreign partition cache idempotency sort public row group object map unique index message dedup dedupe shard next page continuation pagination cancellation sync fencing design parser start end first last trace span request record event',
);
const MAX_NAME = 96;

/** The words of `dbPassword`, `X-Api-Key`, `AWS_SECRET_ACCESS_KEY`, in small letters. */
export function wordsOf(name: string): string[] {
  return name
    .slice(-MAX_NAME)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

/** `PGPASSWORD`, `clientsecret`, `authtoken`: words that nothing parts. */
const JOINED =
  /^(?!next|page|sync|continuation|cancel|tokens?$)[a-z0-9]*(password|passwd|passphrase|secret|token|apikey|secretkey|accesskey)$/;

function withoutEndings(words: readonly string[]): string[] {
  const kept = words.map((word) => word.replace(/(?<=[a-z])\d{1,3}$/, ''));
  while (kept.length > 1 && (ENDINGS.has(kept.at(-1) as string) || /^\d+$/.test(kept.at(-1) as string))) kept.pop();
  return kept;
}

/** What the value of a name is: known by the last words, so that `token_count` is none. Undefined for any other name. */
export function meaningOf(name: string): KeyMeaning | undefined {
  const words = withoutEndings(wordsOf(name));
  const last = words.at(-1) ?? '';
  const before = words.at(-2) ?? '';
  const both = before + last;
  const strong = (kind: string, numbers = false): KeyMeaning => ({ kind, strength: 'strong', numbers });
  if (PASSWORDS.has(last)) return strong('password', true);
  if (SHORT_PASSWORDS.has(last)) return strong('password');
  if (NAMING.has(before)) return undefined;
  const joined = JOINED.exec(last)?.[1];
  if (joined !== undefined)
    return strong(joined.startsWith('pass') ? 'password' : joined.endsWith('key') ? 'key' : joined, joined.startsWith('pass'));
  if (SECRETS.has(last) || SECRETS.has(both)) return strong('secret', true);
  if (TOKENS.has(last)) return strong('token');
  if (KEYS.has(last) || KEYS.has(both) || (last === 'key' && SECRET_KEY.has(before))) return strong('key');
  if (last === 'authorization' || last === 'authorisation') return strong('authorization');
  if (COOKIES.has(last)) return strong('cookie');
  if (PHONES.has(last) || PHONES.has(both)) return { kind: 'phone', strength: 'phone', numbers: true };
  return WEAK.has(last) || WEAK.has(both) ? { kind: 'key', strength: 'weak', numbers: false } : undefined;
}

/** Parts of names that are worth a closer look. */
export const NAME_PART =
  /pass|pwd|psw|pw|secret|token|credential|authori[sz]ation|key|auth|cookie|sess|sid|sig|otp|cvv|cvc|bearer|dsn|connectionstring|connstr|jwt|sas|code|salt|nonce|hmac|cred|phone|mobile|tel|msisdn|fax|kennwort|contrasena|motdepasse/gi;
