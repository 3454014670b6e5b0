import { deepEqual, ok } from "node:assert/strict";
import { runConfig } from "../../src/config/mod.ts";
import { assertConfigError } from "./assert_config_error.ts";

Deno.test("runConfig() tells the options of a run from those of a load", () => {
  deepEqual(runConfig({ args: ["a", "a"], name: "b", forwardSignals: ["SIGTERM"] }), {
    run: { args: ["a", "a"], forwardSignals: ["SIGTERM"] },
    load: { name: "b" },
  });
  const { run, load } = runConfig(undefined);
  deepEqual([run, load], [{ args: [], forwardSignals: [] }, {}]);
  ok(Object.isFrozen(run) && Object.isFrozen(run.args));
});

const refused: readonly (readonly [unknown, string, string])[] = [
  [{ args: "a" }, "args", 'Cannot use "args" as a list of arguments: it is "a"'],
  [{ args: ["a", 5] }, "args[1]", 'Cannot use "args[1]" as an argument: it is 5'],
  [{ args: ["a\0b"] }, "args[0]", 'Cannot use "args[0]" as an argument: it is "a\\u0000b"'],
  [
    { forwardSignals: ["SIGFOO"] },
    "forwardSignals[0]",
    'Cannot use "forwardSignals[0]" as the name of a signal that can be caught: it is "SIGFOO"',
  ],
  [
    { forwardSignals: ["SIGKILL"] },
    "forwardSignals[0]",
    'Cannot use "forwardSignals[0]" as the name of a signal that can be caught: it is "SIGKILL"',
  ],
  [null, "options", 'Cannot use "options" as an object of options: it is null'],
];

for (const [options, path, message] of refused) {
  Deno.test(`runConfig() refuses: ${message}`, () => {
    assertConfigError(() => runConfig(options), { path, message });
  });
}
