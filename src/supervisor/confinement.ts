/**
 * Waits until a guest under a permission broker has given up its privileges: only then may the broker deny them.
 *
 * @module
 */

import { DisposedError } from "../errors.ts";
import type { RpcSession } from "../rpc/mod.ts";
import { CONFINED_EVENT } from "../util/boot_record.ts";

/**
 * Listen for the guest's word. Must be called before the session starts.
 *
 * @param session The session, not started.
 * @returns A function that waits for it.
 * Throws why the session ended, or the signal's reason.
 */
export function confinement(session: RpcSession): (signal: AbortSignal) => Promise<void> {
  const said = Promise.withResolvers<void>();
  const listener = session.on(CONFINED_EVENT, () => said.resolve());
  return async (signal) => {
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      signal.throwIfAborted();
      await Promise.race([said.promise, aborted.promise, ended(session)]);
    } finally {
      signal.removeEventListener("abort", abort);
      listener[Symbol.dispose]();
    }
  };
}

async function ended(session: RpcSession): Promise<never> {
  const error = await session.closed;
  throw error ??
    new DisposedError(`Cannot use the session with ${session.name} as it was closed: it is over`);
}
