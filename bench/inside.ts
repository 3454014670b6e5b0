/** How fast code runs inside a sandbox, beside the same code in a bare `deno run`. */

import { createHost } from "../src/supervisor/host.ts";
import type * as Work from "./inside_plugin.ts";
import { median } from "./median.ts";

const PLUGIN = new URL("inside_plugin.ts", import.meta.url).pathname;
/** Processes of each kind, in turns. */
const TURNS = 5;
/** In each process; the first one warms up. */
const ROUNDS = 4;

const WORK = {
  numbers: "arithmetic",
  objects: "a table of 400,000 objects that turns over",
  arrays: "arrays of 1 MiB that are dropped",
  json: "JSON of 2,000 rows, parsed and printed",
} as const satisfies Partial<Record<keyof typeof Work, string>>;

/** Measure and print. */
export async function insideBench(): Promise<void> {
  await using host = await createHost();
  const lines: string[] = [];
  for (const [name, title] of Object.entries(WORK) as [keyof typeof WORK, string][]) {
    const bare: number[] = [];
    const sandboxed: number[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      bare.push(...await alone(name));
      await using plugin = await host.load<typeof Work>(PLUGIN);
      for (let round = 0; round < ROUNDS; round++) {
        const ms = await plugin.api[name]();
        if (round > 0) sandboxed.push(ms);
      }
    }
    const [base, inside] = [median(bare), median(sandboxed)];
    lines.push(
      `  ${title.padEnd(44)} ${milliseconds(base)}  ${milliseconds(inside)}  ${(inside / base).toFixed(2)} ×`,
    );
  }
  // deno-lint-ignore no-console -- a benchmark prints
  console.log([`\ncode of a plugin: bare \`deno run\`, then in the sandbox`, ...lines].join("\n"));
}

async function alone(name: string): Promise<number[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", PLUGIN, name, String(ROUNDS)],
  }).output();
  return (JSON.parse(new TextDecoder().decode(stdout)) as number[]).slice(1);
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(1).padStart(7)} ms`;
}
