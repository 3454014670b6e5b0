/** A plugin: plain exports. What it imports besides is bundled for it. */

import { service } from "@cordon/cordon/plugin";
import type { Journal } from "../../host.ts";

const journal = service<Journal>("journal");

/** The most frequent words of a text, the most frequent first. */
export async function tally(text: string, most: number): Promise<[word: string, count: number][]> {
  const counts = new Map<string, number>();
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  await journal.note(`counted ${words.length} words`);
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, most);
}
