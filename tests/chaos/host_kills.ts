/**
 * Hosts that are killed at bad moments: nothing of their plugins lives on, and the next host removes their files.
 *
 * Usage: `deno run -A tests/chaos/host_kills.ts [rounds]`.
 */

import assert from "node:assert/strict";
import { createHost } from "../../src/supervisor/host.ts";

/** When hosts die, in milliseconds after the first spawn. */
const afterSpawn = [0, 1, 2, 5, 10, 50];
/** In milliseconds after a thousand calls were made. */
const duringCalls = [0, 1, 5, 20];

/** The outcome of a run. */
export interface KillReport {
  readonly kills: number;
  /** Processes of a host that lived, seen in the same way: what is counted is there to be counted. */
  readonly control: number;
  /** From the death of the host to that of the last of its processes, in milliseconds. */
  readonly goneMs: { readonly median: number; readonly longest: number };
  /** Directories of dead hosts that are left after the next host has started. */
  readonly directories: number;
  /** Control groups of dead hosts after the next host has started a plugin. */
  readonly leaves: number;
}

/**
 * Kills hosts.
 *
 * @param rounds How often at each moment.
 * @returns What lived on, and for how long.
 */
export async function hostKills(rounds: number): Promise<KillReport> {
  const runtimeDirectory = await Deno.makeTempDir({ prefix: "cordon-chaos-" });
  await Deno.chmod(runtimeDirectory, 0o711);
  try {
    const times: number[] = [];
    const pids: number[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const delayMs of afterSpawn) times.push(await killed(runtimeDirectory, "spawn", delayMs, pids));
      for (const delayMs of duringCalls) times.push(await killed(runtimeDirectory, "calls", delayMs, pids));
    }
    const control = await seenAlive(runtimeDirectory, pids);
    const dead = hostDirectories(runtimeDirectory);
    assert.equal(dead.length, 1, "each host has removed what the one before it left");
    await using host = await createHost({ runtimeDirectory, output: "ignore" });
    await using plugin = await host.load(new URL("./chaos_worker.ts", import.meta.url));
    const groups = Object.values(plugin.policy.cgroup?.directories ?? {});
    times.sort((a, b) => a - b);
    return {
      kills: times.length,
      control,
      goneMs: { median: Math.round(times[times.length >> 1]!), longest: Math.round(times.at(-1)!) },
      directories: hostDirectories(runtimeDirectory).filter((name) => dead.includes(name)).length,
      leaves: groups.flatMap((directory) => leavesOf(directory, pids)).length,
    };
  } finally {
    await Deno.remove(runtimeDirectory, { recursive: true });
  }
}

function doomed(directory: string, moment: string, delayMs: number): Deno.ChildProcess {
  const script = new URL("./doomed_host.ts", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, directory, moment, String(delayMs)],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

/** The most processes of a host that are seen before it is killed. */
async function seenAlive(directory: string, pids: number[]): Promise<number> {
  const child = doomed(directory, "calls", 600_000);
  pids.push(child.pid);
  let most = 0;
  let own: readonly string[] = [];
  for (const end = performance.now() + 20_000; most < 6 && performance.now() < end;) {
    own = hostDirectories(directory);
    most = Math.max(most, ...own.map((name) => belongingTo(child.pid, name).length));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  child.kill("SIGKILL");
  await child.status;
  // A control group with somebody in it cannot be removed by the next host.
  for (const name of own) await lastSeenAfter(performance.now(), child.pid, name);
  return most;
}

/** How long processes of a host lived that killed itself. */
async function killed(directory: string, moment: string, delayMs: number, pids: number[]): Promise<number> {
  const known = new Set(hostDirectories(directory));
  const child = doomed(directory, moment, delayMs);
  pids.push(child.pid);
  const { signal } = await child.status;
  const diedAt = performance.now();
  assert.equal(signal, "SIGKILL");
  const [own] = hostDirectories(directory).filter((name) => !known.has(name));
  assert.ok(own !== undefined, "a killed host leaves its directory to the next");
  return await lastSeenAfter(diedAt, child.pid, own);
}

/** Waits until no process of a dead host is left; for how long there were any. */
async function lastSeenAfter(diedAt: number, hostPid: number, directory: string): Promise<number> {
  for (let lastSeen = diedAt;;) {
    const now = performance.now();
    const left = belongingTo(hostPid, directory);
    if (left.length > 0) lastSeen = now;
    // Nobody is there any more for a while: nobody will come.
    else if (now > lastSeen + 50) return lastSeen - diedAt;
    assert.ok(now < diedAt + 30_000, `processes of a killed host live on: ${left}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Processes in a control group of a host, with its directory mounted, started from it, or with a file of it open. */
function belongingTo(hostPid: number, directory: string): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => {
    if (!(pid > 0) || pid === Deno.pid) return false;
    return says(pid, "cgroup", `/cordon-${hostPid}-`) || says(pid, "mountinfo", `/${directory}/`) ||
      says(pid, "cmdline", `/${directory}/`) || holds(pid, `/${directory}/`);
  });
}

function holds(pid: number, text: string): boolean {
  return unlessGone(() =>
    [...Deno.readDirSync(`/proc/${pid}/fd`)].some(({ name }) =>
      Deno.readLinkSync(`/proc/${pid}/fd/${name}`).includes(text)
    )
  );
}

function says(pid: number, file: string, text: string): boolean {
  return unlessGone(() => Deno.readTextFileSync(`/proc/${pid}/${file}`).includes(text));
}

function unlessGone(ask: () => boolean): boolean {
  try {
    return ask();
  } catch (error) {
    const isGone = error instanceof Error && /ESRCH|\(os error (2|3|22)\)/.test(error.message);
    if (isGone || error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

function hostDirectories(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).filter((name) => name.startsWith("h-"));
}

function leavesOf(directory: string, pids: readonly number[]): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name)
    .filter((name) => pids.some((pid) => name.startsWith(`cordon-${pid}-`)));
}

if (import.meta.main) {
  const report = await hostKills(Number(Deno.args[0] ?? 10));
  await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(report, null, 1)}\n`));
  assert.ok(report.goneMs.longest <= 2_000, "nothing lives on for two seconds");
  assert.deepEqual([report.directories, report.leaves], [0, 0]);
}
