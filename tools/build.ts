/** Rebuilds every generated file from its source: `deno task build`. The C parts need the compilers of CONTRIBUTING.md. */

import { embedPluginModule } from "./embed_plugin_module.ts";
import { embedTemplate } from "./embed_template.ts";

/** In this order: a later one may embed what an earlier one made. */
const TOOLS = [
  "build_guest.ts",
  "build_ffi.ts",
  "build_exec.ts",
  "build_launcher.ts",
  "build_syscall_tables.ts",
];

await embedPluginModule();
await embedTemplate();
for (const tool of TOOLS) {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", decodeURIComponent(new URL(tool, import.meta.url).pathname)],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (code !== 0) Deno.exit(code);
}
