/** Checks the permission broker over its socket, and under a real Deno. */

import assert from "node:assert/strict";
import { ProtocolError, SandboxUnavailableError } from "../../src/errors.ts";
import { startPermissionBroker } from "../../src/supervisor/broker.ts";
import type {
  PermissionAnswer,
  PermissionAudit,
  PermissionRequest,
} from "../../src/supervisor/broker_types.ts";
import type { Clock } from "../../src/util/clock.ts";
import { until } from "../rpc/until.ts";
import { brokerHarness, brokerOptions, linesOf } from "./broker_harness.ts";

Deno.test("startPermissionBroker() allows what the policy grants and denies the rest, with the line to add", async () => {
  await using h = await brokerHarness({ grants: { read: ["/data"] } });
  assert.equal(await h.ask("read", "/data/x"), null);
  assert.equal(
    await h.ask("read", "/etc/passwd"),
    'Cannot read "/etc/passwd" as the plugin may not: it is not in the plugin\'s grant. ' +
      'Add permissions: { read: ["/etc/passwd"] }',
  );
  assert.equal(
    await h.ask("sys", null),
    "Cannot ask the system for everything as the plugin may not: it is not in the plugin's grant",
  );
  assert.equal(
    await h.ask("run", "sh"),
    'Cannot start "sh" as the plugin may not: a plugin never starts programs',
  );
});

Deno.test("startPermissionBroker() keeps an audit with outcome, decider and reason", async () => {
  await using h = await brokerHarness({ grants: { read: ["/data"] }, clock: fixedClock(5) });
  await h.ask("read", "/data/x");
  await h.ask("run", null);
  const plugin = "resize";
  assert.deepEqual(h.audit, [
    {
      at: 5,
      plugin,
      permission: "read",
      value: "/data/x",
      outcome: "allow",
      by: "policy",
      reason: "it is granted",
      count: 1,
    },
    {
      at: 5,
      plugin,
      permission: "run",
      value: null,
      outcome: "deny",
      by: "rule",
      reason: "a plugin never starts programs",
      count: 1,
    },
  ]);
});

Deno.test("startPermissionBroker() reports equal decisions the 1st, 10th and 100th time", async () => {
  await using h = await brokerHarness();
  for (let n = 0; n < 100; n++) await h.ask("read", "/x");
  assert.deepEqual(h.audit.map(({ count }) => count), [1, 10, 100]);
});

Deno.test("startPermissionBroker() asks the callback once for the same thing and remembers both answers", async () => {
  const asked: PermissionRequest[] = [];
  const answers: Record<string, PermissionAnswer> = {
    "/a": "allow",
    "/b": "deny",
    "/c": { reason: "closed on Fridays" },
  };
  await using h = await brokerHarness({
    onPermission: (request) => {
      asked.push(request);
      return answers[request.value ?? ""] ?? "deny";
    },
  });
  for (let n = 0; n < 2; n++) {
    assert.equal(await h.ask("read", "/a"), null);
    assert.match(await h.ask("read", "/b") ?? "", /: the host denied it\. Add permissions/);
    assert.match(await h.ask("read", "/c") ?? "", /: closed on Fridays\. Add permissions/);
  }
  assert.deepEqual(asked.map(({ value }) => value), ["/a", "/b", "/c"]);
  assert.deepEqual(asked[0], {
    plugin: "resize",
    permission: "read",
    value: "/a",
    suggestion: 'permissions: { read: ["/a"] }',
  });
});

Deno.test("startPermissionBroker() never asks about programs, native code and imports", async () => {
  await using h = await brokerHarness({ onPermission: () => "allow" });
  for (
    const [permission, value] of [["run", "sh"], ["ffi", null], ["ffi", "/lib/x.so"], [
      "import",
      "a.test:443",
    ]] as const
  ) {
    assert.match(await h.ask(permission, value) ?? "", /^Cannot /, permission);
  }
  assert.deepEqual(h.audit.map(({ by }) => by), ["rule", "rule", "rule", "rule"]);
  assert.equal(await h.ask("sys", "uid"), null, "the control: the callback would have allowed");
});

Deno.test("startPermissionBroker() escapes what a person is shown, and tells values apart that look alike", async () => {
  const shown: (string | null)[] = [];
  await using h = await brokerHarness({
    onPermission: ({ value }) => {
      shown.push(value);
      return shown.length === 1 ? "allow" : "deny";
    },
  });
  assert.equal(await h.ask("read", "/x\u202e\x1b[2J\r\n"), null);
  assert.deepEqual(shown, ["/x\\u{202e}\\u{1b}[2J\\u{d}\\u{a}"]);
  const other = await h.ask("read", "/x\\u{202e}\\u{1b}[2J\\u{d}\\u{a}");
  assert.match(
    other ?? "",
    /the host denied it/,
    "an answer for one value is not used for one that is shown alike",
  );
  // deno-lint-ignore no-control-regex -- the range is what is looked for
  assert.doesNotMatch(JSON.stringify(h.audit) + other, /[\x00-\x1f\u202e]/);
});

Deno.test("startPermissionBroker() denies when the callback throws, hangs or answers nonsense", async () => {
  const clock = turnedClock();
  const answers: (() => PermissionAnswer | Promise<PermissionAnswer>)[] = [
    () => {
      throw new Error("broken");
    },
    () => "ALLOW" as unknown as PermissionAnswer,
    () => undefined as unknown as PermissionAnswer,
    () => new Promise(() => queueMicrotask(() => clock.fire())),
  ];
  await using h = await brokerHarness({
    onPermission: () => answers.shift()!(),
    answerTimeoutMs: 1_000,
    clock,
  });
  assert.match(await h.ask("read", "/1") ?? "", /the host could not decide: broken/);
  assert.match(await h.ask("read", "/2") ?? "", /the host denied it/);
  assert.match(await h.ask("read", "/3") ?? "", /the host denied it/);
  assert.match(await h.ask("read", "/4") ?? "", /the host could not decide: no answer within 1000 ms/);
});

Deno.test("startPermissionBroker() denies unasked what goes beyond the rate, until the minute is over", async () => {
  let now = 0, asked = 0;
  const clock: Clock = { now: () => now, after: () => () => {} };
  await using h = await brokerHarness({
    onPermission: () => {
      asked++;
      return "allow";
    },
    asksPerMinute: 2,
    clock,
  });
  assert.equal(await h.ask("read", "/1"), null);
  assert.equal(await h.ask("read", "/2"), null);
  assert.match(await h.ask("read", "/3") ?? "", /the plugin asked more than 2 times a minute/);
  assert.equal(await h.ask("read", "/1"), null, "what was answered needs no question");
  assert.equal(h.audit.at(2)?.by, "rate");
  now = 60_000;
  assert.equal(await h.ask("read", "/3"), null);
  assert.equal(asked, 3);
});

Deno.test("startPermissionBroker() remembers a thousand answers and asks again for what comes later", async () => {
  let asked = 0;
  await using h = await brokerHarness({
    onPermission: () => {
      asked++;
      return "allow";
    },
    asksPerMinute: 2_000,
  });
  for (let n = 0; n <= 1_000; n++) await h.ask("read", `/${n}`);
  for (const path of ["/0", "/999"]) await h.ask("read", path);
  assert.equal(asked, 1_001);
  await h.ask("read", "/1000");
  assert.equal(asked, 1_002);
});

Deno.test("startPermissionBroker() makes a socket that only its owner may use", async () => {
  const { directory, ...options } = await brokerOptions();
  await using broker = await startPermissionBroker(options);
  assert.equal((await Deno.lstat(broker.socketPath)).mode! & 0o777, 0o600);
  await broker[Symbol.asyncDispose]();
  await Deno.remove(directory);
});

Deno.test("startPermissionBroker() in learn mode grants what can be granted and writes it down", async () => {
  await using h = await brokerHarness({ mode: "learn", grants: { read: ["/data"] } });
  assert.equal(await h.ask("read", "/app/plugin/main.js"), null);
  assert.equal(await h.ask("read", "/data/x"), null);
  assert.equal(await h.ask("net", "api.test:443"), null);
  assert.equal(await h.ask("env", "HOME"), null);
  assert.match(await h.ask("run", "sh") ?? "", /never starts programs/);
  assert.deepEqual(h.broker.learned(), {
    read: ["/data/x"],
    write: [],
    net: ["api.test:443"],
    env: ["HOME"],
    sys: [],
    unix: [],
    refused: [{ permission: "run", value: "sh" }],
  });
});

Deno.test("startPermissionBroker() takes one connection and removes its socket then", async () => {
  await using h = await brokerHarness();
  await h.ask("read", "/x");
  await assert.rejects(
    Deno.connect({ transport: "unix", path: h.broker.socketPath }),
    Deno.errors.NotFound,
  );
});

Deno.test("startPermissionBroker() ends the connection at a message that it does not know, and audits it", async () => {
  await using h = await brokerHarness();
  await h.conn.write(new TextEncoder().encode('{"v":2,"id":1,"permission":"read","value":"/x"}\n'));
  assert.equal(await h.conn.read(new Uint8Array(1)), null);
  await h.broker[Symbol.asyncDispose]();
  assert.deepEqual(h.audit.map(({ permission, reason }) => [permission, reason]), [
    ["protocol", "Cannot read a permission request as only version 1 is known: it says 2"],
  ]);
});

Deno.test("PermissionBroker disposal does not wait for a callback that hangs", async () => {
  const clock = turnedClock();
  const asked = Promise.withResolvers<void>();
  await using h = await brokerHarness({
    onPermission: () => {
      asked.resolve();
      return new Promise(() => {});
    },
    clock,
  });
  const answer = assert.rejects(h.ask("read", "/x"), /the broker ended the connection/);
  await asked.promise;
  assert.equal(h.broker.isAsking, true);
  const disposed = h.broker[Symbol.asyncDispose]();
  // The clock stands still: nothing but the disposal ends the question.
  await until(() => !h.broker.isAsking);
  await disposed;
  await answer;
});

Deno.test("startPermissionBroker() refuses a tier that has nothing below Deno", async () => {
  const options = await brokerOptions();
  await assert.rejects(
    startPermissionBroker({ ...options, policy: { ...options.policy, tier: "permissions-only" } }),
    SandboxUnavailableError,
  );
  await Deno.remove(options.directory, { recursive: true });
});

Deno.test("brokerLines() reads questions in any pieces", async () => {
  const line = '{"v":1,"id":1,"permission":"read","value":"/é"}\n';
  const expected = { id: 1, permission: "read", value: "/é" };
  assert.deepEqual(await linesOf([line + line]), [expected, expected]);
  assert.deepEqual(await linesOf([...line].concat([...line])), [expected, expected]);
  assert.deepEqual(await linesOf([line.slice(0, 9)]), []);
});

for (
  const [what, text] of Object.entries({
    "text that is no JSON": "allow\n",
    "no object": "null\n",
    "another version": '{"v":2,"id":1,"permission":"read","value":null}\n',
    "no id": '{"v":1,"permission":"read","value":null}\n',
    "an unknown permission": '{"v":1,"id":1,"permission":"all","value":null}\n',
    "a value that is no text": '{"v":1,"id":1,"permission":"read","value":7}\n',
  })
) {
  Deno.test(`brokerLines() refuses ${what}`, async () => {
    await assert.rejects(linesOf([text]), ProtocolError);
  });
}

Deno.test("brokerLines() refuses a line without end before it has kept much of it", async () => {
  await assert.rejects(linesOf(Array(40).fill("x".repeat(10_000))), /longer than 262144 bytes/);
});

Deno.test("startPermissionBroker() governs a real Deno: flags do not help, FFI and programs end with the lock", async () => {
  const audit: PermissionAudit[] = [];
  const { directory, ...options } = await brokerOptions({
    grants: { read: ["/etc/hostname"] },
    audit: (one) => audit.push(one),
  });
  const library = "/lib/x86_64-linux-gnu/libnone.so";
  await using broker = await startPermissionBroker({ ...options, paths: { ...options.paths, library } });
  const script = `${directory}/guest.js`;
  await Deno.writeTextFile(script, GUEST);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-config", "--allow-all", script, library],
    env: { DENO_PERMISSION_BROKER_PATH: broker.socketPath, NO_COLOR: "1", SECRET: "s" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream());
  let output = "";
  const writer = child.stdin.getWriter();
  for await (const chunk of lines) {
    output += chunk;
    if (output.includes("ready\n") && !output.includes("done\n")) {
      broker.lockDown();
      await writer.write(new TextEncoder().encode("go\n"));
    }
  }
  await writer.close();
  const stderr = await new Response(child.stderr).text();
  assert.equal((await child.status).code, 0, stderr);
  const results = Object.fromEntries(
    output.split("\n").filter((line) => line.startsWith("{")).map((line) => Object.values(JSON.parse(line))),
  );
  assert.match(
    results["dlopen before"],
    /^Error: Could not open library/,
    "the control: FFI was allowed before the lock",
  );
  assert.equal(results["granted read"], "ok");
  const mayNot = (text: string) => `NotCapable: Cannot ${text}`;
  assert.equal(
    results["dlopen after"],
    mayNot(`load "${library}" as the plugin may not: a plugin never loads native code`),
  );
  assert.equal(
    results["pointer after"],
    mayNot("use native code as the plugin may not: a plugin never loads native code"),
  );
  assert.match(
    results["other read"],
    /^NotCapable: Cannot read "\/etc\/passwd" .*Add permissions: { read: \["\/etc\/passwd"\] }$/,
  );
  assert.match(results["program"], /^NotCapable: Cannot start .*: a plugin never starts programs$/);
  assert.equal(results["environment"], "ok", "variables need no grant: a plugin's process has no others");
  assert.match(results["worker"], /^NotCapable: Cannot read "\/etc\/passwd"/);
  assert.ok(audit.some(({ permission, outcome }) => permission === "ffi" && outcome === "deny"));
  await Deno.remove(directory, { recursive: true });
});

const GUEST = `
const [library] = Deno.args;
const say = (name, result) => console.log(JSON.stringify({ name, result: String(result) }));
const attempt = async (name, run) => {
  try { await run(); say(name, "ok"); } catch (error) { say(name, error); }
};
await attempt("dlopen before", () => Deno.dlopen(library, {}));
console.log("ready");
await Deno.stdin.read(new Uint8Array(8));
await attempt("dlopen after", () => Deno.dlopen(library, {}));
await attempt("pointer after", () => Deno.UnsafePointer.create(1n));
await attempt("granted read", () => Deno.readTextFileSync("/etc/hostname"));
await attempt("other read", () => Deno.readTextFileSync("/etc/passwd"));
await attempt("program", () => new Deno.Command("true").outputSync());
await attempt("environment", () => Deno.env.get("SECRET"));
await attempt("worker", () => new Promise((resolve, reject) => {
  const code = 'try { Deno.readTextFileSync("/etc/passwd"); postMessage("read") } catch (e) { postMessage(String(e)) }';
  const worker = new Worker("data:text/javascript," + encodeURIComponent(code), { type: "module" });
  worker.onmessage = ({ data }) => { worker.terminate(); data === "read" ? resolve() : reject(data); };
}));
console.log("done");
`;

function fixedClock(at: number): Clock {
  return { now: () => at, after: () => () => {} };
}

/** Fires the timer that is pending. */
function turnedClock(): Clock & { fire(): void } {
  let pending: (() => void) | null = null;
  return {
    now: () => 0,
    after: (_delayMs, callback) => {
      pending = callback;
      return () => pending = null;
    },
    fire: () => pending?.(),
  };
}
