/**
 * The socket on which one sandbox's guest reports.
 *
 * @module
 */

import type { Account } from "../policy/types.ts";
import { DisposedError } from "../errors.ts";

/** A report is a line of at most this many bytes, usually. */
const STATUS_BYTES = 1024;

/** Listens on a path until it is closed. Owned by the launched guest. */
export class GuestSocket implements Disposable {
  readonly #path: string;
  readonly #listener: Deno.Listener;
  readonly #status: Promise<Deno.UnixConn> | null;
  #pending: Promise<Deno.UnixConn> | null = null;
  #isClosed = false;
  #hasStatus = false;
  #hasEnded = false;

  /**
   * @param path Absolute path; nothing may exist there.
   * @param runAs Account that shall be able to connect besides our own.
   * @param isStatusFirst The first connection is not the guest's but carries what is reported about its sandbox.
   */
  constructor(path: string, runAs: Account | null, isStatusFirst = false) {
    this.#path = path;
    this.#listener = Deno.listen({ transport: "unix", path });
    if (runAs !== null) Deno.chownSync(path, Deno.uid(), runAs.gid);
    Deno.chmodSync(path, runAs === null ? 0o600 : 0o660);
    this.#status = isStatusFirst ? this.#acceptOne() : null;
  }

  /**
   * Read the first connection to its end. Called once.
   *
   * @param onChunk Called with what arrives, cut anywhere.
   * @returns Resolves at the end of the connection, or when the listener is closed before there was one.
   */
  async readStatus(onChunk: (chunk: Uint8Array) => void): Promise<void> {
    try {
      using connection = await this.#status!;
      this.#hasStatus = true;
      const buffer = new Uint8Array(STATUS_BYTES);
      for (let size; (size = await connection.read(buffer)) !== null;) onChunk(buffer.subarray(0, size));
    } catch (error) {
      const isReset = error instanceof Deno.errors.ConnectionReset;
      if (!isReset) expectDisposed(error);
    }
  }

  /** Everything has ended that could connect: a first connection that is not there by now never comes. */
  async endStatus(): Promise<void> {
    this.#hasEnded = true;
    if (this.#status === null || this.#hasStatus || this.#isClosed) return;
    // Comes after one that waits to be accepted, and instead of one that never was.
    try {
      (await Deno.connect({ transport: "unix", path: this.#path })).close();
    } catch {
      // Somebody removed the socket: closing it ends the wait, too.
      this[Symbol.dispose]();
    }
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
    this.#status?.then(ignore, expectDisposed);
    this.#pending?.then((connection) => connection.close(), expectDisposed);
    this.#listener.close();
    removeFile(this.#path);
  }

  #next(): Promise<Deno.UnixConn> {
    if (this.#isClosed) return Promise.reject(closedError(this.#path));
    return this.#pending ??= this.#acceptGuest();
  }

  async #acceptGuest(): Promise<Deno.UnixConn> {
    await this.#status;
    const connection = await this.#acceptOne();
    if (!this.#hasEnded) return connection;
    connection.close();
    return await new Promise<never>(() => {});
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

/** Whoever reads it closes it. */
function ignore(): void {}

function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
