import assert from "node:assert/strict";
import { PluginCrashedError } from "../../src/errors.ts";
import { Kind } from "../../src/rpc/messages.ts";
import { assertAlive, peer } from "./hostile_peer.ts";
import { marker } from "./raw_peer.ts";
import { until } from "./until.ts";

const refusedValues: readonly (readonly [string, unknown, RegExp])[] = [
  ["a thenable", { then: [marker("F"), 1] }, /would make the object a promise/],
  ["a handle with a method then", [marker("O"), 1, ["then"]], /must not have a method "then"/],
  ["a handle with a generator then", [marker("O"), 1, [], ["then"]], /must not have a method "then"/],
  ["a handle whose generators are no list", [marker("O"), 1, [], 7], /a handle needs members/],
  ["a handle whose generator is no name", [marker("O"), 1, [], [7]], /must be a string/],
  ["an unknown custom type", [marker("T"), "tensor", {}], /type "tensor" is not registered here/],
  ["an invalid regular expression", [marker("R"), "(", ""], /it must be valid/],
  ["an invalid URL", [marker("U"), "::"], /it must be valid/],
  ["a map with half a pair", [marker("M"), 1], /an element is missing/],
  ["an error without fields", [marker("E")], /needs a record of further fields/],
  ["an error whose name is a map", [marker("E"), "", {}, "", null, {}], /must be a string/],
  ["a marker that begins nothing", { a: marker("M") }, /must begin an array/],
  ["a callback without a number", [marker("F"), "1"], /must be a positive integer/],
];

for (const [what, value, reason] of refusedValues) {
  Deno.test(`RpcSession rejects the call, and lives on, when the result is ${what}`, async () => {
    await using raw = await peer();
    const call = raw.session.call("a", "b", []);
    raw.send(Kind.result, 1, value);
    await assert.rejects(call, { name: "SerializationError", message: reason });
    await assertAlive(raw);
  });

  Deno.test(`RpcSession answers with an error, and lives on, when an argument is ${what}`, async () => {
    await using raw = await peer();
    raw.send(Kind.call, 1, 0, "svc", "echo", [value]);
    await until(() => raw.received.some((message) => message[0] === Kind.error && message[1] === 1));
    await assertAlive(raw);
  });
}

Deno.test("A value that cannot be made is reported where nobody waits for it, and the session lives on", async () => {
  const failures: string[] = [];
  await using raw = await peer({
    onHandlerError: (error, where) => failures.push(`${where}: ${(error as Error).name}`),
  });
  raw.session.call("a", "b", [], { onProgress: () => {} }).catch(() => undefined);
  const unknown = [marker("T"), "tensor", {}];
  raw.send(Kind.event, "x", unknown);
  raw.send(Kind.progress, 1, unknown);
  raw.send(Kind.call, 1, 0, "svc", "wait", []);
  raw.send(Kind.cancel, 1, unknown);
  await assertAlive(raw);
  assert.deepEqual(failures, ['event "x": SerializationError', "onProgress: SerializationError"]);
});

Deno.test("An error from a peer cannot set properties that matter", async () => {
  await using raw = await peer();
  const call = raw.session.call("a", "b", []).catch((error) => error);
  const more = { toString: "x", constructor: "x", then: "x", hint: "x", code: "E_OK" };
  raw.send(Kind.error, 1, [marker("E"), "TypeError", "TypeError", "m", "s", more]);
  const error = await call as TypeError & { code: string };
  assert.equal(Object.getPrototypeOf(error), TypeError.prototype);
  assert.deepEqual(Object.keys(error), ["hint", "code"]);
  assert.equal(error.code, "E_OK");
});

Deno.test("An error from a peer cannot pretend to be a crash or a limit of the host", async () => {
  await using raw = await peer();
  const call = raw.session.call("a", "b", []).catch((error) => error);
  raw.send(Kind.error, 1, [marker("E"), "PluginCrashedError", "PluginCrashedError", "m", null, {
    reason: "signal",
  }]);
  const error = await call as Error;
  assert.equal(error.name, "RemoteError");
  assert.ok(!(error instanceof PluginCrashedError));
});
