/**
 * Two plugins in one host, each with its own version of one npm package.
 *
 *     deno run -A examples/conflicting_versions/host.ts
 *
 * @module
 */

// deno-lint-ignore-file no-console

import { createHost } from "../../mod.ts";

type Renderer = typeof import("./marked_4/main.ts");

/** Renders one text with both versions. */
export async function compare(markdown: string): Promise<{ old: string; young: string }> {
  await using host = await createHost();
  const [old, young] = await Promise.all(
    ["marked_4", "marked_15"].map((name) =>
      host.load<Renderer>(new URL(`./${name}/main.ts`, import.meta.url), { name })
    ),
  );
  if (old === undefined || young === undefined) {
    throw new TypeError("Cannot compare as two plugins are needed");
  }
  return { old: await old.api.render(markdown), young: await young.api.render(markdown) };
}

if (import.meta.main) {
  const { old, young } = await compare("# One text\n\nTwo *versions*.\n");
  console.log(`marked 4 says:\n${old}\nmarked 15 says:\n${young}`);
}
