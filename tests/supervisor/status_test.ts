import assert from "node:assert/strict";
import fc from "fast-check";
import {
  initialStatus,
  type PluginStatus,
  type StatusEvent,
  transition,
} from "../../src/supervisor/status.ts";
import { exitFacts, runningFacts } from "./facts.ts";

type State = PluginStatus["state"];

const crash = exitFacts("signal", { signal: "SIGSEGV" });
const one = initialStatus(0);
const examples: Readonly<Record<State, PluginStatus>> = {
  starting: one,
  running: transition(one, { kind: "ready", generation: 1, at: 1, ...runningFacts }),
  crashed: transition(one, { kind: "exit", generation: 1, at: 1, ...crash }),
  restarting: transition(transition(one, { kind: "exit", generation: 1, at: 1, ...crash }), {
    kind: "restart",
    attempt: 1,
    nextAt: 101,
    at: 1,
  }),
  quarantined: transition(transition(one, { kind: "exit", generation: 1, at: 1, ...crash }), {
    kind: "quarantine",
    crashes: 6,
    at: 1,
  }),
  terminated: transition(one, { kind: "terminate", exitCode: 0, at: 1 }),
};

const at = 9;
const events: Readonly<Record<string, StatusEvent>> = {
  start: { kind: "start", at },
  "ready of this generation": { kind: "ready", generation: 1, at, ...runningFacts },
  "ready of the next": { kind: "ready", generation: 2, at, ...runningFacts },
  "ready of an old one": { kind: "ready", generation: 0, at, ...runningFacts },
  "crash of this generation": { kind: "exit", generation: 1, at, ...crash },
  "crash of an old one": { kind: "exit", generation: 0, at, ...crash },
  "crash of the next": { kind: "exit", generation: 2, at, ...crash },
  "clean exit": { kind: "exit", generation: 1, at, ...exitFacts("clean-exit", { exitCode: 0 }) },
  stopped: { kind: "exit", generation: 1, at, ...exitFacts("stopped", { exitCode: 0 }) },
  restart: { kind: "restart", attempt: 2, nextAt: 209, at },
  quarantine: { kind: "quarantine", crashes: 6, at },
  terminate: { kind: "terminate", exitCode: null, at },
};

/** What each event makes of each state: `=` nothing changes, `!` it cannot happen. */
const table: Readonly<Record<string, Readonly<Record<State, State | "=" | "!">>>> = {
  start: {
    starting: "!",
    running: "!",
    crashed: "starting",
    restarting: "starting",
    quarantined: "starting",
    terminated: "=",
  },
  "ready of this generation": {
    starting: "running",
    running: "!",
    crashed: "!",
    restarting: "!",
    quarantined: "!",
    terminated: "=",
  },
  "ready of the next": {
    starting: "!",
    running: "running",
    crashed: "!",
    restarting: "!",
    quarantined: "!",
    terminated: "=",
  },
  "ready of an old one": {
    starting: "=",
    running: "=",
    crashed: "=",
    restarting: "=",
    quarantined: "=",
    terminated: "=",
  },
  "crash of this generation": {
    starting: "crashed",
    running: "crashed",
    crashed: "=",
    restarting: "=",
    quarantined: "=",
    terminated: "=",
  },
  "crash of an old one": {
    starting: "=",
    running: "=",
    crashed: "=",
    restarting: "=",
    quarantined: "=",
    terminated: "=",
  },
  "crash of the next": {
    starting: "!",
    running: "!",
    crashed: "!",
    restarting: "!",
    quarantined: "!",
    terminated: "=",
  },
  "clean exit": {
    starting: "crashed",
    running: "terminated",
    crashed: "=",
    restarting: "=",
    quarantined: "=",
    terminated: "=",
  },
  stopped: {
    starting: "terminated",
    running: "terminated",
    crashed: "=",
    restarting: "=",
    quarantined: "=",
    terminated: "=",
  },
  restart: {
    starting: "!",
    running: "restarting",
    crashed: "restarting",
    restarting: "restarting",
    quarantined: "restarting",
    terminated: "=",
  },
  quarantine: {
    starting: "!",
    running: "!",
    crashed: "quarantined",
    restarting: "!",
    quarantined: "!",
    terminated: "=",
  },
  terminate: {
    starting: "terminated",
    running: "terminated",
    crashed: "terminated",
    restarting: "terminated",
    quarantined: "terminated",
    terminated: "=",
  },
};

for (const [name, row] of Object.entries(table)) {
  const event = events[name];
  assert.ok(event !== undefined);
  for (const [state, expected] of Object.entries(row) as [State, State | "=" | "!"][]) {
    const claim = expected === "="
      ? "changes nothing"
      : expected === "!"
      ? "cannot happen"
      : `leads to ${expected}`;
    Deno.test(`transition() ${name} while ${state} ${claim}`, () => {
      const before = examples[state];
      if (expected === "!") {
        const message = `Cannot apply "${event.kind}" as the next event of a plugin: it is ${state}`;
        assert.throws(() => transition(before, event), { name: "TypeError", message });
        return;
      }
      const after = transition(before, event);
      if (expected === "=") return assert.equal(after, before);
      assert.equal(after.state, expected);
      assert.equal(after.since, at);
      assert.ok(Object.isFrozen(after));
    });
  }
}

Deno.test("transition() keeps the facts of a crash through restarting and quarantine", () => {
  const { crashed, restarting, quarantined } = examples;
  assert.deepEqual(crashed, { state: "crashed", since: 1, generation: 1, ...crash });
  assert.ok(restarting.state === "restarting" && quarantined.state === "quarantined");
  assert.deepEqual(restarting.crash, crash);
  assert.deepEqual(quarantined.crash, crash);
});

Deno.test("transition() says that a restart was asked for by having no crash", () => {
  const status = transition(examples.running, { kind: "restart", attempt: 0, nextAt: 9, at });
  assert.ok(status.state === "restarting");
  assert.equal(status.crash, null);
});

Deno.test("transition() counts generations up by one at each start, never down, whatever happens", () => {
  const event = fc.oneof(...Object.values(events).map((one) => fc.constant(one)));
  fc.assert(fc.property(fc.array(event, { maxLength: 30 }), (sequence) => {
    let status = initialStatus(0);
    for (const next of sequence) {
      const before = status;
      try {
        status = transition(status, next);
      } catch (error) {
        assert.ok(error instanceof TypeError);
      }
      const step = status.generation - before.generation;
      const isNew = next.kind === "start" || next.kind === "ready";
      assert.ok(step === 0 || (step === 1 && isNew && status !== before));
    }
  }));
});
