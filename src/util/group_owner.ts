/**
 * Says in the name of a control group whose it is.
 *
 * @module
 */

/**
 * The thread that runs this, as processes in other containers can tell it from theirs. A sandbox ends with the thread
 * that started it: a worker's may end before its process; a main thread has its process' number.
 *
 * @returns `<thread>-ns<number>`: the thread, or its process where that is not told; then the kernel's number of the
 * namespace that counts it, or 0.
 *
 * @example
 * ```ts
 * import { groupOwner } from "./group_owner.ts";
 *
 * groupOwner(); // "4711-ns4026531836"
 * ```
 */
export function groupOwner(): string {
  return `${lastNumber("/proc/thread-self") ?? Deno.pid}-ns${lastNumber("/proc/self/ns/pid") ?? 0}`;
}

/**
 * Whose a control group is.
 *
 * @param name Its name: `cordon-`, perhaps `probe-`, and what `groupOwner()` said, or the number alone.
 * @param own What `groupOwner()` says here: whoever looks at many names asks once.
 * @returns The thread that it goes with, if that counts in our namespace; null for every other name.
 *
 * @example
 * ```ts
 * import { groupOwner, ownerOfGroup } from "./group_owner.ts";
 *
 * const own = groupOwner();
 * ownerOfGroup(`cordon-${own}-a`, own) === parseInt(own); // true
 * ownerOfGroup("system.slice", own); // null
 * ```
 */
export function ownerOfGroup(name: string, own: string): number | null {
  const [, thread, namespace] = /^cordon-(?:probe-)?(\d+)(?:-ns(\d+)-|-|$)/.exec(name) ?? [];
  const isOurs = namespace === undefined || own.endsWith(`-ns${namespace}`);
  return thread !== undefined && isOurs ? Number(thread) : null;
}

/** The last number in what a symbolic link says; null where it may not be read. */
function lastNumber(link: string): string | null {
  try {
    return /(\d+)\D*$/.exec(Deno.readLinkSync(link))?.[1] ?? null;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
