/**
 * A host that shares a database with a plugin: two of its methods, and no file.
 *
 *     deno run -A examples/services/host.ts
 *
 * @module
 */

// deno-lint-ignore-file no-console

import { createHost } from "../../mod.ts";
import { NoteDatabase } from "./database.ts";

/** Runs the example with a database file. Returns what happened, line by line. */
export async function story(path: string): Promise<string[]> {
  using notes = new NoteDatabase(path);
  await using host = await createHost({ services: { notes } });
  await using plugin = await host.load<typeof import("./notes.ts")>(new URL("./notes.ts", import.meta.url), {
    services: { notes: ["add", "search"] },
  });
  const stored = await plugin.api.rememberList("Shopping:\n- green tea\n- black tea\n- bread\n");
  const found = await plugin.api.find("tea");
  return [
    `stored ${stored} notes through the service`,
    `found ${found.map(({ text }) => text).join(", ")}`,
    `reading the file itself: ${await refusal(plugin.api.bypass(path))}`,
    `calling clear(), which was not granted: ${await refusal(plugin.api.clear())}`,
    `notes in the host's database: ${notes.search("").length}`,
  ];
}

async function refusal(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return "went through";
  } catch (error) {
    return error instanceof Error ? `refused (${error.name})` : "refused";
  }
}

if (import.meta.main) {
  const directory = await Deno.makeTempDir();
  try {
    for (const line of await story(`${directory}/notes.db`)) console.log(line);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
