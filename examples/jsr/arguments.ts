/**
 * A script that parses its arguments with the standard library, inside a sandbox.
 *
 *     deno task cordon run examples/jsr/arguments.ts -- --times 2 Ada
 *
 * @module
 */

// deno-lint-ignore-file no-console

import { assertGreater } from "@std/assert/greater";
import { parseArgs } from "@std/cli/parse-args";

/** What the script prints for some arguments. */
export function greetings(args: readonly string[]): string[] {
  const { times, _: names } = parseArgs([...args], { string: ["times"], default: { times: "1" } });
  const count = Number(times);
  assertGreater(count, 0);
  return names.flatMap((name) => Array.from({ length: count }, () => `Hello, ${name}!`));
}

if (import.meta.main) { for (const line of greetings(Deno.args)) console.log(line); }
