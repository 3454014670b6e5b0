/**
 * Asks the kernel which version of Landlock it has.
 *
 * @module
 */

import type { Libc } from "./libc.ts";
import type { Probed } from "./probed.ts";

/** `landlock_create_ruleset`, the same number on every architecture. */
const SYS_LANDLOCK_CREATE_RULESET = 444n;
const LANDLOCK_CREATE_RULESET_VERSION = 1;

/**
 * Ask for Landlock's ABI version by the system call itself.
 *
 * @param libc The C library, or null where it cannot be opened.
 * @returns The version, 0 when there is none.
 */
export function probeLandlock(libc: Libc | null): Probed<number> {
  if (libc === null) return unasked();
  const answer = Number(
    libc.symbols.syscall(SYS_LANDLOCK_CREATE_RULESET, null, 0n, LANDLOCK_CREATE_RULESET_VERSION),
  );
  return answer > 0 ? present(answer) : absent();
}

function unasked(): Probed<number> {
  const summary = "Landlock cannot be asked for, as this host may not use FFI";
  return {
    fact: 0,
    finding: { id: "landlock", level: "skip", summary, fix: ["Start the host with --allow-ffi"] },
  };
}

function present(abi: number): Probed<number> {
  const evidence = `landlock_create_ruleset says ${abi}`;
  return {
    fact: abi,
    finding: { id: "landlock", level: "ok", summary: `Landlock has ABI ${abi}`, evidence },
  };
}

function absent(): Probed<number> {
  return {
    fact: 0,
    finding: {
      id: "landlock",
      level: "warn",
      summary: "The kernel has no Landlock, or it is switched off",
      evidence: "landlock_create_ruleset failed",
      fix: ["Boot a kernel from 5.13 on with landlock in the lsm= list (see /sys/kernel/security/lsm)"],
    },
  };
}
