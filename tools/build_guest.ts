/** Bundles what runs inside a sandbox into one generated module, so that no file of the package is needed there. */

import { runEsbuild } from "../src/bundle/esbuild_service.ts";
import { embeddedText } from "./embedded_text.ts";

const ROOT = new URL("../", import.meta.url);
const ENTRY = new URL("src/guest/main.ts", ROOT);
const OUTPUT = new URL("src/supervisor/embedded/guest.ts", ROOT);
const CUDA_ENTRY = new URL("src/guest/cuda_main.ts", ROOT);
const CUDA_OUTPUT = new URL("src/supervisor/embedded/guest_cuda.ts", ROOT);

/**
 * The source text of the generated module.
 *
 * @returns TypeScript that exports `guestScript`.
 * @throws {Error} If the guest cannot be bundled.
 */
export async function guestModule(): Promise<string> {
  return embeddedText(
    "guestScript",
    "The guest: what runs inside every sandbox.",
    evaluated(await bundledGuest()),
  );
}

/**
 * The source text of the generated module for guests with a GPU.
 *
 * @returns TypeScript that exports `guestCudaScript`.
 */
export async function guestCudaModule(): Promise<string> {
  const { outputFiles } = await runEsbuild({
    entryPoints: [decodeURIComponent(CUDA_ENTRY.pathname)],
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    globalName: "cordonCuda",
    platform: "neutral",
    target: "esnext",
    legalComments: "none",
  });
  const script = `(()=>{${outputFiles[0]!.text};return cordonCuda.openGuestCuda})()`;
  return embeddedText(
    "guestCudaScript",
    "What a guest with a GPU evaluates besides; its value makes what `cuda()` gives.",
    `${script}\n//# sourceURL=cordon:guest-cuda`,
  );
}

/**
 * A module that evaluates a classic script. The runtime analyses a module's syntax tree before it runs it, and has no
 * cache for that in a sandbox: that took 12 ms of each start, a string literal takes none.
 */
function evaluated(script: string): string {
  return `(0, eval)(${JSON.stringify(`${script}\n//# sourceURL=cordon:guest`)});\n`;
}

/** The guest and all that it imports as one classic script. */
async function bundledGuest(): Promise<string> {
  const result = await runEsbuild({
    entryPoints: [decodeURIComponent(ENTRY.pathname)],
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    platform: "neutral",
    target: "esnext",
    external: ["node:*"],
    legalComments: "none",
  });
  return result.outputFiles[0]!.text;
}

if (import.meta.main) {
  await Deno.mkdir(new URL("./", OUTPUT), { recursive: true });
  await Deno.writeTextFile(OUTPUT, await guestModule());
  await Deno.writeTextFile(CUDA_OUTPUT, await guestCudaModule());
}
