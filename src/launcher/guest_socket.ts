/**
 * The socket on which one sandbox's guest reports.
 *
 * @module
 */

import type { Account } from "../policy/types.ts";
import { DisposedError } from "../errors.ts";

/** Listens on a path until it is closed. Owned by the launched guest. */
export class GuestSocket implements Disposable {
  readonly #path: string;
  readonly #listener: Deno.Listener;
  #pending: Promise<Deno.UnixConn> | null = null;
  #isClosed = false;

  /**
   * @param path Absolute path; nothing may exist there.
   * @param runAs Account that shall be able to connect besides our own.
   */
  constructor(path: string, runAs: Account | null) {
    this.#path = path;
    this.#listener = Deno.listen({ transport: "unix", path });
    if (runAs !== null) Deno.chownSync(path, Deno.uid(), runAs.gid);
    Deno.chmodSync(path, runAs === null ? 0o600 : 0o660);
  }

  /**
   * Wait for a connection.
   *
   * @param ended Rejects when there is no guest any more that could connect.
   * @param signal Ends the wait; a connection that arrives later is given to the next caller.
   * @returns The connection; the caller owns it.
   * @throws The reason of `signal` or `ended`, whichever comes first.
   * @throws {DisposedError} If the listener was closed.
   */
  async accept(ended: Promise<never>, signal: AbortSignal): Promise<Deno.UnixConn> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      const connection = await Promise.race([this.#next(), ended, aborted]);
      this.#pending = null;
      return connection;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Stop listening and remove the socket. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pending?.then((connection) => connection.close(), expectDisposed);
    this.#listener.close();
    removeFile(this.#path);
  }

  #next(): Promise<Deno.UnixConn> {
    if (this.#isClosed) return Promise.reject(closedError(this.#path));
    return this.#pending ??= this.#acceptOne();
  }

  async #acceptOne(): Promise<Deno.UnixConn> {
    try {
      return await this.#listener.accept() as Deno.UnixConn;
    } catch (error) {
      throw this.#isClosed ? closedError(this.#path, error) : error;
    }
  }
}

function closedError(path: string, cause?: unknown): DisposedError {
  return new DisposedError(`Cannot accept a connection on "${path}" as the listener was closed`, { cause });
}

/** Nobody waits for this connection any more: that it never comes is as good. */
function expectDisposed(error: unknown): void {
  if (!(error instanceof DisposedError)) throw error;
}

function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
