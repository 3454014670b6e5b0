/**
 * Starts the workload fixture in bubblewrap, with or without filters, as the launcher's sandbox would look.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { bwrapFilter, guestFilter } from "../../../src/launcher/seccomp/mod.ts";
import type { SeccompProfile } from "../../../src/policy/types.ts";

/** Why the workload cannot run here, or null. */
export function missingForWorkload(): string | null {
  if (Deno.build.os !== "linux") return "not Linux";
  return isFile("/usr/bin/bwrap") ? null : "no bubblewrap";
}

/**
 * What each step of the workload printed.
 *
 * @param filters Which filters are in force: none, the first, or both.
 * @param profile What they leave open.
 * @returns Name of the step to its outcome.
 */
export async function runWorkload(
  filters: "none" | "first" | "both",
  profile: SeccompProfile,
): Promise<Readonly<Record<string, string>>> {
  const directory = await Deno.makeTempDir({ prefix: "cordon-workload-" });
  const libraries = await sharedLibraries();
  try {
    await fillPluginDirectory(directory, libraries, profile);
    return await start(directory, libraries, filters);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function fillPluginDirectory(directory: string, libraries: readonly string[], profile: SeccompProfile) {
  const workload = new URL("../../fixtures/seccomp/workload.ts", import.meta.url);
  const math = libraries.find((path) => path.includes("/libm."));
  await Deno.chmod(directory, 0o755);
  await Deno.writeFile(`${directory}/first.bpf`, bwrapFilter(profile, Deno.build.arch));
  await Deno.writeFile(`${directory}/second.bpf`, guestFilter(profile, Deno.build.arch));
  await Deno.writeTextFile(`${directory}/input.txt`, "hello");
  await Deno.writeTextFile(`${directory}/module.js`, "export default 5");
  await Deno.writeFile(`${directory}/workload.ts`, await Deno.readFile(workload), { mode: 0o644 });
  if (math !== undefined) await Deno.copyFile(math, `${directory}/fresh.so`);
  await reachableRuntime(`${directory}/deno`);
}

/** The runtime may lie where only root can look, as below its home. */
async function reachableRuntime(path: string): Promise<void> {
  try {
    await Deno.link(Deno.execPath(), path);
  } catch {
    // Another file system, or a file that is not ours: a copy serves as well.
    await Deno.copyFile(Deno.execPath(), path);
    await Deno.chmod(path, 0o755);
  }
}

async function start(directory: string, libraries: readonly string[], filters: "none" | "first" | "both") {
  // By descriptor: node:child_process rewrites an argument list that contains the path of the running Deno.
  await Deno.writeTextFile(`${directory}/options`, sandboxOptions(directory, libraries).join("\0") + "\0");
  const descriptors = ["options", "first.bpf"].map((name) => openSync(`${directory}/${name}`, "r"));
  const child = spawn("/usr/bin/bwrap", [
    ...["--args", "3", ...(filters === "none" ? [] : ["--seccomp", "4"])],
    ...["--", "/app/deno", "run", "-A", "--no-prompt", "--no-config", "--no-lock", "--no-remote", "--no-npm"],
    ...["--cached-only", "/app/plugin/workload.ts", filters === "both" ? "/app/plugin/second.bpf" : "-"],
    ...["/app/plugin", "/tmp"],
  ], {
    stdio: ["ignore", "pipe", "pipe", ...descriptors],
    env: {},
    // Another account may not look into the directory of the tests.
    ...(Deno.uid() === 0 ? { uid: 65534, gid: 65534, cwd: "/" } : {}),
  });
  const exit = once(child, "close");
  const [output, errors] = await Promise.all([text(child.stdio[1]!), text(child.stdio[2]!)]);
  const [code] = await exit as [number | null];
  descriptors.forEach((descriptor) => closeSync(descriptor));
  if (code !== 0) throw new Error(`The workload ended with ${code}: ${errors}`);
  return JSON.parse(output) as Record<string, string>;
}

function sandboxOptions(directory: string, libraries: readonly string[]): readonly string[] {
  return [
    ...[
      "--unshare-user",
      "--unshare-ipc",
      "--unshare-pid",
      "--unshare-net",
      "--unshare-uts",
      "--disable-userns",
    ],
    ...["--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL", "--clearenv"],
    ...["--setenv", "DENO_DIR", "/tmp/deno", "--setenv", "NO_COLOR", "1"],
    ...libraries.flatMap((path) => ["--ro-bind", path, path]),
    ...["--ro-bind", `${directory}/deno`, "/app/deno", "--ro-bind", directory, "/app/plugin"],
    ...["--dir", "/proc/self", "--symlink", "/app/deno", "/proc/self/exe"],
    ...["--dev-bind", "/dev/null", "/dev/null", "--dev-bind", "/dev/urandom", "/dev/urandom"],
    ...["--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/app/plugin"],
  ];
}

async function text(stream: unknown): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return await new Response(new Blob(chunks as BlobPart[])).text();
}

/** Paths of the loader and the libraries that this Deno asks for. */
async function sharedLibraries(): Promise<readonly string[]> {
  const { stdout } = await new Deno.Command("ldd", { args: [Deno.execPath()] }).output();
  const lines = new TextDecoder().decode(stdout).split("\n");
  return lines.flatMap((line) => line.match(/(\/\S+) \(0x/)?.[1] ?? []);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
