import assert from "node:assert/strict";
import { PLUGIN_MODULE_SOURCE } from "../../src/bundle/embedded/plugin_module.ts";
import { pluginModuleText } from "../../tools/embed_plugin_module.ts";

Deno.test("the embedded plugin module is what src/guest/mod.ts bundles to: else run `deno task build`", async () => {
  const embedded = new URL("../../src/bundle/embedded/plugin_module.ts", import.meta.url);
  assert.ok(await Deno.readTextFile(embedded) === await pluginModuleText());
});

Deno.test("the embedded plugin module imports nothing, since it is bundled without its directory", () => {
  assert.doesNotMatch(PLUGIN_MODULE_SOURCE, /^import /m);
});
