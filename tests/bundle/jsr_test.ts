/** Packages of JSR: from a registry on loopback that serves them as JSR does. */

import assert from "node:assert/strict";
import { BundleError } from "../../src/errors.ts";
import { createHost } from "../../mod.ts";
import { sandboxSkip } from "../cli/cordon.ts";
import { jsrRegistry } from "../testing/jsr_registry.ts";
import { TestProject } from "./project.ts";

const skip = await sandboxSkip();

const FILES: Readonly<Record<string, string>> = {
  "/mod.ts": `import { twice } from "./twice.ts";\nexport const four: number = twice(2);\n`,
  "/twice.ts": `export function twice(n: number): number {\n  return n * 2;\n}\n`,
  "/sub.ts": `import ms from "npm:ms@2.1.3";\nexport const second: number = ms("1s");\n`,
};

/** Serves `@cordon-test/numbers`, and has this process look there for JSR. */
function registry(isTampered = false): AsyncDisposable {
  const served = jsrRegistry({
    name: "@cordon-test/numbers",
    version: "1.2.0",
    exports: { ".": "./mod.ts", "./sub": "./sub.ts" },
    files: FILES,
    isTampered,
  });
  const before = Deno.env.get("JSR_URL");
  Deno.env.set("JSR_URL", served.url);
  return {
    async [Symbol.asyncDispose]() {
      if (before === undefined) Deno.env.delete("JSR_URL");
      else Deno.env.set("JSR_URL", before);
      await served[Symbol.asyncDispose]();
    },
  };
}

const PLUGIN = {
  "deno.json": { imports: { "numbers": "jsr:@cordon-test/numbers@^1" } },
  "main.ts": `import { four } from "numbers"; import { second } from "numbers/sub";
export const values = (): number[] => [four, second];`,
};

for (const bundle of [true, false]) {
  Deno.test({
    name: `a plugin uses packages of JSR, their subpaths and what they import from npm${
      bundle ? "" : ", unbundled"
    }${skip}`,
    ignore: skip !== "",
    async fn() {
      await using _registry = registry();
      await using project = await TestProject.create(PLUGIN);
      await using host = await createHost();
      await using plugin = await host.load<{ values(): number[] }>(project.path("main.ts"), { bundle });
      assert.deepEqual(await plugin.api.values(), [4, 1000]);
    },
  });
}

Deno.test("a package of JSR whose files do not have their checksums is refused", async () => {
  await using _registry = registry(true);
  await using project = await TestProject.create(PLUGIN);
  const error = await project.bundle("main.ts").then(() => undefined, (reason) => reason);
  assert.ok(error instanceof BundleError, String(error));
  assert.match(error.message, /[Ii]ntegrity|[Cc]hecksum/);
});
