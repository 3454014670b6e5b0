/**
 * Parses how tensors on GPUs travel.
 *
 * @module
 */

import { flag, object, oneOf } from "./parse.ts";
import type { CudaConfig } from "./types.ts";

/** Reads {@linkcode CudaOptions}. */
export function cuda(value: unknown, path: string): CudaConfig {
  const parsed = object(value, path, { ipc: flag, fallback: oneOf("host-copy", "error") });
  return Object.freeze({ ipc: parsed.ipc ?? null, fallback: parsed.fallback ?? "host-copy" });
}
