/** Spawn to first reply, beside bubblewrap around nothing and a bare `deno run`. */

import { createHost } from "../mod.ts";
import { median } from "./median.ts";

const ROUNDS = 15;

/** Measure and print the start of a plugin: a trivial export, its bundle cached. */
export async function coldStartBench(): Promise<void> {
  const folder = await Deno.makeTempDir();
  await Deno.chmod(folder, 0o755);
  await Deno.writeTextFile(`${folder}/one.ts`, "export const one = (): number => 1;\n");
  await Deno.writeTextFile(`${folder}/hello.js`, "console.log(1);\n");
  await using host = await createHost();
  const times = { cordon: [] as number[], stop: [] as number[], bwrap: [] as number[], deno: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.bwrap.push(await timed(() => run(host.platform.facts.bwrap?.path ?? "bwrap", bwrapTrue())));
    times.deno.push(await timed(() => run(Deno.execPath(), ["run", "--no-prompt", `${folder}/hello.js`])));
    const start = performance.now();
    const plugin = await host.load<{ one(): number }>(`${folder}/one.ts`);
    await plugin.api.one();
    times.cordon.push(performance.now() - start);
    times.stop.push(await timed(() => plugin.stop()));
  }
  await Deno.remove(folder, { recursive: true });
  const base = median(times.bwrap) + median(times.deno);
  print("cold start, medians of " + ROUNDS, [
    ["bwrap around `true`", median(times.bwrap), null],
    ["bare `deno run`", median(times.deno), null],
    ["the two together", base, 1],
    ["host.load() to first reply", median(times.cordon), median(times.cordon) / base],
    ["plugin.stop()", median(times.stop), null],
  ]);
}

function bwrapTrue(): string[] {
  return ["--unshare-user", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "/bin/true"];
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  if (code !== 0) throw new Error(`Cannot run "${program}": ${new TextDecoder().decode(stderr)}`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function print(title: string, rows: readonly (readonly [string, number, number | null])[]): void {
  // deno-lint-ignore no-console -- a benchmark prints
  console.log(
    [
      `\n${title}`,
      ...rows.map(([name, ms, ratio]) =>
        `  ${name.padEnd(30)} ${ms.toFixed(1).padStart(8)} ms${
          ratio === null ? "" : `   ${ratio.toFixed(2)} ×`
        }`
      ),
    ].join("\n"),
  );
}
