/**
 * Keeps the host's directory names out of what a plugin can read about itself.
 *
 * @module
 */

/** Where esbuild writes the path of a module: a comment above it, or the key of a CommonJS wrapper. */
const MODULE_PATH = /^(\/\/ |\s*")([^"\n]+?)("\((?:[\w$, ]*)\) \{|)$/gm;

/**
 * Replaces the paths of modules in a bundle. The number of lines stays the same.
 *
 * @param code The bundle as esbuild wrote it, its paths relative to `/`.
 * @param names Absolute path of each module → what to call it.
 * @returns The new text.
 */
export function hideHostPaths(code: string, names: ReadonlyMap<string, string>): string {
  return code.replace(MODULE_PATH, (line, before: string, path: string, after: string) => {
    const name = names.get(`/${path.replace(/ with \{.*\}$/, "")}`);
    return name === undefined ? line : `${before}${name}${after}`;
  });
}
