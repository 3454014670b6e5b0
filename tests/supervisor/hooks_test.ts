import assert from "node:assert/strict";
import { Hooks } from "../../src/supervisor/hooks.ts";
import { settle } from "../util/fake_clock.ts";

interface Events {
  readonly loaded: string;
  readonly unloaded: number;
}

function hooks() {
  const errors: unknown[] = [];
  return { errors, hooks: new Hooks<Events>((error, name) => errors.push([String(error), name])) };
}

Deno.test("Hooks call listeners in the order of adding, each for its own events", () => {
  const { hooks: own } = hooks();
  const seen: unknown[] = [];
  own.on("loaded", (event) => seen.push(["first", event]));
  own.on("loaded", (event) => seen.push(["second", event]));
  own.on("unloaded", (event) => seen.push(["other", event]));
  own.emit("loaded", "a");
  assert.deepEqual(seen, [["first", "a"], ["second", "a"]]);
});

Deno.test("Hooks go on when a listener throws or rejects, and tell about it", async () => {
  const { hooks: own, errors } = hooks();
  const seen: string[] = [];
  own.on("loaded", () => {
    throw new Error("thrown");
  });
  own.on("loaded", () => Promise.reject(new Error("rejected")));
  own.on("loaded", (event) => seen.push(event));
  own.emit("loaded", "a");
  await settle();
  assert.deepEqual(seen, ["a"]);
  assert.deepEqual(errors, [["Error: thrown", "loaded"], ["Error: rejected", "loaded"]]);
});

Deno.test("Hooks forget a listener that is disposed, also while they are calling", () => {
  const { hooks: own } = hooks();
  const seen: string[] = [];
  const first = own.on("loaded", () => {
    seen.push("first");
    first[Symbol.dispose]();
    own.on("loaded", () => seen.push("late"));
  });
  own.emit("loaded", "a");
  assert.deepEqual(seen, ["first"]);
  own.emit("loaded", "b");
  assert.deepEqual(seen, ["first", "late"]);
});

Deno.test("Hooks.has() tells whether anybody listens", () => {
  const { hooks: own } = hooks();
  assert.equal(own.has("loaded"), false);
  const listener = own.on("loaded", () => {});
  assert.equal(own.has("loaded"), true);
  listener[Symbol.dispose]();
  assert.equal(own.has("loaded"), false);
});
