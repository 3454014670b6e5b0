/** Checks that Deno's flags, the permission broker and the egress proxy read one policy alike. */

import assert from "node:assert/strict";
import { allowList } from "../../src/network/allow_list.ts";
import { parseTarget } from "../../src/network/target.ts";
import { ruleAnswer } from "../../src/supervisor/broker_rules.ts";
import type { PermissionKind } from "../../src/supervisor/broker_types.ts";
import { brokerOptions } from "./broker_harness.ts";

const GRANTS = {
  read: ["/data", "/srv/in.txt"],
  write: ["/srv/out"],
  net: ["api.test:443", "api.test:80", "*.wild.test:443", "10.0.0.1:5432", "[::1]:80"],
  env: ["HOME"],
  sys: ["hostname"],
} as const;

const ASKED: Readonly<Record<string, readonly string[]>> = {
  read: [
    "/data",
    "/data/a/b",
    "/data2",
    "/",
    "/srv/in.txt",
    "/srv/in.txt2",
    "/srv",
    "/srv/out/x",
    "/etc/passwd",
  ],
  write: ["/srv/out", "/srv/out/x", "/srv/outer", "/data/x", "/"],
  net: [
    "api.test:443",
    "api.test:80",
    "api.test:22",
    "test:443",
    "xapi.test:443",
    "a.wild.test:443",
    "a.b.wild.test:443",
    "a.wild.test:80",
    "evilwild.test:443",
    "10.0.0.1:5432",
    "10.0.0.1:80",
    "10.0.0.2:5432",
    "[::1]:80",
    "[::1]:81",
  ],
  env: ["HOME", "PATH"],
  sys: ["hostname", "osRelease", "uid"],
};

Deno.test("the broker allows exactly what Deno's flags for the same policy allow", async () => {
  const flags = await flagsAllow();
  const { directory, policy, paths } = await brokerOptions({ grants: GRANTS });
  await Deno.remove(directory, { recursive: true });
  const broker = questions().map(([permission, value]) =>
    ruleAnswer({ permission, value }, { policy, paths, isLockedDown: true }).outcome === "allow"
  );
  assert.deepEqual(named(broker), named(flags));
  assert.ok(flags.includes(true) && flags.includes(false), "the control: the table has both");
});

Deno.test("the proxy allows exactly the targets that Deno's flags for the same policy allow", async () => {
  const flags = named(await flagsAllow());
  const list = allowList(GRANTS.net);
  for (const text of ASKED["net"]!) {
    const target = parseTarget(text);
    assert.ok(target !== null, text);
    assert.equal(list.lists(target), flags[`net ${text}`], text);
  }
});

Deno.test("a wildcard's own name is allowed by Deno's flags only, and neither by the broker nor by the proxy", async () => {
  const { directory, policy, paths } = await brokerOptions({ grants: GRANTS });
  await Deno.remove(directory, { recursive: true });
  assert.deepEqual(await statesOf([["net", "wild.test:443"]]), [true]);
  const question = { permission: "net", value: "wild.test:443" } as const;
  assert.equal(ruleAnswer(question, { policy, paths, isLockedDown: true }).outcome, "ask");
  assert.equal(allowList(GRANTS.net).lists(parseTarget("wild.test:443")!), false);
});

function questions(): [PermissionKind, string][] {
  return Object.entries(ASKED).flatMap(([kind, values]) =>
    values.map((value): [PermissionKind, string] => [kind as PermissionKind, value])
  );
}

function named(answers: readonly boolean[]): Record<string, boolean> {
  return Object.fromEntries(questions().map((question, at) => [question.join(" "), answers[at]!]));
}

async function flagsAllow(): Promise<boolean[]> {
  return await statesOf(questions());
}

/** What a Deno with the flags of `GRANTS` says to each question. */
async function statesOf(asked: readonly (readonly [string, string])[]): Promise<boolean[]> {
  const script = await Deno.makeTempFile({ suffix: ".js" });
  await Deno.writeTextFile(
    script,
    `const key = { read: "path", write: "path", net: "host", env: "variable", sys: "kind" };
    console.log(JSON.stringify(JSON.parse(Deno.args[0]).map(([name, value]) =>
      Deno.permissions.querySync({ name, [key[name]]: value }).state === "granted")));`,
  );
  const flags = Object.entries(GRANTS).map(([kind, values]) =>
    // As the launcher does: variables that were not granted are not there.
    kind === "env" ? "--allow-env" : `--allow-${kind}=${values.join(",")}`
  );
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-config", ...flags, script, JSON.stringify(asked)],
    env: { NO_COLOR: "1" },
  }).output();
  await Deno.remove(script);
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout)) as boolean[];
}
