/** Checks what a policy alone says to the questions of a plugin's runtime. */

import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { PermissionKind } from "../../src/supervisor/broker_types.ts";
import { resolvedPath, ruleAnswer, type RuleContext } from "../../src/supervisor/broker_rules.ts";

const CONTEXT: RuleContext = {
  policy: {
    plugin: "a",
    tier: "full",
    workingDirectory: "/srv/app",
    runAs: null,
    network: { kind: "proxy", allow: ["api.test:443"] },
    deno: {
      read: ["/data", "/srv/app/in"],
      write: ["/srv/app/out"],
      net: ["api.test:443", "*.wild.test:443", "10.0.0.1", "unix:/run/db.sock"],
      env: ["HOME"],
      sys: ["hostname"],
    },
  },
  paths: {
    plugin: "/app/plugin",
    proxy: "/run/cordon/net.sock",
    socket: "/run/cordon/rpc.sock",
    boot: "/run/cordon/boot.json",
    library: "/app/libcordon.so",
  },
  isLockedDown: true,
};

function outcomes(
  permission: PermissionKind,
  values: readonly (string | null)[],
  context = CONTEXT,
): string[] {
  return values.map((value) => {
    const answer = ruleAnswer({ permission, value }, context);
    return answer.outcome === "allow" ? answer.by : answer.outcome;
  });
}

Deno.test("ruleAnswer() grants paths at and below the grant, relative ones from the start directory", () => {
  assert.deepEqual(
    outcomes("read", ["/data", "/data/x/y", "//data//./x", "in/x", "./in", "../app/in/x"]),
    Array(6).fill("policy"),
  );
  assert.deepEqual(outcomes("write", ["out/x", "/srv/app/out"]), ["policy", "policy"]);
});

Deno.test("ruleAnswer() asks about paths outside the grant, and about all of them at once", () => {
  assert.deepEqual(outcomes("read", ["/", "/dat", "/database", "in2", "..", null]), Array(6).fill("ask"));
  assert.deepEqual(outcomes("write", ["/data/x", "in/x", null]), Array(3).fill("ask"));
});

Deno.test("ruleAnswer() denies paths that can mean another file than they seem to", () => {
  assert.deepEqual(
    outcomes("read", ["/data/link/../x", "in/../in/x", "/data/..", "/data/x\0", ""]),
    Array(5).fill("deny"),
  );
});

Deno.test("ruleAnswer() denies what belongs to the guest, whoever would be asked", () => {
  assert.deepEqual(
    outcomes("read", [
      "/run/cordon/boot.json",
      "/run/cordon/rpc.sock",
      "/run/cordon",
      "../../run/cordon/boot.json",
    ]),
    Array(4).fill("deny"),
  );
  assert.deepEqual(outcomes("write", ["/run/cordon/boot.json", "/run/cordon/new"]), Array(2).fill("deny"));
  assert.deepEqual(outcomes("net", ["unix:/run/cordon/rpc.sock", "unix:/run/cordon/broker.sock"]), [
    "deny",
    "deny",
  ]);
  assert.deepEqual(outcomes("read", ["/run/cordon2"]), ["ask"]);
});

Deno.test("ruleAnswer() compares hosts, ports, wildcards and sockets", () => {
  const granted = [
    "api.test:443",
    "a.wild.test:443",
    "a.b.wild.test:443",
    "10.0.0.1:5432",
    "unix:/run/db.sock",
  ];
  assert.deepEqual(outcomes("net", granted), Array(5).fill("policy"));
  const others = [
    "api.test:80",
    "xapi.test:443",
    "wild.test:443",
    "a.wild.test:80",
    "notwild.test:443",
    "10.0.0.2:1",
    "unix:/run/db.sock2",
    "unix:/run/other",
    "[::1].wild.test:443",
    null,
  ];
  assert.deepEqual(outcomes("net", others), Array(10).fill("ask"));
});

Deno.test("ruleAnswer() grants every variable, as the process has only granted ones", () => {
  assert.deepEqual(outcomes("env", ["HOME", "SECRET", null]), ["policy", "policy", "policy"]);
});

Deno.test("ruleAnswer() grants system facts by their exact name", () => {
  assert.deepEqual(outcomes("sys", ["hostname", "uid", null]), ["policy", "ask", "ask"]);
});

Deno.test("ruleAnswer() always denies programs, native code and imports once the guest is locked down", () => {
  assert.deepEqual(outcomes("run", ["sh", null]), ["deny", "deny"]);
  assert.deepEqual(outcomes("ffi", ["/app/libcordon.so", "/lib/x.so", null]), ["deny", "deny", "deny"]);
  assert.deepEqual(outcomes("import", ["jsr.io:443", null]), ["deny", "deny"]);
});

Deno.test("ruleAnswer() gives the guest its library, settings and socket for its start only, and never asks then", () => {
  const starting = { ...CONTEXT, isLockedDown: false };
  assert.deepEqual(outcomes("ffi", ["/app/libcordon.so", null, "/lib/x.so"], starting), [
    "runtime",
    "runtime",
    "deny",
  ]);
  const own = ["/run/cordon/boot.json", "/run/cordon/rpc.sock"];
  assert.deepEqual(outcomes("read", own, starting), ["runtime", "runtime"]);
  assert.deepEqual(outcomes("read", own), ["deny", "deny"]);
  assert.deepEqual(outcomes("net", ["unix:/run/cordon/rpc.sock"], starting), ["runtime"]);
  assert.deepEqual(outcomes("net", ["unix:/run/cordon/rpc.sock"]), ["deny"]);
  assert.deepEqual(outcomes("read", ["/etc/passwd"], starting), ["deny"]);
  assert.deepEqual(outcomes("sys", ["osRelease"], starting), ["deny"]);
});

Deno.test("ruleAnswer() lets a plugin read its bundle, and reach the proxy if it has one", () => {
  assert.deepEqual(outcomes("read", ["/app/plugin/main.js", "/run/cordon/net.sock"]), ["runtime", "runtime"]);
  assert.deepEqual(outcomes("net", ["127.0.0.1:1080", "unix:/run/cordon/net.sock"]), ["runtime", "runtime"]);
  assert.deepEqual(outcomes("net", ["127.0.0.1:1080.evil.test:80", "127.0.0.11:1080"]), ["ask", "ask"]);
  const alone = { ...CONTEXT, policy: { ...CONTEXT.policy, network: { kind: "none" } as const } };
  assert.deepEqual(outcomes("net", ["127.0.0.1:1080", "unix:/run/cordon/net.sock"], alone), ["ask", "deny"]);
  assert.deepEqual(outcomes("write", ["/app/plugin/main.js"]), ["ask"]);
});

Deno.test("resolvedPath() never leaves a grant that it says a path is in, unless a link does", () => {
  const part = fc.constantFrom("..", ".", "in", "x", "", "out");
  fc.assert(fc.property(fc.array(part, { maxLength: 6 }), fc.boolean(), (parts, isAbsolute) => {
    const path = `${isAbsolute ? "/" : ""}${parts.join("/")}`;
    const resolved = resolvedPath(path, CONTEXT);
    if (resolved === null) return;
    // The kernel's reading, for a tree without links, is the URL's.
    const single = path.replace(/\/+/g, "/");
    const kernel = new URL(single.startsWith("/") ? single : `./${single}`, "file:///srv/app/").pathname;
    assert.equal(resolved.replace(/\/$/, ""), kernel.replace(/\/$/, ""));
  }));
});
