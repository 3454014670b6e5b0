import { deepEqual, equal, ok } from "node:assert/strict";
import { DEFAULT_LIMITS } from "../policy/fakes.ts";
import { deadline, SandboxHarness } from "./sandbox_harness.ts";

/** Connects, then does with /tmp what a test says; Deno's own permissions let it. */
function scratchGuest(action: string): string {
  return `await Deno.connect({ transport: "unix", path: Deno.args[0].replace("boot.json", "rpc.sock") });
    try { ${action} } catch (error) { console.error(error.name, error.message); }`;
}

async function outcome(
  action: string,
  tmpBytes: number,
  tmpInodes = DEFAULT_LIMITS.tmpInodes,
): Promise<[reason: string, stderr: string]> {
  const limits = { ...DEFAULT_LIMITS, tmpBytes, tmpInodes };
  await using harness = await SandboxHarness.open(scratchGuest(action), { config: { limits } });
  const { deno } = harness.policy;
  const policy = { ...harness.policy, deno: { ...deno, write: ["/tmp"], read: ["/tmp"] } };
  const guest = await harness.launch({ policy });
  using _connection = await guest.accept(deadline());
  const { reason, stderrTail } = await guest.exited;
  return [reason, stderrTail];
}

Deno.test("a guest may fill its scratch space and not more", async () => {
  const megabyte = 2 ** 20;
  const fill = (bytes: number) => `Deno.writeFileSync("/tmp/file", new Uint8Array(${bytes}));`;
  deepEqual(await outcome(fill(megabyte), megabyte), ["clean-exit", ""]);
  const [, stderr] = await outcome(fill(megabyte + 1), megabyte);
  ok(stderr.includes("No space left"), stderr);
});

Deno.test("a guest that fills its scratch space with empty files is killed", async () => {
  const [reason] = await outcome(`for (let i = 0; ; i++) Deno.writeTextFileSync("/tmp/" + i, "");`, 2 ** 20);
  equal(reason, "memory-limit");
});

Deno.test("a guest may make as many empty files as its scratch space has pages", async () => {
  const fewer = `for (let i = 0; i < 1000; i++) Deno.writeTextFileSync("/tmp/" + i, "");
    await new Promise((resolve) => setTimeout(resolve, 200));`;
  deepEqual(await outcome(fewer, 2 ** 20), ["clean-exit", ""]);
});

Deno.test("a guest without scratch space has no /tmp to write to", async () => {
  const [, stderr] = await outcome(`Deno.writeTextFileSync("/tmp/x", "");`, 0);
  ok(stderr.includes("NotFound") || stderr.includes("No such file"), stderr);
});

Deno.test("limits.tmpInodes is how many files a guest may make, whatever the size of its scratch space", async () => {
  const make = (count: number, staysMs: number) =>
    `for (let i = 0; i < ${count}; i++) Deno.writeTextFileSync("/tmp/" + i, "");
    await new Promise((resolve) => setTimeout(resolve, ${staysMs}));`;
  deepEqual(await outcome(make(90, 200), 2 ** 20, 100), ["clean-exit", ""]);
  // It is killed long before it would leave.
  equal((await outcome(make(200, 60_000), 2 ** 20, 100))[0], "memory-limit");
});
