/**
 * The second channel between a host and its guest, which carries descriptors.
 *
 * @module
 */

import type { Native } from "../native/mod.ts";

/** Two ends. The host's belongs to the tensor link; disposing closes the host's copy of the guest's end. */
export interface DescriptorChannel extends Disposable {
  readonly host: number;
  /** Inherited by the guest as descriptor 3. */
  readonly guest: number;
}

/**
 * Make a channel.
 *
 * @param native The native library, if memory is shared; without it there is no channel.
 * @returns Both ends, or `null`.
 */
export function openDescriptorChannel(native: Native | null): DescriptorChannel | null {
  if (native === null) return null;
  const [host, guest] = native.socketPair();
  return { host, guest, [Symbol.dispose]: () => native.close(guest) };
}
