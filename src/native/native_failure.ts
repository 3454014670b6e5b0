/**
 * Turns the negative results of the native library into errors.
 *
 * @module
 */

import { NativeError } from "../errors.ts";

/** The numbers are those of asm-generic/errno-base.h and errno.h, the same on x86-64 and aarch64. */
const ERRNO_NAMES: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  3: "ESRCH",
  4: "EINTR",
  5: "EIO",
  6: "ENXIO",
  7: "E2BIG",
  9: "EBADF",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  14: "EFAULT",
  16: "EBUSY",
  17: "EEXIST",
  19: "ENODEV",
  20: "ENOTDIR",
  21: "EISDIR",
  22: "EINVAL",
  23: "ENFILE",
  24: "EMFILE",
  26: "ETXTBSY",
  27: "EFBIG",
  28: "ENOSPC",
  29: "ESPIPE",
  30: "EROFS",
  32: "EPIPE",
  34: "ERANGE",
  36: "ENAMETOOLONG",
  38: "ENOSYS",
  39: "ENOTEMPTY",
  40: "ELOOP",
  74: "EBADMSG",
  75: "EOVERFLOW",
  88: "ENOTSOCK",
  90: "EMSGSIZE",
  95: "EOPNOTSUPP",
  104: "ECONNRESET",
  105: "ENOBUFS",
  107: "ENOTCONN",
  109: "ETOOMANYREFS",
};

/** `-EAGAIN`, which some calls give for "not now". */
export const EAGAIN = -11;

/** `-ENOBUFS`, no room for a message in the kernel. */
export const ENOBUFS = -105;

/** `-ETOOMANYREFS`, too many descriptors on their way. */
export const ETOOMANYREFS = -109;

/**
 * The error for a failed native call.
 *
 * @param call Name of the native function.
 * @param result What it returned: a negated errno.
 * @param hint What the reader can do about it.
 * @returns The error, to be thrown.
 */
export function nativeFailure(call: string, result: number, hint?: string): NativeError {
  const errno = errnoName(result);
  return new NativeError(`Cannot complete "${call}" as the system refused it: ${errno}`, {
    call,
    errno,
    hint,
  });
}

/**
 * A native result that is not a failure.
 *
 * @param call Name of the native function.
 * @param result What it returned.
 * @returns The result.
 * @throws {NativeError} If the result is negative.
 */
export function succeeded(call: string, result: number): number {
  if (result < 0) throw nativeFailure(call, result);
  return result;
}

/**
 * The name of a negated errno.
 *
 * @param result What a native function returned.
 * @returns Such as `"ENOENT"`.
 */
export function errnoName(result: number): string {
  return ERRNO_NAMES[-result] ?? `errno ${-result}`;
}
