/**
 * Descriptors for a process that does not exist yet.
 *
 * @module
 */

import { LaunchError } from "../errors.ts";
import type { DescriptorPassing } from "./types.ts";

/** A descriptor needs something to travel with. */
const MESSAGE = new Uint8Array(1);

/**
 * Put descriptors into a socket, for the process that gets it as standard input: cordon-exec's `--receive`. A process
 * that inherited them would be forked with a copy of all page tables of this one, in milliseconds; without, it is
 * spawned in tenths of them, however large this process is.
 *
 * @param native The native library.
 * @param descriptors The descriptors, in the order in which they will be numbered. They stay the caller's.
 * @returns The socket's descriptor; the caller closes it.
 * @throws {LaunchError} If there are more than a socket takes.
 */
export function handOver(native: DescriptorPassing, descriptors: readonly (number | "pipe")[]): number {
  const [ours, theirs] = native.socketPair();
  using cleanup = new DisposableStack();
  cleanup.defer(() => native.close(theirs));
  try {
    for (const fd of descriptors) {
      if (fd === "pipe" || !native.send(ours, MESSAGE, fd)) throw tooMany(descriptors.length);
    }
  } finally {
    native.close(ours);
  }
  cleanup.move();
  return theirs;
}

function tooMany(count: number): LaunchError {
  return new LaunchError(
    `Cannot hand ${count} descriptors over as a socket takes about 200: too many grants`,
    {
      stage: "spawn",
      hint: "Grant directories instead of the files in them",
    },
  );
}
