/**
 * The bounds of a session, with their defaults.
 *
 * @module
 */

import type { RpcLimits } from "./types.ts";

/** The longest deadline in milliseconds that a timer can hold: one that is longer would ring at once. */
export const MAX_TIMEOUT_MS: number = 2 ** 31 - 1;

/** What a session allows when its options do not say otherwise. */
export const DEFAULT_RPC_LIMITS: RpcLimits = Object.freeze({
  maxFrameBytes: 16 * 1024 * 1024,
  maxNesting: 128,
  maxValues: 1_000_000,
  maxInFlight: 16_384,
  maxDepth: 64,
  maxReferences: 100_000,
  maxStreams: 1024,
  streamWindowItems: 16,
  streamWindowBytes: 1024 * 1024,
  maxQueuedBytes: 64 * 1024 * 1024,
});

/**
 * Complete and check limits.
 *
 * @param limits What differs from the defaults.
 * @returns Frozen limits with every key set; without `maxQueuedBytes`, two of the largest messages may wait.
 * @throws {RangeError} If a limit is not a positive integer.
 */
export function rpcLimits(limits: Partial<RpcLimits> = {}): RpcLimits {
  const { maxFrameBytes = 0 } = limits;
  // What may be sent must be able to wait, beside something else.
  const maxQueuedBytes = Math.max(DEFAULT_RPC_LIMITS.maxQueuedBytes, 2 * maxFrameBytes);
  const complete = { ...DEFAULT_RPC_LIMITS, maxQueuedBytes, ...limits };
  for (const [name, value] of Object.entries(complete)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`Cannot set "${name}" as a limit must be a positive integer: ${String(value)}`);
    }
  }
  return Object.freeze(complete);
}
