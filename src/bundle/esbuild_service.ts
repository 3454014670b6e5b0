/**
 * esbuild, imported when a plugin is first bundled and gone as soon as nothing is being bundled.
 *
 * @module
 */

import type * as esbuild from "esbuild";
import childProcess, { type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { BundleError } from "../errors.ts";

/** Its functions, without the name that CommonJS modules have in Deno. */
type Library = Omit<typeof esbuild, "default">;

/** esbuild runs one child process for all builds of this process, so the last one to finish stops it. */
const service: { users: number; child: ChildProcess | undefined } = { users: 0, child: undefined };

/**
 * Runs esbuild and leaves no child process behind.
 *
 * @param options Options of esbuild.
 * @param signal Ends the build at once, unless other builds need the child too.
 * @returns Its result.
 * @throws {BundleError} If esbuild cannot be loaded or started.
 * @throws {esbuild.BuildFailure} If the code cannot be bundled.
 */
export async function runEsbuild<T extends esbuild.BuildOptions>(
  options: T,
  signal?: AbortSignal,
): Promise<esbuild.BuildResult<T>> {
  const library = await importEsbuild();
  signal?.throwIfAborted();
  service.users++;
  const kill = () => service.users === 1 ? service.child?.kill("SIGKILL") : undefined;
  signal?.addEventListener("abort", kill);
  try {
    return await watchingSpawn(() => library.build(options as esbuild.SameShape<esbuild.BuildOptions, T>));
  } finally {
    signal?.removeEventListener("abort", kill);
    if (--service.users === 0) await stop(library);
  }
}

/**
 * Where esbuild's native program lies, which depends on how its package was installed.
 *
 * @returns Absolute path.
 * @throws {BundleError} If esbuild cannot be loaded or started.
 */
export async function esbuildProgram(): Promise<string> {
  const library = await importEsbuild();
  service.users++;
  try {
    await watchingSpawn(() => library.transform(""));
    const { child } = service;
    if (child === undefined) throw new BundleError("Cannot find the bundler's program: it was not started");
    return await Deno.realPath(child.spawnfile);
  } finally {
    if (--service.users === 0) await stop(library);
  }
}

async function importEsbuild(): Promise<Library> {
  const run = await Deno.permissions.query({ name: "run" });
  if (run.state !== "granted" && run.partial !== true) {
    throw new BundleError("Cannot start the bundler as this process may not start any program", {
      hint: "Run the host with --allow-run",
    });
  }
  try {
    // In a bundle that was split a CommonJS module has no other name.
    return (await import("esbuild")).default;
  } catch (cause) {
    throw new BundleError("Cannot load the bundler as the npm package esbuild is not available", {
      cause,
      // A program that imports a checkout by its path: Deno heeds the checkout's imports only if those of the program lead there.
      hint: String(cause).includes("not a dependency")
        ? 'Write a deno.json beside the program whose "imports" name the checkout\'s mod.ts as "@cordon/cordon"'
        : "Connect once to an npm registry so that Deno can cache it: deno cache npm:esbuild",
    });
  }
}

/**
 * Learns which child esbuild starts, which it tells nobody, and gives it no environment.
 *
 * esbuild spawns before its functions return, so the replaced `spawn` is seen by nothing else.
 */
function watchingSpawn<T>(work: () => T): T {
  const { spawn } = childProcess;
  const watched = (
    command: string,
    args: readonly string[],
    options: childProcess.SpawnOptions,
  ): ChildProcess => {
    return service.child = spawn(command, args, { ...options, env: {} });
  };
  Object.assign(childProcess, { spawn: watched });
  try {
    return work();
  } finally {
    Object.assign(childProcess, { spawn });
  }
}

/** esbuild's own `stop()` kills the child and does not wait until it is gone. */
async function stop(library: Library): Promise<void> {
  const { child } = service;
  service.child = undefined;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
    return await library.stop();
  }
  child.ref();
  const exited = once(child, "exit");
  await library.stop();
  await exited;
}
