/**
 * Writes down, by running the filters, what each of them says about every system call.
 *
 * Run this file with `--allow-write` to renew the reviewed text: `deno run -A tests/launcher/seccomp/snapshot.ts`.
 *
 * @module
 */

import type { SeccompProfile } from "../../../src/policy/types.ts";
import { type Architecture, syscallAbi } from "../../../src/launcher/seccomp/architecture.ts";
import { bwrapFilter, guestFilter } from "../../../src/launcher/seccomp/mod.ts";
import { ARGUMENT_CASES, GENERIC_ARGUMENTS } from "./cases.ts";
import { verdict } from "./interpreter.ts";

/** The profiles that a policy can choose from, each on its own. */
export const PROFILES: Readonly<Record<string, SeccompProfile>> = {
  none: { network: false, unix: false, gpu: false },
  unix: { network: false, unix: true, gpu: false },
  network: { network: true, unix: false, gpu: false },
  gpu: { network: false, unix: false, gpu: true },
  hostFiles: { network: false, unix: false, gpu: false, hostFiles: true },
};

/** Foreign values of `seccomp_data.arch`: i386, ARM, RISC-V, and the other supported one. */
export const FOREIGN_ARCHITECTURES: Readonly<Record<Architecture, readonly number[]>> = {
  x86_64: [0x40000003, 0x40000028, 0xc00000f3, 0xc00000b7, 0],
  aarch64: [0x40000003, 0x40000028, 0xc00000f3, 0xc000003e, 0],
};

/** One column of the table. */
export interface Column {
  readonly title: string;
  readonly filter: Uint8Array;
}

/** All filters of an architecture. */
export function columns(architecture: Architecture): readonly Column[] {
  const stages = { start: bwrapFilter, guest: guestFilter };
  return Object.entries(stages).flatMap(([stage, build]) =>
    Object.entries(PROFILES).map(([name, profile]) => ({
      title: `${stage}/${name}`,
      filter: build(profile, architecture),
    }))
  );
}

/** The whole table as text: one line a call, then one line a use of the calls that depend on their arguments. */
export function snapshot(
  architecture: Architecture,
  filters: readonly Column[] = columns(architecture),
): string {
  const { numbers, auditArch } = syscallAbi(architecture);
  const calls = Object.entries(numbers).map(([name, number]) =>
    row(`${number} ${name}`, filters.map(({ filter }) => anyArguments(filter, name, number, auditArch)))
  );
  const uses = ARGUMENT_CASES.filter(({ call }) => call in numbers).map(({ call, use, args }) =>
    row(
      `${call}: ${use}`,
      filters.map(({ filter }) => verdict(filter, { number: numbers[call]!, auditArch, args })),
    )
  );
  const gaps = ["below 0", "unknown"].map((kind) =>
    row(
      kind,
      filters.map(({ filter }) =>
        verdict(filter, { number: kind === "unknown" ? 1000 : 0xffffffff, auditArch })
      ),
    )
  );
  return [
    `# System calls on ${architecture}: . is EPERM, - is ENOSYS, ? depends on the arguments (see below).`,
    row("call", filters.map(({ title }) => title)),
    ...calls,
    ...gaps,
    "",
    "# By arguments",
    ...uses,
    "",
  ].join("\n");
}

function anyArguments(filter: Uint8Array, name: string, number: number, auditArch: number): string {
  const named = ARGUMENT_CASES.filter(({ call }) => call === name).map(({ args }) => args);
  const tried = [...GENERIC_ARGUMENTS, ...named];
  const seen = new Set(tried.map((args) => verdict(filter, { number, auditArch, args })));
  return seen.size === 1 ? [...seen][0]! : "?";
}

function row(title: string, cells: readonly string[]): string {
  const short: Record<string, string> = { EPERM: ".", ENOSYS: "-" };
  return title.padEnd(52) + cells.map((cell) => (short[cell] ?? cell).padEnd(15)).join("").trimEnd();
}

/** Where the reviewed text lies. */
export function snapshotFile(architecture: Architecture): URL {
  return new URL(`./verdicts_${architecture}.txt`, import.meta.url);
}

if (import.meta.main) {
  for (const architecture of ["x86_64", "aarch64"] as const) {
    await Deno.writeTextFile(snapshotFile(architecture), snapshot(architecture));
  }
}
