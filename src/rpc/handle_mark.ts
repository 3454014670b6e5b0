/**
 * Marks an object to be sent by reference.
 *
 * @module
 */

import type { RpcFunction } from "./types.ts";

/** Stands for an object that stays here while the peer gets a remote object for it. */
export class HandleMark {
  /** The object itself. */
  readonly target: object;
  /** What the peer may call on it. */
  readonly members: ReadonlyMap<string, RpcFunction>;
  /** Which of them are generators. */
  readonly generators: ReadonlySet<string>;

  /**
   * Mark an object.
   *
   * @param target The object itself.
   * @param members What the peer may call on it.
   * @param generators Which of them are generators. @default none
   */
  constructor(
    target: object,
    members: ReadonlyMap<string, RpcFunction>,
    generators: ReadonlySet<string> = new Set(),
  ) {
    this.target = target;
    this.members = members;
    this.generators = generators;
  }
}
