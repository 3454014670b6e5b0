/**
 * Which files of the host may go into a bundle.
 *
 * A plugin's imports are the plugin's words: without this rule `import x from "/root/.ssh/id" with { type: "text" }`
 * would carry any file of the host into the sandbox.
 *
 * @module
 */

import { dirname, relative, sep } from "node:path";
import { BundleError } from "../errors.ts";

/** What may be read. */
export interface ReadableRoots {
  /** The plugin's own directory, if it has one. */
  readonly root: string | undefined;
  /** Directories of resolved npm packages. */
  readonly packages: ReadonlySet<string>;
}

/**
 * Resolves a file through its symbolic links and checks that the bundle may contain it.
 *
 * @param path Absolute path of the file.
 * @param roots What may be read.
 * @param isData The file is not code (text, bytes, JSON, an asset), so its contents reach the plugin verbatim.
 * @returns The real path, to be read instead of `path`.
 * @throws {BundleError} If the file lies elsewhere, or is data in a hidden file or directory.
 */
export async function readablePath(path: string, roots: ReadableRoots, isData: boolean): Promise<string> {
  const real = await Deno.realPath(path);
  if (isInPackage(real, roots)) return real;
  const root = roots.root === undefined ? undefined : await Deno.realPath(roots.root);
  if (root === undefined || !isInside(root, real)) {
    throw new BundleError(
      `Cannot bundle "${path}" as it lies outside the plugin's root "${roots.root ?? "(none)"}"`,
      {
        hint: "The root is the directory of the nearest deno.json; put the file below it",
      },
    );
  }
  if (isData && relative(root, real).split(sep).some((segment) => segment.startsWith("."))) {
    throw new BundleError(`Cannot bundle "${path}" as data of hidden files stays on the host`, {
      hint: "Rename the file so that no part of its path begins with a dot",
    });
  }
  return real;
}

/**
 * Tells whether a path lies in a directory.
 *
 * @param directory Absolute path.
 * @param path Absolute path.
 * @returns Whether `path` is the directory itself or below it. Symbolic links are not followed.
 */
export function isInside(directory: string, path: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}

/** In a resolved package, or in a node_modules directory that Node.js would search from the root. */
function isInPackage(real: string, roots: ReadableRoots): boolean {
  for (const directory of roots.packages) if (isInside(directory, real)) return true;
  if (roots.root === undefined) return false;
  const index = real.indexOf(`${sep}node_modules${sep}`);
  if (index < 0) return false;
  const holder = real.slice(0, index) || dirname(real.slice(0, index + 1));
  return isInside(holder, roots.root) || isInside(roots.root, holder);
}
