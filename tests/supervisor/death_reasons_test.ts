/**
 * Every reason in a plugin's state, brought about for real. Deaths by native code: tests/launcher/native_deaths_test.ts.
 */

import assert from "node:assert/strict";
import type { ExitReason } from "../../src/errors.ts";
import type { LoadOptions } from "../../src/config/types.ts";
import type { CrashedStatus, PluginStatus } from "../../src/supervisor/status.ts";
import type { Plugin } from "../../src/supervisor/types.ts";
import { nativeChildren } from "../chaos/native_children.ts";
import { probePlatform } from "../../src/platform/mod.ts";
import { folderWith, namesIn, type TestHost, testHost } from "../testing/fixtures.ts";

type Api = Record<string, (...args: unknown[]) => unknown>;

const code = `
  export const leave = (code: number) => Deno.exit(code);
  export const one = () => 1;
  export function spin() { for (;;); }
  export function fillHeap() { const kept = []; for (;;) kept.push(new Array(1000).fill({ a: 1 })); }
  export function fillBuffers() { const kept = []; for (;;) kept.push(new Uint8Array(2 ** 22).fill(1)); }
  export function flood() { const line = new Uint8Array(65536).fill(120); for (;;) Deno.stdout.writeSync(line); }

  /** Sends a message of a kind that there is not. */
  export function breakRules() {
    for (const name of ["subarray", "slice"]) {
      const own = Uint8Array.prototype[name];
      Uint8Array.prototype[name] = function (...range) {
        const part = own.apply(this, range);
        if (part.length > 5 && part[4] >= 0x90 && part[4] < 0xa0) part[5] = 99;
        return part;
      };
    }
    return "x".repeat(20);
  }

  /** The guest gives up its connection at the next call, and does not get to its end. */
  export function linger() {
    addEventListener("unload", () => { for (;;); });
    Number.isSafeInteger = () => false;
  }
`;

/** Does something to a plugin and gives its state when it has ended. */
async function fate(
  test: TestHost,
  options: LoadOptions,
  act: (plugin: Plugin<Api>) => unknown,
): Promise<PluginStatus> {
  await using plugin = await test.host.load<Api>(await test.plugin(code), options);
  const ended = end(plugin);
  // What a call that is under way rejects with is told by other tests.
  await Promise.try(act, plugin).catch(() => {});
  return await ended;
}

async function end(plugin: Plugin<Api>): Promise<PluginStatus> {
  for await (const status of plugin.statusChanges()) {
    if (status.state === "crashed" || status.state === "terminated") return status;
  }
  throw new Error("The plugin never ended");
}

/** Pid of the runtime itself, below the guard and bubblewrap. */
function innermost(plugin: Plugin<Api>): number {
  assert.ok(plugin.status.state === "running");
  let pid = plugin.status.pid;
  for (let below = nativeChildren(pid); below.length > 0; below = nativeChildren(pid)) pid = below[0]!;
  return pid;
}

interface Case {
  readonly reason: ExitReason;
  readonly when: string;
  readonly act: (plugin: Plugin<Api>) => unknown;
  readonly options?: LoadOptions;
  readonly exitCode?: number | null;
  readonly signal?: string | null;
}

const small = { limits: { memory: "64MiB" } } as const;
/** Room for the heap's young generation, too: else the kernel is sometimes faster than the runtime. */
const smallHeap = { limits: { memory: "64MiB", tmp: "256MiB" } } as const;
const cases: readonly Case[] = [
  { reason: "exit-code", when: "it exits with 3", act: ({ api }) => api.leave!(3), exitCode: 3 },
  {
    reason: "signal",
    when: "somebody kills it",
    act: (plugin) => Deno.kill(innermost(plugin), "SIGKILL"),
    signal: "SIGKILL",
  },
  {
    reason: "out-of-memory",
    when: "its heap is full",
    act: ({ api }) => api.fillHeap!(),
    options: smallHeap,
  },
  {
    reason: "cpu-limit",
    when: "it has used up limits.cpuSeconds",
    act: ({ api }) => api.spin!(),
    options: { limits: { cpuSeconds: 1 } },
  },
  {
    reason: "output-limit",
    when: "it prints more than limits.output",
    act: ({ api }) => api.flood!(),
    options: { limits: { output: "1MiB" } },
    signal: "SIGKILL",
  },
  {
    reason: "wall-timeout",
    when: "a call runs past limits.wallMs",
    act: ({ api }) => api.spin!(),
    options: { limits: { wallMs: 100 } },
    signal: "SIGKILL",
  },
  {
    reason: "heartbeat-lost",
    when: "it does not answer for a while although nobody calls it",
    act: (plugin) => Deno.kill(innermost(plugin), "SIGSTOP"),
    options: { heartbeatMs: 20 },
    signal: "SIGKILL",
  },
  { reason: "protocol-error", when: "it sends what no guest may send", act: ({ api }) => api.breakRules!() },
  {
    reason: "connection-lost",
    when: "its connection has ended and it has not",
    act: async ({ api }) => {
      await api.linger!();
      await api.one!();
    },
    signal: "SIGKILL",
  },
];

for (const { reason, when, act, options = {}, exitCode, signal } of cases) {
  Deno.test(`PluginStatus is crashed by "${reason}" when ${when}`, async () => {
    await using test = await testHost();
    const status = await fate(test, { shutdownGraceMs: 200, ...options }, act) as CrashedStatus;
    assert.deepEqual([status.state, status.reason], ["crashed", reason]);
    if (exitCode !== undefined) assert.equal(status.exitCode, exitCode);
    if (signal !== undefined) assert.equal(status.signal, signal);
  });
}

Deno.test('PluginStatus is crashed by "memory-limit" where a control group bounds memory, else by want of it', async () => {
  await using test = await testHost();
  let refusal: unknown = null;
  const plugin = await test.host.load<Api>(await test.plugin(code), small);
  const ended = end(plugin);
  await plugin.api.fillBuffers!().catch((error: unknown) => refusal = error);
  // RLIMIT_DATA may refuse one buffer, which the plugin survives.
  if (refusal instanceof RangeError) await plugin.stop();
  const status = await ended as CrashedStatus;
  assert.ok(plugin.policy.enforcement.memory.hard);
  if (plugin.policy.cgroup !== null) assert.equal(status.reason, "memory-limit");
  else assert.ok(refusal instanceof RangeError || /^(out-of-memory|memory-limit)$/.test(status.reason));
  await plugin.stop();
});

Deno.test('PluginStatus is terminated by "clean-exit" when the plugin exits with 0, and it is not restarted', async () => {
  await using test = await testHost();
  const status = await fate(test, { restart: true }, ({ api }) => api.leave!(0));
  assert.ok(status.state === "terminated");
  assert.deepEqual([status.reason, status.exitCode, status.generation], ["clean-exit", 0, 1]);
});

Deno.test('PluginStatus is terminated by "stopped" when the host stops it', async () => {
  await using test = await testHost();
  const status = await fate(test, {}, (plugin) => plugin.stop());
  assert.ok(status.state === "terminated");
  assert.equal(status.reason, "stopped");
});

/** Restarts a plugin whose next start goes wrong in some way. */
async function fateOfRestart(next: string, options: LoadOptions = {}): Promise<CrashedStatus> {
  await using test = await testHost();
  const path = await test.plugin(`export const one = () => 1;`, "changing.ts");
  await using plugin = await test.host.load<Api>(path, options);
  await Deno.writeTextFile(path, next);
  await assert.rejects(plugin.restart(), { name: "LaunchError" });
  return plugin.status as CrashedStatus;
}

Deno.test('PluginStatus is crashed by "handshake-timeout" when the plugin hangs before it is ready', async () => {
  const { state, reason, signal } = await fateOfRestart(`for (;;);`, { startupTimeoutMs: 1_500 });
  assert.deepEqual([state, reason, signal], ["crashed", "handshake-timeout", "SIGKILL"]);
});

Deno.test("PluginStatus tells the exit of a plugin that ends before it is ready", async () => {
  const { state, reason, exitCode } = await fateOfRestart(`Deno.exit(9);`);
  assert.deepEqual([state, reason, exitCode], ["crashed", "exit-code", 9]);
});

Deno.test('PluginStatus is crashed by "spawn-failed" when the plugin cannot be imported', async () => {
  const { state, reason } = await fateOfRestart(`export const one = 1; throw new Error("no");`);
  assert.deepEqual([state, reason], ["crashed", "spawn-failed"]);
});

const { facts } = await probePlatform();
const skip = facts.bwrap !== null && facts.namespacesWork ? "" : " [skipped: bubblewrap does not work here]";

Deno.test({
  name: `PluginStatus is crashed by "sandbox-setup-failed" when bubblewrap gives up${skip}`,
  ignore: skip !== "",
  async fn() {
    await using folder = await folderWith({
      bwrap: `#!/bin/sh
[ -e "\${0%/*}/broken" ] && echo "bwrap: Creating new namespace failed: Operation not permitted" >&2 && exit 1
exec ${facts.bwrap?.path} "$@"
`,
    });
    await Deno.chmod(`${folder.path}/bwrap`, 0o755);
    await using test = await testHost({ bwrap: `${folder.path}/bwrap` });
    await using plugin = await test.host.load<Api>(await test.plugin(code));
    await Deno.writeTextFile(`${folder.path}/broken`, "");
    await assert.rejects(plugin.restart(), { name: "LaunchError", stage: "sandbox" });
    const { state, reason, exitCode, stderrTail } = plugin.status as CrashedStatus;
    assert.deepEqual([state, reason, exitCode], ["crashed", "sandbox-setup-failed", 1]);
    assert.match(stderrTail, /Creating new namespace failed/);
  },
});

Deno.test('PluginStatus is crashed by "spawn-failed" when the program that starts it is gone', async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Api>(await test.plugin(code));
  const [own] = (await namesIn(test.runtimeDirectory)).filter((name) => name.startsWith("h-"));
  const shared = `${test.runtimeDirectory}/${own}/shared`;
  for (const name of await namesIn(shared)) await Deno.remove(`${shared}/${name}`, { recursive: true });
  await assert.rejects(plugin.restart());
  const { state, reason } = plugin.status as CrashedStatus;
  assert.deepEqual([state, reason], ["crashed", "spawn-failed"]);
});
