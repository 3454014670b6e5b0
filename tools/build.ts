/** Rebuilds every generated file from its source: `deno task build`. The C parts need the compilers of CONTRIBUTING.md. */

import { embedPluginModule } from "./embed_plugin_module.ts";

/** In this order: a later one may embed what an earlier one made. */
const TOOLS = ["build_ffi.ts", "build_exec.ts", "build_syscall_tables.ts", "build_guest.ts"];

await embedPluginModule();
for (const tool of ["build_guest.ts", "build_ffi.ts", "build_exec.ts", "build_launcher.ts"]) {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", decodeURIComponent(new URL(tool, import.meta.url).pathname)],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (code !== 0) Deno.exit(code);
}
