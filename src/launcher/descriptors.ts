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

/** The first number after the standard streams. */
const FIRST = 3;

/** Numbers given to a child's descriptors, in the order in which they are added. */
export class Descriptors implements Disposable {
  readonly #own: number[] = [];
  readonly #stdio: (number | "pipe")[] = [];

  /**
   * @param inherited Descriptors that the child gets first, from 3 on. They stay the caller's.
   */
  constructor(inherited: readonly number[]) {
    this.#stdio.push(...inherited);
  }

  /** @returns What the child gets from 3 on, as `spawn()` takes it. */
  get stdio(): readonly (number | "pipe")[] {
    return this.#stdio;
  }

  /** @returns The number that the child gives to the next descriptor. */
  get next(): number {
    return FIRST + this.#stdio.length;
  }

  /**
   * Add a descriptor of the caller, who keeps it.
   *
   * @param fd The descriptor.
   * @returns The descriptor's number in the child.
   */
  addInherited(fd: number): number {
    return this.#add(fd);
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
   * @throws {PermissionDeniedError} If the path is gone, or leads through a link, since it was resolved.
   */
  addPath(path: string): number {
    const fd = openPath(path);
    const number = this.#addOwn(fd);
    const actual = readlinkSync(`/proc/self/fd/${fd}`);
    if (actual !== path) throw changed(path, `it leads to "${actual}" now`);
    return number;
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
    return FIRST + this.#stdio.push(entry) - 1;
  }
}

function openPath(path: string): number {
  try {
    return openSync(path, O_PATH);
  } catch (error) {
    throw changed(path, error instanceof Error ? error.message : String(error));
  }
}

function changed(path: string, state: string): PermissionDeniedError {
  return new PermissionDeniedError(
    `Cannot bind "${path}" as a granted path must stay what it was: ${state}`,
    {
      suggestion: "Grant the real path, and keep others from writing to the directory that contains it",
    },
  );
}
