/**
 * The gate that every change passes: `deno run -A tools/ok.ts`. Stops at the first step that fails.
 *
 * @module
 */

import { denoDirectoryVariables } from "./deno_directory.ts";
import { say } from "./say.ts";

interface Step {
  readonly name: string;
  readonly args: readonly string[];
  /** What to do when it fails. */
  readonly hint: string;
}

/** @returns The steps, cheapest first. */
async function steps(): Promise<readonly Step[]> {
  return [
    { name: "format", args: ["fmt", "--check"], hint: "deno fmt" },
    { name: "lint", args: ["lint"], hint: "deno lint --fix, then by hand" },
    {
      name: "types, documentation included",
      args: ["check", "--doc", ...await checkedPaths()],
      hint: "deno check --doc",
    },
    {
      name: "documentation of everything public",
      args: ["doc", "--lint", "mod.ts", "src/guest/mod.ts", "src/cli/main.ts"],
      hint: "describe every public symbol and give it an explicit type",
    },
    { name: "tests", args: ["run", "-A", "tools/test.ts"], hint: "deno task test <path of one test>" },
    {
      name: "publishable",
      args: ["publish", "--dry-run", "--allow-dirty", "--quiet"],
      hint: "deno publish --dry-run --allow-dirty",
    },
  ];
}

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const all = await steps();
  const env = await denoDirectoryVariables();
  for (const [index, { name, args, hint }] of all.entries()) {
    say(`\n[${index + 1}/${all.length}] ${name}: deno ${args.join(" ")}`);
    const { code } = await new Deno.Command(Deno.execPath(), { args: [...args], env, stdin: "null" }).spawn()
      .status;
    if (code === 0) continue;
    say(`\nNot ok: "${name}" failed with exit code ${code}. To see it alone: ${hint}`);
    return code;
  }
  say(`\nok: all ${all.length} steps passed`);
  return 0;
}

/** Everything but fixtures, some of which are broken on purpose. */
async function checkedPaths(): Promise<readonly string[]> {
  const paths = ["mod.ts", "src", "tools"];
  for (const directory of ["bench", "examples"]) if (await hasModule(directory)) paths.push(directory);
  for await (const { name } of Deno.readDir("tests")) {
    const path = `tests/${name}`;
    if (name !== "fixtures" && await hasModule(path)) paths.push(path);
  }
  return paths.sort();
}

async function hasModule(path: string): Promise<boolean> {
  if (path.endsWith(".ts")) return true;
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (isDirectory ? await hasModule(`${path}/${name}`) : /\.tsx?$/.test(name)) return true;
  }
  return false;
}
