/**
 * What a peer may call by name: an allow-list, looked up and never walked.
 *
 * @module
 */

import type { RpcFunction } from "./types.ts";

/** The exposed targets of one session. */
export class ExposedTargets {
  readonly #targets = new Map<string, ReadonlyMap<string, RpcFunction>>();

  /**
   * Let the peer call members of a target.
   *
   * @param target Its name.
   * @param members Copied.
   * @throws {TypeError} If the name is taken.
   */
  add(target: string, members: ReadonlyMap<string, RpcFunction>): void {
    if (this.#targets.has(target)) {
      throw new TypeError(`Cannot expose "${target}" as names must be unique: it is registered already`);
    }
    this.#targets.set(target, new Map(members));
  }

  /**
   * Take a target away; calls that run go on.
   *
   * @param target Its name.
   */
  remove(target: string): void {
    this.#targets.delete(target);
  }

  /**
   * A member that the peer names.
   *
   * @param target Any text.
   * @param method Any text.
   * @returns The function.
   * @throws {TypeError} If it was not exposed.
   */
  find(target: string, method: string): RpcFunction {
    const member = this.#targets.get(target)?.get(method);
    if (member !== undefined) return member;
    throw notExposed(target, method);
  }

  /** Target → its members, for people. */
  describe(): Record<string, readonly string[]> {
    const described: Record<string, readonly string[]> = Object.create(null);
    for (const [target, members] of this.#targets) described[target] = [...members.keys()];
    return described;
  }
}

/**
 * The answer to a call of something that is not there, or not for the peer: both look the same.
 *
 * @param target What was named.
 * @param method What was named.
 * @returns The error.
 */
export function notExposed(target: string, method: string): TypeError {
  const name = `${target}.${method}`;
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  return new TypeError(`Cannot call ${JSON.stringify(shown)} as it must be exposed: it is not`);
}
