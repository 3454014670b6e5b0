/**
 * Says how a tensor is handed over, where it stands as an argument or result.
 *
 * @module
 */

import type { Tensor } from "./tensor.ts";

/** How a tensor crosses: the same bytes on both sides, given away for good, or copied. */
export type Handover = "lend" | "move" | "copy";

/** A tensor and how it is to be handed over. The receiver gets a tensor. */
export class TensorHandover {
  /** The tensor. */
  readonly tensor: Tensor;
  /** How it crosses. */
  readonly how: Handover;

  /**
   * Made by `move()` and `copied()`.
   *
   * @param tensor The tensor.
   * @param how How it crosses.
   */
  constructor(tensor: Tensor, how: Handover) {
    this.tensor = tensor;
    this.how = how;
  }
}

/**
 * Give a tensor away: it is disposed here when it is sent, and nobody can change its bytes for the receiver any more.
 * If others still see the memory (views, plugins that it is lent to), the receiver gets a copy.
 *
 * @param tensor The tensor.
 * @returns What to pass to the call, typed as the tensor that the receiver gets.
 *
 * @example
 * ```ts
 * import { move, Tensor } from "@cordon/cordon";
 *
 * const tensor = Tensor.from([1, 2, 3]);
 * // await plugin.api.run(move(tensor));
 * console.assert(move(tensor) !== undefined);
 * tensor.dispose();
 * ```
 */
export function move<T extends Tensor>(tensor: T): T {
  return new TensorHandover(tensor, "move") as unknown as T;
}

/**
 * Send a copy of a tensor: later changes on one side are not seen on the other.
 *
 * @param tensor The tensor; it stays the caller's.
 * @returns What to pass to the call, typed as the tensor that the receiver gets.
 *
 * @example
 * ```ts
 * import { copied, Tensor } from "@cordon/cordon";
 *
 * using tensor = Tensor.from([1, 2, 3]);
 * // await plugin.api.run(copied(tensor));
 * console.assert(copied(tensor) !== undefined);
 * ```
 */
export function copied<T extends Tensor>(tensor: T): T {
  return new TensorHandover(tensor, "copy") as unknown as T;
}
