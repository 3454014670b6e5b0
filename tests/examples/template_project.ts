/** The template as a project of its own, which takes Cordon from this repository instead of JSR. */

import { join } from "node:path";
import { REPOSITORY } from "./run.ts";

/**
 * Makes the project in a directory import this checkout.
 *
 * @param path Directory with the template's files.
 */
export async function useCheckout(path: string): Promise<void> {
  // A sandbox of root runs under another account, which has to be able to look in.
  await Deno.chmod(path, 0o755);
  const file = join(path, "deno.json");
  const own = JSON.parse(await Deno.readTextFile(new URL("deno.json", REPOSITORY)));
  const text = (await Deno.readTextFile(file))
    .replaceAll("jsr:@cordon/cordon@^0.1.0/cli", new URL("src/cli/main.ts", REPOSITORY).pathname)
    .replaceAll("jsr:@cordon/cordon@^0.1.0/plugin", new URL("src/guest/mod.ts", REPOSITORY).href)
    .replaceAll("jsr:@cordon/cordon@^0.1.0", new URL("mod.ts", REPOSITORY).href);
  const config = JSON.parse(text);
  // A published package has these written into its code.
  config.imports = { ...own.imports, ...config.imports };
  await Deno.writeTextFile(file, JSON.stringify(config));
}
