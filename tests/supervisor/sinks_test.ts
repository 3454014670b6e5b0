/** What sinks of a host hear about plugins in real sandboxes. */

import assert from "node:assert/strict";
import type { ObservedEvent, Sink } from "../../src/observe/mod.ts";
import { auditSink, metricsSink } from "../../src/observe/mod.ts";
import { feedSinks } from "../../src/supervisor/feed_sinks.ts";
import { hostHooks } from "../../src/supervisor/host_events.ts";
import { testHost } from "../testing/fixtures.ts";

interface Busy {
  add(a: number, b: number): number;
  fail(): never;
  slow(): Promise<void>;
  die(): never;
  flood(): void;
}

const BUSY = `
  export const add = (a: number, b: number) => a + b;
  export function fail() { throw new RangeError("no"); }
  export const slow = () => new Promise(() => {});
  export function die() { console.error("dying"); Deno.exit(9); }
  export function flood() { for (;;) console.log("x".repeat(4096)); }
`;

function recording(wanted?: readonly string[]): { readonly sink: Sink; readonly events: ObservedEvent[] } {
  const events: ObservedEvent[] = [];
  const sink: Sink = {
    ...(wanted === undefined ? {} : { wants: (kind: string) => wanted.includes(kind) }),
    emit: (event) => void events.push(event),
  };
  return { sink, events };
}

function kinds(events: readonly ObservedEvent[]): string[] {
  return events.map(({ kind }) => kind);
}

Deno.test("HostOptions.sinks hear a plugin's life in order, with facts", async () => {
  const { sink, events } = recording();
  await using test = await testHost({ sinks: [sink] });
  const plugin = await test.host.load<Busy>(await test.plugin(BUSY, "busy.ts"));
  assert.equal(await plugin.api.add(1, 2), 3);
  await plugin.reload();
  await plugin.stop();
  assert.deepEqual(kinds(events), ["spawned", "ready", "call", "spawned", "ready", "reloaded", "stopped"]);
  assert.ok(events.every((event) => event.plugin === "busy" && event.at > 1.7e12));
  const [spawned, ready, call] = events;
  assert.equal(spawned?.fields.tier, plugin.policy.tier);
  assert.equal(ready?.fields.pid, spawned?.fields.pid);
  assert.deepEqual([call?.fields.method, call?.fields.outcome], ["add", "ok"]);
  assert.equal(typeof call?.fields.durationMs, "number");
});

Deno.test("HostOptions.sinks hear how calls end", async () => {
  const { sink, events } = recording(["call"]);
  await using test = await testHost({ sinks: [sink] });
  await using plugin = await test.host.load<Busy>(await test.plugin(BUSY));
  await assert.rejects(plugin.api.fail(), RangeError);
  await assert.rejects(plugin.with({ timeoutMs: 20 }).slow());
  const controller = new AbortController();
  const slow = plugin.with({ signal: controller.signal }).slow();
  controller.abort();
  await assert.rejects(slow);
  assert.deepEqual(events.map(({ fields }) => [fields.method, fields.outcome]), [
    ["fail", "error"],
    ["slow", "timeout"],
    ["slow", "aborted"],
  ]);
});

Deno.test("HostOptions.sinks hear of crashes, restarts and output", async () => {
  const { sink, events } = recording();
  await using test = await testHost({ sinks: [sink] });
  await using plugin = await test.host.load<Busy>(await test.plugin(BUSY), {
    restart: { backoff: () => 1 },
  });
  await assert.rejects(plugin.api.die());
  assert.equal(await plugin.api.add(2, 2), 4);
  const crashed = events.find(({ kind }) => kind === "crashed");
  assert.deepEqual([crashed?.fields.reason, crashed?.fields.exitCode], ["exit-code", 9]);
  const output = events.find(({ kind }) => kind === "output");
  assert.deepEqual(output?.fields, { stream: "stderr", line: "dying" });
  const order = kinds(events).filter((kind) => !["output", "call"].includes(kind));
  assert.deepEqual(order, ["spawned", "ready", "crashed", "restarting", "spawned", "ready"]);
});

Deno.test("HostOptions.sinks hear which limit ended a plugin", async () => {
  const { sink, events } = recording(["limit", "crashed"]);
  await using test = await testHost({ sinks: [sink] });
  await using plugin = await test.host.load<Busy>(await test.plugin(BUSY), { limits: { output: "64KiB" } });
  await assert.rejects(plugin.api.flood(), { reason: "output-limit" });
  assert.deepEqual(events.map(({ kind, fields }) => [kind, fields.limit ?? fields.reason]), [
    ["crashed", "output-limit"],
    ["limit", "output-limit"],
  ]);
});

Deno.test("auditSink() and metricsSink() of one host each keep what is theirs", async () => {
  const audit = auditSink();
  const metrics = metricsSink();
  await using test = await testHost({ sinks: [audit, metrics], onPermission: () => "deny" });
  const path = await test.plugin(`export const host = () => Deno.hostname();`, "asks.ts");
  await using plugin = await test.host.load<{ host(): string }>(path);
  await assert.rejects(plugin.api.host(), { name: "NotCapable" });
  const denied = audit.entries({ plugin: "asks", outcome: "deny" });
  assert.deepEqual(denied.map(({ permission, value, by }) => [permission, value, by]), [
    ["sys", "hostname", "callback"],
  ]);
  assert.deepEqual({ ...metrics.snapshot().plugins.asks?.calls }, { error: 1 });
});

Deno.test("feedSinks() listens to nothing that no sink wants", () => {
  const hooks = hostHooks();
  feedSinks(hooks, []);
  assert.equal(hooks.has("after-call"), false);
  feedSinks(hooks, [auditSink()]);
  assert.deepEqual([hooks.has("permission"), hooks.has("after-call"), hooks.has("output")], [
    true,
    false,
    false,
  ]);
  feedSinks(hooks, [metricsSink()]);
  assert.equal(hooks.has("after-call"), true, "positive control");
});

Deno.test("feedSinks() gives a sink only what it wants, and goes on past one that throws", () => {
  const hooks = hostHooks();
  const picky = recording(["output"]);
  const all = recording();
  const broken: Sink = {
    emit: () => {
      throw new Error("broken");
    },
  };
  feedSinks(hooks, [broken, picky.sink, all.sink]);
  hooks.emit("output", { plugin: "a", stream: "stdout", line: "x" });
  hooks.emit("spawned", { plugin: "a", pid: 1, tier: "full" });
  assert.deepEqual([kinds(picky.events), kinds(all.events)], [["output"], ["output", "spawned"]]);
});
