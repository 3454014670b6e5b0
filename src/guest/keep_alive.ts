/**
 * Lets a script end when its own work is done, although the connection to its host is open.
 *
 * @module
 */

import type { RpcSession } from "../rpc/mod.ts";

/** A connection that may keep the process alive or not. */
export interface KeptAlive {
  ref(): void;
  unref(): void;
}

/**
 * The connection keeps the process alive only as long as the script waits for an answer of its host.
 *
 * @param session What the script calls through, from now on.
 * @param connection Its connection.
 */
export function keepAliveOnlyForAnswers(
  session: Pick<RpcSession, "call" | "stream">,
  connection: KeptAlive,
): void {
  let waiting = 0;
  const whileWaiting = async <T>(answer: Promise<T>): Promise<T> => {
    if (waiting++ === 0) connection.ref();
    try {
      return await answer;
    } finally {
      if (--waiting === 0) connection.unref();
    }
  };
  const call = session.call.bind(session);
  const stream = session.stream.bind(session);
  session.call = (...args) => whileWaiting(call(...args));
  session.stream = (...args) => {
    const items = stream(...args);
    const next = items.next.bind(items);
    items.next = (...more) => whileWaiting(next(...more));
    return items;
  };
  connection.unref();
}
