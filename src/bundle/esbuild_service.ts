/**
 * esbuild, imported when a plugin is first bundled and stopped as soon as nothing is being bundled.
 *
 * @module
 */

import type * as esbuild from "esbuild";
import { BundleError } from "../errors.ts";

/** esbuild runs one child process for all builds of this process, so the last one to finish stops it. */
let users = 0;

/**
 * Runs esbuild and leaves no child process behind.
 *
 * @param options Options of esbuild.
 * @returns Its result.
 * @throws {BundleError} If esbuild cannot be loaded or started.
 * @throws {esbuild.BuildFailure} If the code cannot be bundled.
 */
export async function runEsbuild<T extends esbuild.BuildOptions>(
  options: T,
): Promise<esbuild.BuildResult<T>> {
  const service = await importEsbuild();
  users++;
  try {
    return await service.build(options as esbuild.SameShape<esbuild.BuildOptions, T>);
  } finally {
    if (--users === 0) await service.stop();
  }
}

async function importEsbuild(): Promise<typeof esbuild> {
  const run = await Deno.permissions.query({ name: "run" });
  if (run.state !== "granted" && run.partial !== true) {
    throw new BundleError("Cannot start the bundler as this process may not start any program", {
      hint: "Run the host with --allow-run",
    });
  }
  try {
    return await import("esbuild");
  } catch (cause) {
    throw new BundleError("Cannot load the bundler as the npm package esbuild is not available", {
      cause,
      hint: "Connect once to an npm registry so that Deno can cache it: deno cache npm:esbuild",
    });
  }
}
