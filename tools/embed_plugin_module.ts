/**
 * Bundles src/guest/mod.ts, which plugins import as "@cordon/cordon/plugin", into the bundler.
 *
 * @module
 */

import { runEsbuild } from "../src/bundle/esbuild_service.ts";
import { embeddedText } from "./embedded_text.ts";

const ENTRY = new URL("../src/guest/mod.ts", import.meta.url);
const OUTPUT = new URL("../src/bundle/embedded/plugin_module.ts", import.meta.url);

/**
 * Renders the generated module.
 *
 * @returns Text of src/bundle/embedded/plugin_module.ts.
 * @throws {Error} If it cannot be bundled.
 */
export async function pluginModuleText(): Promise<string> {
  const { outputFiles } = await runEsbuild({
    entryPoints: [decodeURIComponent(ENTRY.pathname)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    keepNames: false,
    legalComments: "none",
  });
  return embeddedText(
    "PLUGIN_MODULE_SOURCE",
    `The module that plugins import as "@cordon/cordon/plugin".`,
    outputFiles[0]!.text,
  );
}

/** Brings the generated module up to date. */
export async function embedPluginModule(): Promise<void> {
  await Deno.writeTextFile(OUTPUT, await pluginModuleText());
}

if (import.meta.main) await embedPluginModule();
