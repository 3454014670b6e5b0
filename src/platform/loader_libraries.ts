/**
 * Reads what the dynamic loader prints about an executable's libraries.
 *
 * @module
 */

/**
 * Pick the libraries out of the output of `ld.so --list`.
 *
 * @param output Its standard output.
 * @returns Absolute paths at which the loader looks for each library, in its order; neither the loader itself nor
 * the kernel's own vdso.
 * @throws {RangeError} If a library was not found.
 */
export function loaderLibraries(output: string): readonly string[] {
  const paths: string[] = [];
  for (const line of output.split("\n")) {
    const match = /^\s*(\S+) => (.+?)(?: \(0x[0-9a-f]+\))?$/.exec(line);
    if (match === null) continue;
    const [, name = "", path = ""] = match;
    if (!path.startsWith("/")) {
      throw new RangeError(
        `Cannot list the libraries as ${JSON.stringify(name)} was not found: ${path.trim()}`,
      );
    }
    if (!isLoader(name)) paths.push(path);
  }
  return paths;
}

/** musl is loader and libc in one file and lists itself. */
function isLoader(name: string): boolean {
  return /^(\/.*\/)?(ld-linux|ld-musl|ld64)[^/]*$/.test(name);
}
