/** Checks the lines that the broker advises to add, and what it learns. */

import assert from "node:assert/strict";
import { grantLine, suggestionFor } from "../../src/supervisor/grant_line.ts";
import { GrantLearner, grantText } from "../../src/supervisor/learned_grant.ts";

Deno.test("grantLine() names the key of the plugin's options, and unix sockets by path", () => {
  assert.equal(grantLine("write", '/a "b"'), 'permissions: { write: ["/a \\"b\\""] }');
  assert.equal(grantLine("net", "unix:/run/db.sock"), 'permissions: { unix: ["/run/db.sock"] }');
  assert.equal(grantLine("env", "A\u202eB"), 'permissions: { env: ["A\\u{202e}B"] }');
});

Deno.test("grantLine() has no line for what is never granted", () => {
  assert.deepEqual([
    grantLine("run", "sh"),
    grantLine("ffi", null),
    grantLine("import", "x"),
    grantLine("read", null),
  ], [null, null, null, null]);
});

Deno.test("suggestionFor() reads Deno's own messages", async () => {
  const code =
    'for (const f of [() => Deno.readTextFileSync("/etc/hostname"), () => Deno.hostname(), () => Deno.env.get("A")])' +
    "try { f() } catch (e) { console.log(e.message) }";
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", code],
    env: { NO_COLOR: "1" },
  })
    .output();
  assert.equal(new TextDecoder().decode(stdout), "", "eval has every permission: the control");
  const file = await Deno.makeTempFile({ suffix: ".js" });
  await Deno.writeTextFile(file, code);
  const denied = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-config", file],
    env: { NO_COLOR: "1" },
  }).output();
  await Deno.remove(file);
  assert.deepEqual(new TextDecoder().decode(denied.stdout).trim().split("\n").map(suggestionFor), [
    'permissions: { read: ["/etc/hostname"] }',
    'permissions: { sys: ["hostname"] }',
    'permissions: { env: ["A"] }',
  ]);
});

Deno.test("suggestionFor() has nothing to say about other messages", () => {
  const others = ["No such file", 'Requires run access to "sh", run again with the --allow-run flag', ""];
  assert.deepEqual(others.map(suggestionFor), [null, null, null]);
});

Deno.test("GrantLearner.grant() is the smallest grant that covers what was noted", () => {
  const learner = new GrantLearner();
  const asked = [
    ["read", "/data/b"],
    ["read", "/data/a"],
    ["read", "/data/a"],
    ["read", "/etc"],
    ["read", "/etc/hosts"],
    ["write", "/out"],
    ["read", "/out/x"],
    ["read", "/outside"],
    ["net", "api.test:443"],
    ["env", "HOME"],
    ["sys", "uid"],
    ["read", "/run/db.sock"],
    ["write", "/run/db.sock"],
    ["net", "unix:/run/db.sock"],
    ["run", "sh"],
    ["env", null],
  ] as const;
  for (const [permission, value] of asked) learner.note({ permission, value });
  const grant = learner.grant();
  assert.deepEqual(grant, {
    read: ["/data/a", "/data/b", "/etc", "/outside"],
    write: ["/out"],
    net: ["api.test:443"],
    env: ["HOME"],
    sys: ["uid"],
    unix: ["/run/db.sock"],
    refused: [{ permission: "run", value: "sh" }, { permission: "env", value: null }],
  });
  assert.equal(
    grantText(grant),
    [
      "permissions: {",
      '  read: ["/data/a", "/data/b", "/etc", "/outside"],',
      '  write: ["/out"],',
      '  net: ["api.test:443"],',
      '  env: ["HOME"],',
      '  sys: ["uid"],',
      '  unix: ["/run/db.sock"],',
      '  // refused: run "sh"',
      "  // refused: env (everything)",
      "}",
    ].join("\n"),
  );
});

Deno.test("GrantLearner.grant() of nothing is nothing", () => {
  assert.equal(grantText(new GrantLearner().grant()), "permissions: {}");
});
