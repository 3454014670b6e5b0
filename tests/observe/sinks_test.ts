import assert from "node:assert/strict";
import {
  auditSink,
  logSink,
  metricsSink,
  type ObservedEvent,
  teeSink,
  traceSink,
} from "../../src/observe/mod.ts";

function event(
  kind: string,
  fields: Record<string, unknown> = {},
  plugin: string | null = "resize",
): ObservedEvent {
  return { at: 1_000, plugin, kind, fields };
}

function logged(
  options: { level?: "debug" | "error"; format?: "json" },
  ...events: readonly ObservedEvent[]
): string[] {
  const lines: string[] = [];
  const sink = logSink({ ...options, write: (line) => lines.push(line) });
  for (const one of events) sink.emit(one);
  return lines;
}

Deno.test("logSink() writes one line for each event that matters enough", () => {
  const events = [
    event("ready", { pid: 7, tier: "full" }),
    event("call", { method: "run" }),
    event("crashed", { reason: "signal", exitCode: null }),
    event("log", { level: "debug", text: "quiet" }),
    event("listening", {}, null),
  ];
  assert.deepEqual(logged({}, ...events), [
    "1970-01-01T00:00:01.000Z info  resize: ready pid=7 tier=full",
    "1970-01-01T00:00:01.000Z error resize: crashed reason=signal exitCode=null",
    "1970-01-01T00:00:01.000Z info  host: listening",
  ]);
  assert.equal(logged({ level: "error" }, ...events).length, 1);
  assert.equal(logged({ level: "debug" }, ...events).length, 5);
});

Deno.test("logSink() lets no plugin forge a line or move the cursor", () => {
  const [line = ""] = logged(
    {},
    event("log", { text: 'x\n1970 error host: "forged"\x1b[2J\u202e', "k\n": 1 }),
  );
  // deno-lint-ignore no-control-regex -- control characters are what must not be there
  assert.doesNotMatch(line, /[\x00-\x1f\u202e]/);
  assert.ok(line.includes('text="x\\u{a}1970 error host: \\"forged\\"\\u{1b}[2J\\u{202e}"'), line);
});

Deno.test("logSink() writes JSON whatever the fields hold", () => {
  const cycle: Record<string, unknown> = { big: 1n, error: new TypeError("no"), bytes: new Uint8Array(3) };
  cycle.self = cycle;
  const [line = ""] = logged({ format: "json" }, event("log", cycle));
  assert.deepEqual(JSON.parse(line).fields, {
    big: "1",
    error: { name: "TypeError", message: "no" },
    bytes: "[3 bytes]",
    self: "[cycle]",
  });
});

Deno.test("traceSink() appends JSON lines that only their owner can read", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/trace.jsonl`;
    for (const kind of ["spawned", "ready"]) {
      using trace = traceSink(path);
      trace.emit(event(kind));
      assert.equal(trace.dropped, 0);
    }
    const lines = (await Deno.readTextFile(path)).trimEnd().split("\n").map((line) => JSON.parse(line).kind);
    assert.deepEqual(lines, ["spawned", "ready"]);
    if (Deno.build.os !== "windows") assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("traceSink() stops at its bound and counts what it dropped", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/trace.jsonl`;
    const trace = traceSink(path, { maxBytes: 100_000 });
    for (let index = 0; index < 1_000; index++) trace.emit(event("log", { text: "x".repeat(200) }));
    trace[Symbol.dispose]();
    trace.emit(event("late"));
    const { size } = await Deno.stat(path);
    assert.ok(size > 30_000 && size <= 100_000, String(size));
    const written = (await Deno.readTextFile(path)).trimEnd().split("\n").length;
    assert.equal(written + trace.dropped, 1_001);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("metricsSink() counts events, outcomes, crashes and durations", () => {
  const metrics = metricsSink();
  for (const durationMs of [0.5, 3, 900_000]) metrics.emit(event("call", { outcome: "ok", durationMs }));
  metrics.emit(event("call", { outcome: "timeout", durationMs: NaN }));
  metrics.emit(event("crashed", { reason: "memory-limit" }));
  metrics.emit(event("started", {}, null));
  const { host, plugins } = metrics.snapshot();
  const { events, calls, crashes, durations } = plugins.resize ?? assert.fail("no metrics of the plugin");
  assert.deepEqual({ ...host }, { started: 1 });
  assert.deepEqual([{ ...events }, { ...calls }], [{ call: 4, crashed: 1 }, { ok: 3, timeout: 1 }]);
  assert.deepEqual({ ...crashes }, { "memory-limit": 1 });
  assert.deepEqual([durations.count, durations.maxMs], [3, 900_000]);
  const filled = durations.buckets.filter(({ count }) => count > 0).map(({ upToMs }) => upToMs);
  assert.deepEqual(filled, [0.5, 4, Infinity]);
});

Deno.test("metricsSink() keeps hostile names apart from prototypes and bounds their number", () => {
  const metrics = metricsSink();
  for (let index = 0; index < 1_000; index++) metrics.emit(event(`kind-${index}`, {}, "__proto__"));
  metrics.emit(event("constructor", {}, "constructor"));
  const { plugins } = metrics.snapshot();
  assert.deepEqual(Object.keys(plugins), ["__proto__", "constructor"]);
  const events = Object.entries(plugins["__proto__"]?.events ?? {});
  assert.ok(events.length <= 65, String(events.length));
  assert.equal(events.reduce((sum, [, count]) => sum + count, 0), 1_000);
});

Deno.test("auditSink() keeps permission events in order and forgets the oldest", () => {
  const seen: string[] = [];
  const audit = auditSink({ capacity: 2, onEntry: ({ value }) => seen.push(String(value)) });
  audit.emit(event("ready"));
  for (const value of ["/a", "/b", "/c"]) {
    audit.emit(
      event("permission", {
        permission: "read",
        value,
        outcome: value === "/b" ? "deny" : "allow",
        by: "policy",
      }),
    );
  }
  assert.deepEqual(audit.entries().map(({ value }) => value), ["/b", "/c"]);
  assert.deepEqual(audit.entries({ outcome: "deny" }).map(({ value }) => value), ["/b"]);
  assert.deepEqual(audit.entries({ plugin: "other" }), []);
  assert.equal(audit.forgotten, 1);
  assert.deepEqual(seen, ["/a", "/b", "/c"]);
});

Deno.test("auditSink() never shows an unclear outcome as allowed", () => {
  const audit = auditSink();
  audit.emit(event("permission", { permission: "ffi", outcome: "ALLOW" }));
  assert.deepEqual(audit.entries()[0], {
    at: 1_000,
    plugin: "resize",
    permission: "ffi",
    value: null,
    outcome: "deny",
    by: "",
    reason: "",
  });
  assert.throws(() => auditSink({ capacity: 0 }), RangeError);
});

Deno.test("teeSink() passes on to every sink although one throws", () => {
  const metrics = metricsSink();
  const broken = {
    emit() {
      throw new Error("broken");
    },
  };
  const tee = teeSink(broken, metrics);
  tee.emit(event("ready"));
  assert.equal(metrics.snapshot().plugins.resize?.events.ready, 1);
  assert.equal(tee.failures, 1);
});

Deno.test("Sink.wants() of each sink names the kinds that it would drop", () => {
  const write = () => {};
  assert.equal(logSink({ write }).wants?.("call"), false);
  assert.equal(logSink({ write, level: "debug" }).wants?.("call"), true);
  assert.equal(logSink({ write, level: "error" }).wants?.("permission"), true);
  assert.equal(auditSink().wants?.("permission"), true);
  assert.equal(auditSink().wants?.("call"), false);
  assert.equal(teeSink(auditSink(), logSink({ write })).wants?.("call"), false);
  assert.equal(teeSink(auditSink(), metricsSink()).wants?.("call"), true);
});
