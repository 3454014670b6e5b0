import assert from "node:assert/strict";
import { REPOSITORY, runDeno } from "./run.ts";

/** What people are told to type, as a shell would pass it, and what comes out. */
const COMMANDS: readonly (readonly [args: readonly string[], stdout: string | RegExp])[] = [
  [["run", "examples/hello.ts", "--", "Ada", "Grace"], "Hello, Ada!\nHello, Grace!\n"],
  [["call", "examples/hello.ts", "greet", '"Ada"'], "Hello, Ada!\n"],
  [["run", "examples/hello.ts", "--", "a", "b", "c"], "Hello, a!\nHello, b!\nHello, c!\n"],
  [["call", "examples/resize.ts", "run", "[1,2,3]", "--json"], "[1,3]\n"],
  [["call", "examples/resize.ts", "run", "[0, 100, 200, 100]", "2", "--json"], "[100]\n"],
  [["call", "examples/resize.ts", "rows", "--json"], "[50,90]\n"],
  [["explain", "examples/resize.ts"], /--unshare-all|--unshare-user/],
  [["run", "examples/hostile.ts"], /^(refused {2}[^\n]+\n){18}$/],
];

for (const [args, expected] of COMMANDS) {
  Deno.test(`deno task cordon ${args.join(" ")} prints what is promised`, async () => {
    const { code, stdout, stderr } = await runDeno(["task", "cordon", ...args], REPOSITORY);
    assert.equal(code, 0, stderr);
    if (typeof expected === "string") assert.equal(stdout, expected);
    else assert.match(stdout, expected);
  });
}

Deno.test("the hosts of examples/ print their stories", async () => {
  const versions = await runDeno(["run", "-A", "examples/conflicting_versions/host.ts"], REPOSITORY);
  assert.match(
    versions.stdout,
    /^marked 4 says:\n<h1 id="one-text">One text<\/h1>[^]*marked 15 says:\n<h1>One text<\/h1>/,
  );
  const services = await runDeno(["run", "-A", "examples/services/host.ts"], REPOSITORY);
  assert.match(services.stdout, /^stored 3 notes through the service\nfound green tea, black tea\n/);
});
