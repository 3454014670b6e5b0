/**
 * What the filters need to know about a processor architecture.
 *
 * @module
 */

import { SandboxUnavailableError } from "../../errors.ts";
import { SYSCALLS_AARCH64 } from "./embedded/syscalls_aarch64.ts";
import { SYSCALLS_X86_64 } from "./embedded/syscalls_x86_64.ts";

/** An architecture for which system call filters can be built; a subset of `Deno.build.arch`. */
export type Architecture = "x86_64" | "aarch64";

/** How a kernel numbers its system calls. */
export interface SyscallAbi {
  /** Name of the architecture. */
  readonly architecture: Architecture;
  /** `AUDIT_ARCH_…`, as the kernel reports it to a filter. */
  readonly auditArch: number;
  /** Name to number. */
  readonly numbers: Readonly<Record<string, number>>;
  /** First number of a second ABI that shares the audit value (x32), or null. */
  readonly foreignNumbersFrom: number | null;
}

const ABIS: Readonly<Record<Architecture, SyscallAbi>> = {
  x86_64: {
    architecture: "x86_64",
    auditArch: 0xc000003e,
    numbers: SYSCALLS_X86_64,
    foreignNumbersFrom: 0x40000000,
  },
  aarch64: {
    architecture: "aarch64",
    auditArch: 0xc00000b7,
    numbers: SYSCALLS_AARCH64,
    foreignNumbersFrom: null,
  },
};

/**
 * The system call numbering of an architecture.
 *
 * @param architecture Name as in `Deno.build.arch`.
 * @returns Its numbering.
 * @throws {SandboxUnavailableError} If the architecture is not known: a guessed table would be no filter at all.
 *
 * @example
 * ```ts
 * import { syscallAbi } from "./architecture.ts";
 *
 * console.log(syscallAbi("x86_64").numbers["execve"]); // 59
 * ```
 */
export function syscallAbi(architecture: string): SyscallAbi {
  if (Object.hasOwn(ABIS, architecture)) return ABIS[architecture as Architecture];
  const summary = `No system call table for the architecture "${architecture}"`;
  throw new SandboxUnavailableError(
    `Cannot build a system call filter as only x86_64 and aarch64 are known: this is "${architecture}"`,
    {
      findings: [{ id: "seccomp-architecture", level: "fail", summary }],
      hint: "Run the host on x86_64 or aarch64",
    },
  );
}
