/**
 * A process environment that tests write down.
 *
 * @module
 */

import type { ConfigEnvironment } from "../../src/config/environment.ts";

/** An unprivileged user at /home/me/project. */
export function environment(over: {
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly owners?: Readonly<Record<string, number>>;
} = {}): ConfigEnvironment {
  const { env = {}, uid = 1000, owners = {} } = over;
  return {
    cwd: () => "/home/me/project",
    env: (name) => env[name],
    uid: () => uid,
    ownerOf: (path) => owners[path] ?? null,
  };
}
