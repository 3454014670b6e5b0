import assert from "node:assert/strict";
import { callableMembers } from "../../src/proxy/callable_members.ts";
import { local } from "../../src/proxy/mod.ts";

class Animal {
  sound(): string {
    return "none";
  }
  legs(): number {
    return 4;
  }
}

class Dog extends Animal {
  readonly Collar = class Collar {};
  override sound(): string {
    return "woof";
  }
}

Deno.test("callableMembers() takes the nearest of methods with one name, and inherited ones besides", () => {
  const members = callableMembers(new Dog(), "all", "dog");
  assert.deepEqual([members.get("sound")?.(), members.get("legs")?.()], ["woof", 4]);
});

Deno.test("callableMembers() calls no class a method: nobody constructs what a peer names", () => {
  assert.deepEqual([...callableMembers(new Dog(), "all", "dog").keys()].sort(), ["legs", "sound"]);
  assert.throws(() => callableMembers(new Dog(), ["Collar"], "dog"), {
    name: "TypeError",
    message: 'Cannot expose "dog.Collar" as it must be a method: it is not one that may be called',
  });
});

Deno.test("callableMembers() leaves out what a class hides: no peer reaches the method behind it", () => {
  class Local extends Animal {
    @local
    override sound(): string {
      return "runs where it is called";
    }
  }
  const empty = Object.assign(new Animal(), { sound: undefined });
  const accessor = Object.defineProperty(new Animal(), "sound", { get: () => () => "never run" });
  for (const hidden of [new Local(), empty, accessor]) {
    assert.deepEqual([...callableMembers(hidden, "all", "animal").keys()], ["legs"]);
    assert.throws(() => callableMembers(hidden, ["sound"], "animal"), {
      name: "TypeError",
      message: 'Cannot expose "animal.sound" as it must be a method: it is not one that may be called',
    });
  }
});
