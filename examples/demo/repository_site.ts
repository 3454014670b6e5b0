/**
 * The service of the demo: this repository's own Markdown, and the HTML that comes back.
 *
 * @module
 */

import type { Site } from "../conflicting_versions/site.ts";

const ROOT = new URL("../../", import.meta.url);

/** Pages are read once and only from the repository; nothing is written to disk. */
export class RepositorySite implements Site {
  readonly #pages: ReadonlyMap<string, string>;
  /** HTML by page, as far as it was handed in. */
  readonly published: Map<string, string> = new Map();

  /** @param pages Markdown by name. */
  constructor(pages: ReadonlyMap<string, string>) {
    this.#pages = pages;
  }

  names(): string[] {
    return [...this.#pages.keys()];
  }

  read(name: string): string {
    const page = this.#pages.get(name);
    if (page === undefined) throw new RangeError(`Cannot read "${name}" as the site has no such page`);
    return page;
  }

  publish(name: string, html: string): void {
    this.read(name);
    this.published.set(name, html);
  }
}

/** Every Markdown file of the repository that people read. */
export async function repositoryPages(): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  for (const directory of ["", "docs/", "src/rpc/"]) {
    for (const name of await markdownFiles(new URL(directory, ROOT))) {
      pages.set(directory + name, await Deno.readTextFile(new URL(directory + name, ROOT)));
    }
  }
  return pages;
}

async function markdownFiles(directory: URL): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(directory)) {
    if (isFile && name.endsWith(".md")) names.push(name);
  }
  return names.sort();
}
