import assert from "node:assert/strict";
import { NativeError } from "../../src/errors.ts";
import { type Native, widenConnection } from "../../src/native/mod.ts";

const PATH = "/run/rpc.sock";

/** What the library is asked for when a connection has these names at its ends. */
function asked(
  local: string | null,
  remote: string | null,
  sendRoom: Native["sendRoom"] = () => 1,
): unknown[] {
  const calls: unknown[] = [];
  const native = {
    sendRoom(path: string, bytes: number) {
      calls.push([path, bytes]);
      return sendRoom(path, bytes);
    },
  } as Native;
  const [localAddr, remoteAddr] = [local, remote].map((path) => ({ transport: "unix", path }));
  widenConnection(native, { localAddr, remoteAddr } as Deno.UnixConn);
  return calls;
}

Deno.test("widenConnection() asks for a MiB in the connection of a name, at whichever end it is", () => {
  // The end that connected has none: null, or empty as the kernel says it.
  for (const none of ["", null]) {
    assert.deepEqual(asked(PATH, none), [[PATH, 2 ** 20]], "the host accepted");
    assert.deepEqual(asked(none, PATH), [[PATH, 2 ** 20]], "the guest connected");
    assert.deepEqual(asked(none, none), []);
  }
});

Deno.test("widenConnection() lets a connection go on that the system does not widen, and hides no other error", () => {
  const failing = (error: Error) =>
    asked(PATH, "", () => {
      throw error;
    });
  const refused = new NativeError("Cannot call setsockopt", { call: "sendRoom", errno: "EPERM" });
  assert.deepEqual(failing(refused), [[PATH, 2 ** 20]]);
  assert.throws(() => failing(new TypeError("another")), { message: "another" });
});
