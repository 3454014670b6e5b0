/**
 * Keeps a manifest from reaching past the host's grants by a symbolic link.
 *
 * @module
 */

import { isAbsolute, relative } from "node:path";
import type { PathGrant, PermissionConfig } from "../config/types.ts";
import { PermissionDeniedError } from "../errors.ts";
import { quote } from "../util/quote.ts";

/**
 * Compares what is really granted.
 *
 * A path below a granted directory is a smaller grant only if it does not lead out of that directory: a link in a writable
 * directory could point anywhere.
 *
 * @param name The plugin, for messages.
 * @param allowed The host's permissions, every path real.
 * @param asked What the manifest narrowed them to, every path real.
 * @throws {PermissionDeniedError} If a path lies outside of every path that the host allows.
 */
export function checkAskedPaths(name: string, allowed: PermissionConfig, asked: PermissionConfig): void {
  check(name, "read", [...allowed.read, ...allowed.write], asked.read);
  check(name, "write", allowed.write, asked.write);
}

function check(
  name: string,
  access: string,
  allowed: readonly PathGrant[],
  asked: readonly PathGrant[],
): void {
  for (const { source, target } of asked) {
    if (allowed.some((grant) => isBelow(grant.source, source))) continue;
    throw new PermissionDeniedError(
      `Cannot grant ${quote(target)} to plugin ${quote(name)} as its manifest asks: it leads to ${
        quote(source)
      }, ` +
        "which the host does not allow",
      { suggestion: `permissions: { ${access}: [${quote(source)}] }` },
    );
  }
}

function isBelow(directory: string, path: string): boolean {
  const below = relative(directory, path);
  return below !== ".." && !below.startsWith("../") && !isAbsolute(below);
}
