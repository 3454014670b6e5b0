import assert from "node:assert/strict";
import { commandLine, hasOption, optionValue } from "../../src/cli/command_line.ts";
import { COMMON_OPTIONS } from "../../src/cli/command.ts";
import { PLUGIN_OPTIONS } from "../../src/cli/plugin_flags.ts";
import { UsageError } from "../../src/cli/usage_error.ts";

const OPTIONS = [...PLUGIN_OPTIONS, ...COMMON_OPTIONS];

Deno.test("commandLine() separates options, positionals and what follows --", () => {
  const line = commandLine([
    "--allow-read=a,b",
    "x.ts",
    "--memory",
    "1MiB",
    "y",
    "--json",
    "--",
    "--memory",
    "--",
  ], OPTIONS);
  assert.deepEqual(line.positionals, ["x.ts", "y"]);
  assert.deepEqual(line.rest, ["--memory", "--"]);
  assert.equal(optionValue(line, "memory"), "1MiB");
  assert.ok(hasOption(line, "json"));
  assert.ok(!hasOption(line, "gpu"));
});

Deno.test("commandLine() keeps every value of an option that is given twice", () => {
  const line = commandLine(["--allow-read=a", "--allow-read=b", "--allow-net"], OPTIONS);
  assert.deepEqual(line.values.get("allow-read"), ["a", "b"]);
  assert.deepEqual(line.values.get("allow-net"), [true]);
});

Deno.test("commandLine() never takes the next word as the value of an optional one", () => {
  const line = commandLine(["--allow-net", "script.ts"], OPTIONS);
  assert.deepEqual(line.positionals, ["script.ts"]);
});

Deno.test("commandLine() passes hostile words through as they are", () => {
  const line = commandLine(["-", "__proto__", "a=b", "--", "\u202e", ""], OPTIONS);
  assert.deepEqual(line.positionals, ["-", "__proto__", "a=b"]);
  assert.deepEqual(line.rest, ["\u202e", ""]);
});

const REFUSED: readonly (readonly [string[], string, string | undefined])[] = [
  [["--alow-read=x"], 'Cannot use "--alow-read": there is no such option', "Did you mean --allow-read?"],
  [
    ["--all"],
    'Cannot use "--all": there is no such option',
    "See --help for the options; options for the script itself go after --",
  ],
  [["--__proto__=x"], 'Cannot use "--__proto__": there is no such option', undefined],
  [["-x"], 'Cannot use "-x": there is no such option', undefined],
  [["--memory"], "Cannot use --memory without a value", "Write --memory=SIZE"],
  [["--memory="], "Cannot use --memory without a value", "Write --memory=SIZE"],
  [
    ["--allow-read="],
    "Cannot use --allow-read= with an empty value",
    "Leave the option out, or write --allow-read=PATHS",
  ],
  [["--json=yes"], 'Cannot take "yes" for --json as this option has no value', undefined],
];

for (const [args, message, hint] of REFUSED) {
  Deno.test(`commandLine() refuses ${args.join(" ")} and says why`, () => {
    assert.throws(() => commandLine(args, OPTIONS), (error) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.message, message);
      if (hint !== undefined) assert.equal(error.hint, hint);
      return true;
    });
  });
}
