/**
 * What the kernel says about processes, for tests that claim something about them.
 *
 * @module
 */

/** Read a file below /proc; null if the process is gone. */
export function readProc(pid: number, name: string): string | null {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${name}`);
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** Pids of all processes whose command line contains a text. Zombies have none. */
export function pidsWith(marker: string): number[] {
  return allPids().filter((pid) => readProc(pid, "cmdline")?.includes(marker) === true);
}

/** Pids of all zombies that wait for this process. */
export function ownZombies(): number[] {
  return allPids().filter((pid) => {
    const [state, parent] = readProc(pid, "stat")?.split(") ").at(-1)?.split(" ") ?? [];
    return state === "Z" && Number(parent) === Deno.pid;
  });
}

/** One line of /proc/PID/status. */
export function statusLine(pid: number, name: string): string | undefined {
  return readProc(pid, "status")?.match(new RegExp(`^${name}:\\s+(.*)$`, "m"))?.[1];
}

/** Number → target of every descriptor that would survive an exec. */
export function inheritableFds(pid: number): Record<string, string> {
  const fds: Record<string, string> = {};
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    const flags = Number.parseInt(readProc(pid, `fdinfo/${name}`)?.match(/^flags:\s+(\d+)$/m)?.[1] ?? "0", 8);
    if ((flags & 0o2000000) === 0) fds[name] = Deno.readLinkSync(`/proc/${pid}/fd/${name}`);
  }
  return fds;
}

/** What the open descriptors of a process lead to. */
export function fdTargets(pid: number | "self"): string[] {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].flatMap(({ name }) => {
    try {
      return [Deno.readLinkSync(`/proc/${pid}/fd/${name}`)];
    } catch (error) {
      // It was closed meanwhile, as that by which the list was read.
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  });
}

/** How many descriptors this process has open. */
export function ownFdCount(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

/** Poll until a condition holds; fails with `claim` after a generous deadline. */
export async function eventually(claim: string, isTrue: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`it never came true that ${claim}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function allPids(): number[] {
  return [...Deno.readDirSync("/proc")].map((entry) => Number(entry.name)).filter((pid) => pid > 0);
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    (error instanceof Error && /ESRCH|os error 3\b/.test(error.message));
}
