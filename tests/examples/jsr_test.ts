import assert from "node:assert/strict";
import { createHost } from "../../mod.ts";
import { REPOSITORY, runDeno } from "./run.ts";

const { code: cached } = await runDeno(
  ["cache", "--no-lock", "--no-config", "jsr:@std/assert@1"],
  REPOSITORY,
);
const ignore = cached !== 0;
const skipped = ignore ? " [skipped: JSR cannot be reached]" : "";

/** Repeated here, since the example's own types need JSR. */
interface Messages {
  pack(value: unknown): Uint8Array;
  unpack(bytes: Uint8Array): unknown;
}

Deno.test({
  name: `examples/jsr/ uses @std/msgpack inside a sandbox${skipped}`,
  ignore,
  fn: async () => {
    await using host = await createHost();
    await using plugin = await host.load<Messages>(new URL("examples/jsr/messages.ts", REPOSITORY));
    const value = { name: "Ada", numbers: [1, 2.5, -3] };
    assert.deepEqual(await plugin.api.unpack(await plugin.api.pack(value)), value);
  },
});

Deno.test({
  name: `examples/jsr/ parses arguments with @std/cli inside a sandbox${skipped}`,
  ignore,
  fn: async () => {
    const { code, stdout, stderr } = await runDeno(
      ["run", "-A", "src/cli/main.ts", "run", "examples/jsr/arguments.ts", "--", "--times", "2", "Ada"],
      REPOSITORY,
    );
    assert.deepEqual([code, stdout], [0, "Hello, Ada!\nHello, Ada!\n"], stderr);
  },
});
