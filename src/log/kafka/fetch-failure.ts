import { protocolErrorsCodesById } from '@platformatic/kafka';

export const OFFSET_OUT_OF_RANGE = 1;

/** The failure that an error code of the protocol stands for. */
export function protocolReason(errorCode: number): { reason: string; code: string } {
  const code = protocolErrorsCodesById[errorCode] ?? String(errorCode);
  return { reason: `the broker answers ${code}`, code };
}

/** What the client's readers and decompressors throw. */
const UNREADABLE =
  /^((PLT_KFK_)?OUT_OF_BOUNDS|PLT_KFK_UNSUPPORTED_COMPRESSION|ERR_OUT_OF_RANGE|ERR_BUFFER_OUT_OF_BOUNDS|Z_|ZSTD_)/;

/** Whether the client failed on the bytes of an answer, not on getting one: trying again would give the same bytes. */
export function isUnreadableAnswer(error: unknown): boolean {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return name === 'RuntimeError' || (typeof code === 'string' && UNREADABLE.test(code));
}
