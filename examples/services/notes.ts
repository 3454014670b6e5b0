/**
 * A plugin that keeps notes in a database that it cannot open.
 *
 * @module
 */

import { service } from "@cordon/cordon/plugin";
import type { Note, NoteDatabase } from "./database.ts";

const database = service<NoteDatabase>("notes");

/** Stores every line of a text that begins with a dash. */
export async function rememberList(text: string): Promise<number> {
  const items = text.split("\n").filter((line) => line.startsWith("- "));
  for (const item of items) await database.add(item.slice(2));
  return items.length;
}

/** Finds notes. */
export async function find(word: string): Promise<Note[]> {
  return await database.search(word);
}

/** Goes for the database file itself. */
export async function bypass(path: string): Promise<string> {
  return await Deno.readTextFile(path);
}

/** Calls what was not granted. */
export async function clear(): Promise<void> {
  await database.clear();
}
