import assert from "node:assert/strict";
import { callableMembers } from "../../src/proxy/callable_members.ts";

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
