import { deepEqual, equal, rejects } from "node:assert/strict";
import { GuestSocket } from "../../src/launcher/guest_socket.ts";
import { NOBODY } from "./sandbox_harness.ts";

const isRoot = Deno.uid() === 0;
const never = new Promise<never>(() => {});

/** A path for a socket, in a directory that ends with the test. */
async function socketPath(): Promise<AsyncDisposable & { readonly path: string }> {
  const directory = await Deno.makeTempDir({ prefix: "cordon-socket-" });
  return { path: `${directory}/rpc.sock`, [Symbol.asyncDispose]: () => Deno.remove(directory) };
}

Deno.test("GuestSocket is open to the host's own account only", async () => {
  await using place = await socketPath();
  using _socket = new GuestSocket(place.path, null);
  equal(Deno.lstatSync(place.path).mode! & 0o777, 0o600);
});

Deno.test({
  name: `GuestSocket is open to the sandbox's group besides${isRoot ? "" : " [skipped: needs a root host]"}`,
  ignore: !isRoot,
  fn: async () => {
    await using place = await socketPath();
    using _socket = new GuestSocket(place.path, NOBODY);
    const { mode, uid, gid } = Deno.lstatSync(place.path);
    deepEqual([mode! & 0o777, uid, gid], [0o660, 0, NOBODY.gid]);
  },
});

Deno.test("GuestSocket.accept() takes the connection after that of the report, and none of its own", async () => {
  await using place = await socketPath();
  using socket = new GuestSocket(place.path, null, true);
  const reported = socket.readStatus(() => {});
  const ended = Promise.withResolvers<never>();
  const guest = rejects(socket.accept(ended.promise, new AbortController().signal), {
    message: "it has ended",
  });
  // The report's connection waits to be accepted when the end of the sandbox is told.
  const report = await Deno.connect({ transport: "unix", path: place.path });
  const told = socket.endStatus();
  report.close();
  await Promise.all([told, reported]);
  ended.reject(new Error("it has ended"));
  await guest;
});

Deno.test("GuestSocket.accept() gives a guest that follows its report", async () => {
  await using place = await socketPath();
  using socket = new GuestSocket(place.path, null, true);
  const chunks: Uint8Array[] = [];
  const reported = socket.readStatus((chunk) => chunks.push(chunk.slice()));
  const report = await Deno.connect({ transport: "unix", path: place.path });
  await report.write(new Uint8Array([7]));
  const accepted = socket.accept(never, new AbortController().signal);
  using guest = await Deno.connect({ transport: "unix", path: place.path });
  using connection = await accepted;
  await guest.write(new Uint8Array([8]));
  const buffer = new Uint8Array(2);
  deepEqual([await connection.read(buffer), buffer[0]], [1, 8]);
  report.close();
  await reported;
  deepEqual(chunks, [new Uint8Array([7])]);
});

Deno.test("GuestSocket disposal closes a connection that nobody waits for any more, and removes the socket", async () => {
  await using place = await socketPath();
  const socket = new GuestSocket(place.path, null);
  const controller = new AbortController();
  const accepted = rejects(socket.accept(never, controller.signal), (reason) => reason === "enough");
  controller.abort("enough");
  await accepted;
  using guest = await Deno.connect({ transport: "unix", path: place.path });
  // It comes before this one: what was accepted first is the guest's.
  await new Promise((resolve) => setTimeout(resolve, 0));
  socket[Symbol.dispose]();
  equal(await guest.read(new Uint8Array(1)), null);
  await rejects(Deno.lstat(place.path), Deno.errors.NotFound);
  await rejects(socket.accept(never, new AbortController().signal), { name: "DisposedError" });
});
