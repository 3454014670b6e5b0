/** Load to first reply, cold and from a sandbox that was started in advance, in turns. */

import { createHost } from "../mod.ts";
import type { Host } from "../mod.ts";
import { median } from "./median.ts";

const ROUNDS = 25;
/** Nothing else happens on this thread for so long before a measurement, in milliseconds. */
const REST_MS = 100;

/** Measure and print the start of a plugin: a trivial export, its bundle cached. */
export async function warmStartBench(): Promise<void> {
  const folder = await Deno.makeTempDir();
  await Deno.chmod(folder, 0o755);
  const entry = `${folder}/one.ts`;
  await Deno.writeTextFile(entry, "export const one = (): number => 1;\n");
  const asking = `${folder}/asking.ts`;
  const question = 'import { inSandbox } from "@cordon/cordon/plugin";\n';
  await Deno.writeTextFile(asking, `${question}export const one = (): number => inSandbox() ? 1 : 2;\n`);
  await using host = await createHost();
  await using keeping = await createHost({ warm: 1 });
  await (await keeping.load(entry)).stop();
  await (await host.load(asking)).stop();
  const none = (): number[] => [];
  const times = { cold: none(), first: none(), asking: none(), next: none(), stop: none() };
  for (let round = 0; round < ROUNDS; round++) {
    times.cold.push(await toFirstReply(host, entry, times.stop));
    await using _spare = await host.prewarm(entry);
    times.first.push(await toFirstReply(host, entry, times.stop));
    await using _other = await host.prewarm(asking);
    times.asking.push(await toFirstReply(host, asking, times.stop));
    times.next.push(await toFirstReply(keeping, entry, times.stop));
  }
  await Deno.remove(folder, { recursive: true });
  const rows = [
    ["host.load(), cold", times.cold],
    ["host.load() after host.prewarm()", times.first],
    ["the same, importing the plugin module", times.asking],
    ["host.load() with createHost({ warm })", times.next],
    ["plugin.stop()", times.stop],
  ] as const;
  // deno-lint-ignore no-console -- a benchmark prints
  console.log(
    [
      `\nwarm start to first reply, ${ROUNDS} rounds: median, smallest`,
      ...rows.map(([name, values]) =>
        `  ${name.padEnd(38)} ${median(values).toFixed(1).padStart(6)} ms ${
          Math.min(...values).toFixed(1).padStart(6)
        } ms`
      ),
    ].join("\n"),
  );
}

async function toFirstReply(host: Host, entry: string, stops: number[]): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  const start = performance.now();
  const plugin = await host.load<{ one(): number }>(entry);
  await plugin.api.one();
  const replied = performance.now();
  await plugin.stop();
  stops.push(performance.now() - replied);
  return replied - start;
}
