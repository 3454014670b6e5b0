/**
 * `cordon init`: a project with a host, a plugin, a script and their tests.
 *
 * @module
 */

import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { quote } from "../../util/quote.ts";
import type { Command, CommandContext } from "../command.ts";
import { refuseSurplus } from "../command_line.ts";
import { EXIT } from "../exit_code.ts";
import { shellWord } from "../shell_word.ts";
import { UsageError } from "../usage_error.ts";

/** What the template imports. */
const PACKAGE = "jsr:@cordon/cordon@^0.1.0";
const CONFIG = "deno.json";

/** The command. */
export const initCommand: Command = {
  name: "init",
  summary: "Write a project to start from: a host, a plugin with a manifest, a script, tests",
  usage: "[options] [directory]",
  options: [],
  examples: [
    ["cordon init my_host", "Then: cd my_host && deno task start"],
    ["cordon init", "Into the current directory; no file that exists is touched"],
  ],
  run,
};

async function run({ line, output }: CommandContext): Promise<number> {
  refuseSurplus(line, "init", 1);
  const [directory = "."] = line.positionals;
  const { TEMPLATE } = await import("../embedded/template.ts");
  const root = resolve(directory);
  const checkout = await checkoutAround();
  const own = (path: string, text: string): string =>
    checkout !== null && path === CONFIG ? fromCheckout(text, checkout) : text;
  const files = Object.entries(TEMPLATE).map(([path, text]) => ({
    path: join(root, path),
    text: own(path, text),
  }));
  await refuseExisting(files.map(({ path }) => path));
  for (const { path, text } of files) await writeNew(path, text);
  for (const { path } of files) output.note(`Wrote ${path}`);
  const enter = directory === "." ? "" : `cd ${shellWord(directory)} && `;
  if (checkout !== null) {
    output.note(
      `It takes Cordon from ${checkout.directory}; the published package is "${PACKAGE}" in its deno.json`,
    );
  }
  output.note(`Next: ${enter}deno task start`);
  if (output.isJson) output.data(JSON.stringify({ directory: root, files: Object.keys(TEMPLATE) }));
  return EXIT.ok;
}

/** A checkout of Cordon, from which this command runs. */
interface Checkout {
  readonly directory: string;
  readonly imports: Readonly<Record<string, string>>;
}

/** A published package is no file, and a compiled executable has no such directory. */
async function checkoutAround(): Promise<Checkout | null> {
  const url = new URL("../../../", import.meta.url);
  if (url.protocol !== "file:") return null;
  try {
    await Deno.stat(new URL("src/guest/mod.ts", url));
    const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", url)));
    return { directory: fileURLToPath(url).replace(/\/$/, ""), imports };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** The project runs at once, without a registry: what the package's own code imports by name is mapped as well. */
function fromCheckout(text: string, { directory, imports }: Checkout): string {
  const url = pathToFileURL(directory).href;
  const config = JSON.parse(
    text.replaceAll(`${PACKAGE}/cli`, `${shellWord(`${directory}/src/cli/main.ts`)}`)
      .replaceAll(`${PACKAGE}/plugin`, `${url}/src/guest/mod.ts`)
      .replaceAll(PACKAGE, `${url}/mod.ts`),
  );
  config.imports = { ...config.imports, ...imports };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Before anything is written, so that a refusal leaves nothing behind. */
async function refuseExisting(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    try {
      await Deno.lstat(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      if (error instanceof Deno.errors.NotADirectory) throw blocked(path, error);
      throw error;
    }
    throw exists(path);
  }
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(path, text, { createNew: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw exists(path, error);
    throw error;
  }
}

function exists(path: string, cause?: unknown): UsageError {
  return new UsageError(`Cannot write ${quote(path)} as it exists already`, {
    hint: "Name another directory: cordon init DIRECTORY",
    cause,
  });
}

function blocked(path: string, cause: unknown): UsageError {
  return new UsageError(`Cannot write ${quote(path)} as a file is in the way of its directory`, { cause });
}
