/**
 * A host that kills itself, without a word to anybody.
 *
 * Arguments: runtime directory, "spawn" or "calls", and how many milliseconds after the first spawn, or after the
 * thousandth call was made.
 */

import { createHost } from "../../src/supervisor/host.ts";

const [runtimeDirectory, moment, delay] = Deno.args as [string, "spawn" | "calls", string];
const delayMs = Number(delay);

function die(): void {
  if (delayMs === 0) Deno.kill(Deno.pid, "SIGKILL");
  else setTimeout(() => Deno.kill(Deno.pid, "SIGKILL"), delayMs);
}

const host = await createHost({ runtimeDirectory, output: "ignore" });
if (moment === "spawn") host.on("spawned", die);
const entry = new URL("./chaos_worker.ts", import.meta.url);
const load = () => host.load<typeof import("./chaos_worker.ts")>(entry);
const plugins = await Promise.all([load(), load(), load()]);
for (let call = 0; call < 1_000; call++) {
  const { api } = plugins[call % plugins.length]!;
  // Every third plugin never comes back from its first call.
  void (call === 2 ? api.spin() : api.item(call)).catch(() => {});
}
if (moment === "calls") die();
await new Promise(() => setInterval(() => {}, 1_000));
