import assert from "node:assert/strict";
import { StatusTracker } from "../../src/supervisor/status_tracker.ts";
import { exitFacts, runningFacts } from "./facts.ts";

Deno.test("StatusTracker.changes() yields the current state, then every change in order, and ends after the last", async () => {
  const tracker = new StatusTracker(0);
  const seen: string[] = [];
  const reading = (async () => {
    for await (const status of tracker.changes()) seen.push(status.state);
  })();
  tracker.apply({ kind: "ready", generation: 1, at: 1, ...runningFacts });
  tracker.apply({ kind: "exit", generation: 1, at: 2, ...exitFacts("exit-code", { exitCode: 3 }) });
  tracker.apply({ kind: "restart", attempt: 1, nextAt: 3, at: 2 });
  tracker.apply({ kind: "start", at: 3 });
  tracker.apply({ kind: "terminate", exitCode: 0, at: 4 });
  await reading;
  assert.deepEqual(seen, ["starting", "running", "crashed", "restarting", "starting", "terminated"]);
});

Deno.test("StatusTracker.apply() says whether something changed", () => {
  const tracker = new StatusTracker(0);
  assert.equal(tracker.apply({ kind: "exit", generation: 0, at: 1, ...exitFacts("signal") }), false);
  assert.equal(tracker.apply({ kind: "ready", generation: 1, at: 1, ...runningFacts }), true);
});

Deno.test("StatusTracker.changes() serves several readers, and forgets one that leaves", async () => {
  const tracker = new StatusTracker(0);
  const first = tracker.changes();
  const second = tracker.changes();
  await Promise.all([first.next(), second.next()]);
  const [early, both] = [first.next(), second.next()];
  tracker.apply({ kind: "ready", generation: 1, at: 1, ...runningFacts });
  assert.equal((await early).value?.state, "running");
  assert.equal((await both).value?.state, "running");
  await first.return();
  const later = second.next();
  tracker.apply({ kind: "terminate", exitCode: 0, at: 2 });
  assert.equal((await later).value?.state, "terminated");
  assert.equal((await second.next()).done, true);
  assert.equal((await first.next()).done, true);
});

Deno.test("StatusTracker.changes() ends without an error when its signal aborts", async () => {
  const tracker = new StatusTracker(0);
  const controller = new AbortController();
  const changes = tracker.changes(controller.signal);
  await changes.next();
  const next = changes.next();
  controller.abort();
  assert.equal((await next).done, true);
});

Deno.test("StatusTracker.changes() of an ended plugin yields its end and is over", async () => {
  const tracker = new StatusTracker(0);
  tracker.apply({ kind: "terminate", exitCode: 0, at: 2 });
  const changes = tracker.changes();
  assert.equal((await changes.next()).value?.state, "terminated");
  assert.equal((await changes.next()).done, true);
});

Deno.test("StatusTracker.changes() drops the oldest for a reader that is far behind", async () => {
  const tracker = new StatusTracker(0);
  const reader = tracker.changes();
  const first = reader.next();
  tracker.apply({ kind: "ready", generation: 1, at: 0, ...runningFacts });
  await first;
  for (let at = 1; at <= 300; at++) tracker.apply({ kind: "restart", attempt: at, nextAt: at, at });
  const next = await reader.next();
  assert.equal(next.value?.since, 45);
  await reader.return();
});

Deno.test("StatusTracker.onChange() is told until it is called off", () => {
  const tracker = new StatusTracker(0);
  const seen: string[] = [];
  const off = tracker.onChange((status) => seen.push(status.state));
  tracker.apply({ kind: "ready", generation: 1, at: 1, ...runningFacts });
  off();
  tracker.apply({ kind: "terminate", exitCode: 0, at: 2 });
  assert.deepEqual(seen, ["running"]);
});
