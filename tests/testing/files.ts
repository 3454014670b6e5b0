/** Paths and folders, for tests that look at the source tree. */

/** The file system path of a `file:` URL. */
export function fromFileUrl(url: URL): string {
  return decodeURIComponent(url.pathname);
}

/** `path` without the leading `root`. */
export function relativeTo(root: string, path: string): string {
  return path.startsWith(root) ? path.slice(root.length) : path;
}

/** Every TypeScript file below `folder`, fixtures excepted; nothing if the folder does not exist. */
export async function* walkTypeScript(
  folder: string,
  endings: readonly string[] = [".ts"],
): AsyncGenerator<string> {
  const entries: Deno.DirEntry[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) entries.push(entry);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory && entry.name !== "fixtures" && entry.name !== "node_modules") {
      yield* walkTypeScript(path, endings);
    } else if (entry.isFile && endings.some((ending) => entry.name.endsWith(ending))) yield path;
  }
}
