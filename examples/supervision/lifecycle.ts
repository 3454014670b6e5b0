/** A plugin that hears of its own life. */

import { emit, onLifecycle } from "@cordon/cordon/plugin";

const heard: string[] = [];
let words: string[] = [];

onLifecycle("before-load", async () => {
  // Awaited; nothing can be called yet. A failure fails the load.
  words = await Promise.resolve(["one", "two"]);
});
onLifecycle("loaded", () => heard.push("loaded"));
onLifecycle("before-call", ({ method, args }) => heard.push(`${method}(${args.join()})`));
onLifecycle("after-call", ({ method, error }) => heard.push(`${method} ${error === null ? "ok" : "failed"}`));
onLifecycle("unload", () => emit("bye")); // awaited within the grace period; onShutdown() is the same

/** One of the words that were read before the load. */
export function word(index: number): string {
  const found = words[index];
  if (found === undefined) throw new RangeError(`Cannot give word ${index}: there are ${words.length}`);
  return found;
}

/** What the hooks heard so far. */
export const story = (): string[] => [...heard];
