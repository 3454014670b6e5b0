/**
 * The `workspace` field of a deno.json: which directories are members.
 *
 * @module
 */

import { join, relative } from "node:path";

/**
 * Tells whether a directory is named by a workspace.
 *
 * @param directory Absolute path of the possible member.
 * @param root Absolute path of the directory whose configuration declares the workspace.
 * @param workspace The value of the field.
 * @returns Whether a pattern of the workspace matches the directory.
 */
export function isMemberOf(directory: string, root: string, workspace: unknown): boolean {
  return patterns(workspace).some((pattern) => matches(pattern, relative(root, directory)));
}

/**
 * Lists the directories that a workspace names.
 *
 * @param root Absolute path of the directory whose configuration declares the workspace.
 * @param workspace The value of the field.
 * @returns Absolute paths. Directories that a `*` does not find are left out.
 */
export async function memberDirectories(root: string, workspace: unknown): Promise<string[]> {
  const found: string[] = [];
  for (const pattern of patterns(workspace)) {
    let level = [root];
    for (const segment of pattern.split("/")) {
      level = segment === "*"
        ? (await Promise.all(level.map(subdirectories))).flat()
        : level.map((directory) => join(directory, segment));
    }
    found.push(...level);
  }
  return found;
}

/** Patterns without `./` and trailing slashes. What leads out of the root is no pattern. */
function patterns(workspace: unknown): string[] {
  const list = Array.isArray(workspace) ? workspace : membersOf(workspace);
  return list.filter((entry): entry is string => typeof entry === "string")
    .map((entry) => entry.replace(/^\.\//, "").replace(/\/+$/, ""))
    .filter((entry) => entry !== "" && !entry.startsWith("/") && !entry.split("/").includes(".."));
}

function membersOf(workspace: unknown): unknown[] {
  if (typeof workspace !== "object" || workspace === null || !("members" in workspace)) return [];
  return Array.isArray(workspace.members) ? workspace.members : [];
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const segments = path.split("/");
  return wanted.length === segments.length &&
    wanted.every((segment, index) => segment === "*" || segment === segments[index]);
}

async function subdirectories(directory: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(directory)) {
      if (entry.isDirectory) names.push(join(directory, entry.name));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}
