/** The code blocks of the documentation. */

import { REPOSITORY } from "../examples/run.ts";

export interface CodeBlock {
  /** From the root of the repository. */
  readonly path: string;
  /** `path:line`. */
  readonly place: string;
  /** What stands behind the fence. */
  readonly kind: string;
  readonly text: string;
  /** Nothing but blank lines stands between it and the block before. */
  readonly isNext: boolean;
}

/** Every page that a reader comes to, from the root of the repository. */
export async function documents(): Promise<string[]> {
  const found = ["src/rpc/PROTOCOL.md", "examples/README.md", "examples/template/README.md"];
  for (const directory of ["", "docs/"]) {
    for await (const { name } of Deno.readDir(new URL(`./${directory}`, REPOSITORY))) {
      if (name.endsWith(".md")) found.push(directory + name);
    }
  }
  return found.sort();
}

/** The blocks of a page, in order. */
export async function codeBlocks(path: string): Promise<CodeBlock[]> {
  const page = await Deno.readTextFile(new URL(path, REPOSITORY));
  let end = 0;
  return [...page.matchAll(/^( *)```([^\n]*)\n([^]*?)^\1```$/gm)].map((match) => {
    const isNext = end > 0 && page.slice(end, match.index).trim() === "";
    end = match.index + match[0].length;
    return {
      path,
      place: `${path}:${page.slice(0, match.index).split("\n").length}`,
      kind: match[2]!,
      text: match[3]!,
      isNext,
    };
  });
}

/** Blocks that begin with the name of a file, such as `// host.ts: …`, as files. */
export function namedFiles(blocks: readonly CodeBlock[]): Record<string, string> {
  const named = blocks.map(({ text }) => [/^\/\/ ([\w/]+\.ts)\b/.exec(text)?.[1], text] as const);
  return Object.fromEntries(named.filter(([name]) => name !== undefined));
}
