/** The host: everything here is trusted. */

// deno-lint-ignore-file no-console

import { createHost } from "@cordon/cordon";

/** What the plugin may use of the host. */
export class Journal {
  readonly lines: string[] = [];

  note(line: string): void {
    this.lines.push(line);
  }
}

/** Counts words in a sandbox. */
export async function tally(text: string, journal: Journal): Promise<[word: string, count: number][]> {
  await using host = await createHost({ services: { journal } });
  await using plugin = await host.load<typeof import("./plugins/tally/main.ts")>(
    new URL("./plugins/tally/main.ts", import.meta.url),
    { services: { journal: ["note"] }, limits: { memory: "128MiB", wallMs: 5_000 } },
  );
  return await plugin.api.tally(text, 3);
}

if (import.meta.main) {
  const journal = new Journal();
  const poem = await Deno.readTextFile(new URL("./data/poem.txt", import.meta.url));
  for (const [word, count] of await tally(poem, journal)) console.log(`${count} × ${word}`);
  console.log(`The plugin noted: ${journal.lines.join("; ")}`);
}
