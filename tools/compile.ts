/**
 * Makes dist/cordon, the command line as one executable: `deno run -A tools/compile.ts [output]`.
 *
 * @module
 */

import { compileExecutable } from "../src/cli/executable/compile_executable.ts";
import { say } from "./say.ts";

const ROOT = new URL("../", import.meta.url);

if (import.meta.main) {
  const [output = pathOf("dist/cordon")] = Deno.args;
  await Deno.mkdir(output.replace(/[^/]*$/, "") || ".", { recursive: true });
  const bytes = await compileExecutable({
    entry: pathOf("src/cli/main.ts"),
    output,
    config: pathOf("deno.json"),
    isSplit: true,
  });
  say(`${output}: ${Math.round(bytes / 1e6)} MB`);
}

function pathOf(name: string): string {
  return decodeURIComponent(new URL(name, ROOT).pathname);
}
