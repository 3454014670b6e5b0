import assert from "node:assert/strict";
import { version } from "../../src/cli/version.ts";
import { cordon } from "./cordon.ts";

Deno.test("version() is that of the package", async () => {
  assert.equal(version(), JSON.parse(await Deno.readTextFile("deno.json")).version);
});

Deno.test("cordon --version prints the version of the package", async () => {
  assert.deepEqual(await cordon(["--version"]), { code: 0, out: `${version()}\n`, err: "" });
});

Deno.test("cordon prints its help on standard error and exits 64 when there is nothing to do", async () => {
  const { code, out, err } = await cordon([]);
  assert.deepEqual([code, out], [64, ""]);
  assert.match(err, /^Run code that you do not fully trust/);
});

Deno.test("cordon --help names every command with an example", async () => {
  const { code, out } = await cordon(["--help"]);
  assert.equal(code, 0);
  for (const name of ["run", "learn", "call", "doctor", "explain", "compile"]) {
    assert.match(out, new RegExp(`^  cordon ${name}\\b`, "m"));
  }
  assert.equal(out, (await cordon(["help"])).out);
});

for (const name of ["run", "learn", "call", "doctor", "explain", "compile"]) {
  Deno.test(`cordon ${name} --help shows options and examples, also when the line is wrong`, async () => {
    const { code, out } = await cordon([name, "--nonsense", "--help"]);
    assert.equal(code, 0);
    assert.match(out, new RegExp(`Usage: cordon ${name} `));
    assert.match(out, /Examples:\n {2}cordon /);
    assert.match(out, /--json/);
  });
}

const REFUSED: readonly (readonly [number, string[], RegExp])[] = [
  [64, ["rum"], /error: Cannot use "rum": there is no such command\nhint: Did you mean "run"\?/],
  [64, ["--verson"], /there is no such option/],
  [64, ["run"], /error: Cannot run nothing: no module was named/],
  [64, ["run", "--alow-net", "x.ts"], /hint: Did you mean --allow-net\?/],
  [64, ["call", "deno.json"], /without the name of an export/],
  [64, ["call", "deno.json", "f", "{"], /error: Cannot read the argument "{" as it is not JSON/],
  [64, ["call", "deno.json", "f", "word"], /hint: For a string write '"word"'/],
  [64, ["doctor", "patient"], /doctor takes no arguments/],
  [66, ["run", "no_such_file.ts"], /error: Cannot run "no_such_file.ts": there is no such file/],
  [66, ["run", "src"], /error: Cannot run "src" as it is not a file/],
  [64, ["compile", "deno.json"], /hint: Write --output=FILE/],
  [64, ["compile", "-o", "app", "https://example.com/host.ts"], /Cannot compile a remote program/],
  [64, ["compile", "-o", "app", "mod.ts", "deno.json"], /Cannot use "deno.json": compile takes one argument/],
  [64, ["compile", "-o", "src", "mod.ts"], /Cannot write ".*\/src": it is a directory/],
  [64, ["compile", "-o", "mod.ts/app", "mod.ts"], /Cannot write ".*\/mod.ts\/app": /],
  [64, ["explain", "mod.ts", "surplus"], /Cannot use "surplus": explain takes one argument/],
  [64, ["doctor", "--", "patient"], /Cannot use "patient": doctor takes no arguments/],
  [66, ["compile", "-o", "app", "no_such_file.ts"], /there is no such file/],
  [66, ["explain", "no_such_file.ts"], /there is no such file/],
];

for (const [code, args, expected] of REFUSED) {
  Deno.test(`cordon ${args.join(" ")} exits ${code} and says why`, async () => {
    const ended = await cordon(args);
    assert.deepEqual([ended.code, ended.out], [code, ""], ended.err);
    assert.match(ended.err, expected);
  });
}

Deno.test("cordon prints errors as JSON with --json", async () => {
  const { code, out, err } = await cordon(["run", "no_such_file.ts", "--json"]);
  assert.deepEqual([code, out], [66, ""]);
  assert.equal(JSON.parse(err).error.name, "NoInputError");
});
