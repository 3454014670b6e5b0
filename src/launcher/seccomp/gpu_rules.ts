/**
 * What a GPU driver's user-space half needs on top: device ioctls, pinned memory, placement of pages and threads.
 *
 * @module
 */

import { IOCTL_ALLOWED } from "./common_rules.ts";
import { ALLOW, check, oneOf, type Rule, without } from "./rule.ts";

/** Bits 8 to 15 of an ioctl command say whose it is: NVIDIA, DRM, DXG. */
const DRIVER_TYPES: readonly number[] = [0x46, 0x64, 0x47].map((type) => type << 8);
const TYPE_BITS = 0xff00;
/** NVIDIA's unified memory numbers its commands from 1 without a type, and two of them from 0x30000001. */
const UNTYPED_MASK = 0xffffff00;
const UVM_INITIALIZE: readonly number[] = [0x30000001, 0x30000002];
/** memfd_create: CLOEXEC, ALLOW_SEALING, NOEXEC_SEAL. Neither huge pages nor an executable file. */
const MEMFD_FLAGS = 0x1 | 0x2 | 0x8;

/**
 * Rules for plugins that were granted a GPU.
 *
 * @returns Rules to add to a set.
 *
 * @example
 * ```ts
 * import { gpuRules } from "./gpu_rules.ts";
 *
 * console.log(gpuRules().has("ioctl")); // true
 * ```
 */
export function gpuRules(): ReadonlyMap<string, Rule> {
  const allowed = [
    "mlock",
    "mlock2",
    "munlock",
    "mbind",
    "get_mempolicy",
    "set_mempolicy",
    "sched_setaffinity",
  ];
  return new Map<string, Rule>([
    ...allowed.map((name): [string, Rule] => [name, ALLOW]),
    ["memfd_create", check("EPERM", [without(1, ~MEMFD_FLAGS >>> 0)])],
    [
      "ioctl",
      check(
        "ENOTTY",
        [oneOf(1, IOCTL_ALLOWED)],
        [oneOf(1, DRIVER_TYPES, TYPE_BITS)],
        [oneOf(1, [0], UNTYPED_MASK)],
        [oneOf(1, UVM_INITIALIZE)],
      ),
    ],
  ]);
}
