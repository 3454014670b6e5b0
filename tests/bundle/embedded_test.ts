import assert from "node:assert/strict";
import { PLUGIN_MODULE_SOURCE } from "../../src/bundle/embedded/plugin_module.ts";
import { pluginModuleText } from "../../tools/embed_plugin_module.ts";

const read = (path: string) => Deno.readTextFile(new URL(path, import.meta.url));

Deno.test("PLUGIN_MODULE_SOURCE is the text of src/guest/mod.ts (else: deno run -A tools/embed_plugin_module.ts)", async () => {
  const source = await read("../../src/guest/mod.ts");
  assert.equal(await read("../../src/bundle/embedded/plugin_module.ts"), pluginModuleText(source));
  assert.equal(PLUGIN_MODULE_SOURCE, source);
});

Deno.test("PLUGIN_MODULE_SOURCE imports nothing, since it is bundled without its directory", () => {
  const imports = PLUGIN_MODULE_SOURCE.split("\n").filter((line) =>
    /^(import|export)\b.*\bfrom "/.test(line)
  );
  assert.deepEqual(imports.filter((line) => !/^(import|export) type\b/.test(line)), []);
});
