/** Shared memory of processes, as the kernel counts it: fstat(2) of every memory file, whoever else uses the machine. */

/**
 * Memory files of this project that a process has open or mapped.
 *
 * @param pid The process. @default this one
 * @returns Bytes that they take, by number of the file; -1 for one that is only mapped.
 */
export function sharedFiles(pid: number | "self" = "self"): ReadonlyMap<number, number> {
  const files = new Map<number, number>();
  for (const line of read(`/proc/${pid}/maps`).split("\n")) {
    const inode = /\s(\d+)\s+\/memfd:cordon/.exec(line)?.[1];
    if (inode !== undefined) files.set(Number(inode), -1);
  }
  for (const path of descriptors(`/proc/${pid}/fd`)) {
    const facts = stat(path);
    if (typeof facts?.ino === "number") files.set(facts.ino, (facts.blocks ?? 0) * 512);
  }
  return files;
}

/** Bytes of shared memory behind this process' descriptors. */
export function sharedBytes(): number {
  return [...sharedFiles().values()].reduce((sum, bytes) => sum + Math.max(0, bytes), 0);
}

function descriptors(directory: string): readonly string[] {
  try {
    return Array.from(Deno.readDirSync(directory), ({ name }) => `${directory}/${name}`).filter((path) =>
      link(path).startsWith("/memfd:cordon")
    );
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function link(path: string): string {
  return orNull(() => Deno.readLinkSync(path)) ?? "";
}

function stat(path: string): Deno.FileInfo | null {
  return orNull(() => Deno.statSync(path));
}

function read(path: string): string {
  return orNull(() => Deno.readTextFileSync(path)) ?? "";
}

/** Processes end and descriptors are closed while one looks. */
function orNull<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** Gone, or somebody else's: what this project starts is this account's, or below it. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotFound ||
    (error instanceof Error && /os error (2|3)\)/.test(error.message));
}
