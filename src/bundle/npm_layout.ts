/**
 * Directories that let esbuild's own Node.js resolution find the packages that Deno resolved.
 *
 * Every package gets `<layout>/<key>/node_modules/` with symbolic links to itself and to what it depends on, in the
 * versions of the graph. Nothing is copied, so two plugins may use any two versions of one package.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import type { ModuleGraph, NpmPackage } from "./module_graph.ts";
import { isFile } from "./find_config.ts";
import { makeOwnDirectory } from "./own_directory.ts";

/** Names become paths here and come from strangers' package.json files. */
const PACKAGE_NAME = /^(?:@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*$/;

/**
 * Makes the layout of a graph, or finds it made before.
 *
 * @param graph The resolved graph.
 * @param cacheDirectory Absolute path; the layout lies in its `npm` directory. Safe with concurrent calls.
 * @returns Absolute path of the layout.
 */
export async function npmLayout(
  graph: ModuleGraph,
  cacheDirectory: string,
): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([...graph.packages.values()])).digest("hex");
  const layout = join(cacheDirectory, "npm", hash.slice(0, 32));
  makeOwnDirectory(join(cacheDirectory, "npm"));
  if (await isFile(join(layout, "complete"))) return layout;
  const draft = await Deno.makeTempDir({ dir: join(cacheDirectory, "npm"), prefix: "draft-" });
  try {
    for (const entry of graph.packages.values()) {
      await linkPackage(graph, entry, packageDirectory(draft, entry));
    }
    await Deno.writeTextFile(join(draft, "complete"), "");
    await publish(draft, layout);
  } catch (error) {
    await Deno.remove(draft, { recursive: true });
    throw error;
  }
  return layout;
}

/**
 * Names the directory from which a package's imports resolve.
 *
 * @param layout Absolute path of the layout.
 * @param entry A package of the graph.
 * @returns Absolute path.
 */
export function packageDirectory(layout: string, entry: NpmPackage): string {
  return join(layout, createHash("sha256").update(entry.id).digest("hex").slice(0, 16));
}

async function linkPackage(
  graph: ModuleGraph,
  entry: NpmPackage,
  directory: string,
): Promise<void> {
  const aliases = await aliasesOf(entry);
  const links = new Map<string, string>();
  for (const id of entry.dependencies) {
    const dependency = graph.packages.get(id);
    if (dependency !== undefined && !links.has(dependency.name)) {
      links.set(dependency.name, dependency.localPath);
    }
  }
  for (const [alias, { name, range }] of aliases) {
    const candidates = entry.dependencies.map((id) => graph.packages.get(id)).filter((found) =>
      found?.name === name
    );
    const best = closest(candidates.filter((found) => found !== undefined), range);
    if (best !== undefined) links.set(alias, best.localPath);
  }
  links.set(entry.name, entry.localPath);
  for (const [name, target] of links) {
    if (!PACKAGE_NAME.test(name)) continue;
    const link = join(directory, "node_modules", name);
    await Deno.mkdir(dirname(link), { recursive: true });
    await Deno.symlink(target, link);
  }
}

interface Declared {
  readonly name: string;
  readonly range: string;
}

/**
 * Dependencies under another name (`"a-v1": "npm:a@1"`): the graph lists ids only. Where a package depends on two
 * versions of one package, each declaration is matched by its range.
 */
async function aliasesOf(entry: NpmPackage): Promise<Map<string, Declared>> {
  const found = new Map<string, Declared>();
  const text = await Deno.readTextFile(join(entry.localPath, "package.json"));
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(text);
  for (const [name, range] of Object.entries({ ...dependencies, ...optionalDependencies })) {
    const alias = /^npm:(@?[^@]+)(?:@(.*))?$/.exec(String(range));
    found.set(
      name,
      alias === null ? { name, range: String(range) } : { name: alias[1] ?? name, range: alias[2] ?? "" },
    );
  }
  return found;
}

/** The candidate whose version shares the longest run of leading numbers with the range. */
function closest(candidates: readonly NpmPackage[], range: string): NpmPackage | undefined {
  const wanted = range.replace(/^[^\d]*/, "").split(/[.\s-]/);
  const score = ({ version }: NpmPackage) => {
    const mismatch = version.split(/[.-]/).findIndex((part, index) => part !== wanted[index]);
    return mismatch < 0 ? Infinity : mismatch;
  };
  return candidates.toSorted((a, b) => score(b) - score(a))[0];
}

/** Another load may have made the same layout meanwhile: the content is the same, so whoever is first wins. */
async function publish(draft: string, layout: string): Promise<void> {
  try {
    await Deno.rename(draft, layout);
  } catch (error) {
    if (!await isFile(join(layout, "complete"))) throw error;
    await Deno.remove(draft, { recursive: true });
  }
}
