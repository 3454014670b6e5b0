/**
 * Whose a control group is, and whose the processes in it are.
 *
 * @module
 */

import type { Libc } from "./libc.ts";
import { unlessGone } from "../util/no_such_process.ts";
import { runProgram } from "./run_program.ts";

/** systemd writes down what it delegates; only root can read the second. */
const MARKS: readonly string[] = ["user.delegate", "trusted.delegate"];
const SYSTEMCTL = "/usr/bin/systemctl";

/**
 * Whether a service manager has given a group away: systemd.resource-control(5), `Delegate=`. In any other group it may
 * change the settings under our hands.
 *
 * @param path Directory of the group.
 * @param libc The C library, or null where it cannot be opened.
 * @returns Whether it was delegated.
 */
export async function isDelegated(path: string, libc: Libc | null): Promise<boolean> {
  return (libc !== null && isMarked(path, libc)) || await isDelegatedUnit(path);
}

function isMarked(path: string, libc: Libc): boolean {
  const value = new Uint8Array(8);
  return MARKS.some((mark) => {
    const size = libc.symbols.getxattr(text(path), text(mark), value, BigInt(value.length));
    return size === 1n && value[0] === "1".charCodeAt(0);
  });
}

/** The manager of a login marks nothing before systemd 254, but can be asked. */
async function isDelegatedUnit(path: string): Promise<boolean> {
  const unit = /\/([^/]+\.(?:scope|service))$/.exec(path)?.[1];
  if (unit === undefined) return false;
  const user = /\/user@(\d+)\.service\//.exec(path)?.[1];
  const manager = user === undefined ? [] : ["--user"];
  const environment: Record<string, string> = user === undefined
    ? {}
    : { XDG_RUNTIME_DIR: `/run/user/${user}` };
  const args = [...manager, "show", "--property=Delegate", "--value", "--", unit];
  return (await runProgram(SYSTEMCTL, args, { environment }))?.stdout === "yes\n";
}

/**
 * Whether a process is this one, started it, or was started by it.
 *
 * @param pid The process.
 * @returns False also for one that has ended.
 */
export function isKin(pid: number): boolean {
  return lineage(Deno.pid).includes(pid) || lineage(pid).includes(Deno.pid);
}

/** A process and those that it comes from, as far as they can be seen. */
function lineage(pid: number): number[] {
  const found: number[] = [];
  for (let next = pid; next > 0 && !found.includes(next); next = parentOf(next)) found.push(next);
  return found;
}

function parentOf(pid: number): number {
  const status = unlessGone(() => Deno.readTextFileSync(`/proc/${pid}/status`));
  return Number(/^PPid:\s*(\d+)$/m.exec(status ?? "")?.[1] ?? 0);
}

function text(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${value}\0`);
}
