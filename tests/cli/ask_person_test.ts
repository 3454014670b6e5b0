import assert from "node:assert/strict";
import { askPerson } from "../../src/cli/ask_person.ts";
import { openOutput } from "../../src/cli/output.ts";
import { UsageError } from "../../src/cli/usage_error.ts";
import { cordon, fixture } from "./cordon.ts";

const REQUEST = {
  plugin: "script",
  permission: "read",
  value: "/srv/x",
  suggestion: 'permissions: { read: ["/srv/x"] }',
} as const;

async function asked(typed: string | null): Promise<{ readonly answer: unknown; readonly shown: string }> {
  let shown = "";
  const stderr = {
    isTerminal: () => false,
    writeSync: (bytes: Uint8Array) => (shown += new TextDecoder().decode(bytes), bytes.length),
  };
  const answers = {
    isTerminal: () => true,
    read: (into: Uint8Array) =>
      Promise.resolve(typed === null ? null : new TextEncoder().encodeInto(typed, into).written),
  };
  const answer = await askPerson(openOutput({ isJson: false, stderr }), answers)(REQUEST);
  return { answer, shown };
}

Deno.test("askPerson() allows what is clearly a yes, and nothing else", async () => {
  for (const typed of ["y\n", "Y\r\n", "yes\n"]) assert.equal((await asked(typed)).answer, "allow", typed);
  for (const typed of ["\n", "n\n", "yy\n", "y n\n", "allow\n", "", null]) {
    assert.equal((await asked(typed)).answer, "deny", String(typed));
  }
});

Deno.test("askPerson() shows who wants what, and the line that would grant it for good", async () => {
  const { shown } = await asked("n\n");
  assert.match(
    shown,
    /^script wants read \/srv\/x {2}\(permissions: \{ read: \["\/srv\/x"\] \}\)\nAllow it\?/,
  );
});

Deno.test("askPerson() refuses when nobody is there to answer", () => {
  const answers = { isTerminal: () => false, read: () => Promise.resolve(null) };
  assert.throws(() => askPerson(openOutput({ isJson: false }), answers), UsageError);
});

Deno.test("cordon run --ask exits 64 without a terminal, before anything ran", async () => {
  const { code, out, err } = await cordon(["run", "--ask", fixture("echo.ts")]);
  assert.deepEqual([code, out], [64, ""], err);
  assert.match(err, /standard input is no terminal/);
});
