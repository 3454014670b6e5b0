/** Directories that cannot be used. */

import assert from "node:assert/strict";
import { ConfigError, createHost, type HostOptions } from "../../mod.ts";

for (const path of ["/proc/cordon", "/dev/null/cordon"]) {
  for (const key of ["runtimeDirectory", "cacheDirectory"] as const) {
    Deno.test(`createHost() names the option when its ${key} cannot be made at ${path}`, async () => {
      const options: HostOptions = { [key]: path };
      const error = await createHost(options).then(
        () => assert.fail("it was made"),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof ConfigError, String(error));
      assert.equal(error.path, key);
      assert.ok(error.message.startsWith(`Cannot use "${path}" as the `), error.message);
      assert.match(error.hint ?? "", new RegExp(key));
    });
  }
}
