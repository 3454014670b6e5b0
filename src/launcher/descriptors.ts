/**
 * Descriptors of the host that a child gets, closed on the host's side once it has them.
 *
 * @module
 */

import { closeSync, openSync, readlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PermissionDeniedError } from "../errors.ts";

/** Linux's O_PATH: names a file without opening it, so that it stays the same file whatever happens to its path. */
const O_PATH = 0o10000000;

/** Numbers given to a child's descriptors, in the order in which they are added. */
export class Descriptors implements Disposable {
  readonly #own: number[] = [];
  readonly #stdio: (number | "pipe")[] = [];
  readonly #first: number;

  /**
   * @param inherited Descriptors that the child gets first, from 3 on. They stay the caller's.
   */
  constructor(inherited: readonly number[]) {
    this.#stdio.push(...inherited);
    this.#first = 3;
  }

  /** @returns What the child gets from 3 on, as `spawn()` takes it. */
  get stdio(): readonly (number | "pipe")[] {
    return this.#stdio;
  }

  /**
   * Add a file that the child can read once.
   *
   * @param directory Where a nameless file can be made; nobody else can write there.
   * @param content The whole content.
   * @returns The descriptor's number in the child.
   */
  addContent(directory: string, content: string | Uint8Array): number {
    const path = join(directory, `.${this.#stdio.length}`);
    writeFileSync(path, content, { mode: 0o600, flag: "wx" });
    try {
      return this.#addOwn(openSync(path, "r"));
    } finally {
      unlinkSync(path);
    }
  }

  /**
   * Add a path that stays what it is now.
   *
   * @param path Absolute real path.
   * @returns The descriptor's number in the child.
   * @throws {PermissionDeniedError} If the path has become a link, or leads through one, since it was resolved.
   */
  addPath(path: string): number {
    const fd = openSync(path, O_PATH);
    const number = this.#addOwn(fd);
    const actual = readlinkSync(`/proc/self/fd/${fd}`);
    if (actual === path) return number;
    throw new PermissionDeniedError(
      `Cannot bind "${path}" as granted paths are resolved once: it is "${actual}" now`,
      {
        suggestion: `Grant "${actual}" itself`,
      },
    );
  }

  /**
   * Add a pipe from the child to the host.
   *
   * @returns The descriptor's number in the child, which is also its index in `ChildProcess.stdio`.
   */
  addPipe(): number {
    return this.#add("pipe");
  }

  /** Close the host's side of everything but pipes. Idempotent. */
  [Symbol.dispose](): void {
    for (const fd of this.#own.splice(0)) closeSync(fd);
  }

  #addOwn(fd: number): number {
    this.#own.push(fd);
    return this.#add(fd);
  }

  #add(entry: number | "pipe"): number {
    return this.#first + this.#stdio.push(entry) - 1;
  }
}
