/** What a guest says about memory that it was lent, that others see, or that it took back. */

import assert from "node:assert/strict";
import { ProtocolError } from "../../src/errors.ts";
import { move, type Tensor } from "../../src/tensor/mod.ts";
import { nativeTest } from "../native/test_native.ts";
import { eventually } from "./peers.ts";
import { KIND, memoryDescriptors, rawMessage, RawPeer } from "./raw_peer.ts";
import { WireTypes } from "./wire.ts";

const MIB = 2 ** 20;
const UINT8 = 8;

/** The header of a tensor of one MiB in memory of its own. */
function header(grant: number, lease: number, { isOwn = false, isGiven = false } = {}): unknown {
  return { tag: "tensor", payload: [UINT8, [MIB], null, Number(isOwn), [2, grant, lease, Number(isGiven)]] };
}

Deno.test(nativeTest("a guest cannot give away memory that it was lent, only send it back"), async () => {
  await using peer = await RawPeer.start();
  using lent = peer.host.tensor([MIB], "uint8", { shared: true });
  peer.types.write(lent);
  const { id, fd } = await peer.hear();
  (peer.types.read(header(id, 1)) as Tensor).dispose();
  assert.throws(() => peer.types.read(header(id, 2, { isOwn: true, isGiven: true })), (error) => {
    return error instanceof ProtocolError && /gives away memory that it was lent$/.test(error.message);
  });
  peer.native.fill(fd, 0, new Uint8Array([1]));
  peer.native.close(fd);
});

Deno.test(nativeTest("memory that another guest sees is copied, and its giver is no liar"), async () => {
  await using peer = await RawPeer.start();
  const { id, fd } = await peer.ask(MIB);
  peer.native.fill(fd, 0, new Uint8Array([7]));
  await using other = secondGuest(peer);
  {
    using read = peer.types.read(header(id, 1)) as Tensor;
    other.types.write(read);
  }
  const shown = await other.hear();
  const window = peer.native.reserveWindow(MIB);
  window.map(0, shown, 0, MIB, "shared");
  using given = peer.types.read(header(id, 2, { isOwn: true, isGiven: true })) as Tensor;
  new Uint8Array(window.arrayBuffer(0, MIB))[0] = 8;
  assert.equal(given.at(0), 7, "a copy: what the other guest still writes does not show");
  assert.deepEqual(peer.violations, []);
  window.unmap(0, MIB);
  for (const one of [fd, shown]) peer.native.close(one);
});

Deno.test(nativeTest("memory that is lent stays as it is when its tensor is given to somebody"), async () => {
  await using peer = await RawPeer.start();
  const tensor = peer.host.tensor([MIB], "uint8", { shared: true });
  peer.types.write(tensor);
  const lent = await peer.hear();
  peer.types.write(move(tensor));
  const given = await peer.hear();
  const [before, after] = [peer.native.regionFacts(lent.fd), peer.native.regionFacts(given.fd)];
  assert.equal(before.isWriteSealed, false, "whoever was lent it may still map it");
  assert.notEqual(given.id, lent.id);
  assert.equal(after.bytes, MIB);
  for (const { fd } of [lent, given]) peer.native.close(fd);
});

Deno.test(nativeTest("memory that a guest gave notice of cannot be received any more"), async () => {
  await using peer = await RawPeer.start();
  const { id, fd } = await peer.ask(MIB);
  (peer.types.read(header(id, 1)) as Tensor).dispose();
  peer.say(KIND.expired, [2]);
  let answer = await peer.hear();
  if (answer.kind === KIND.picked) answer = await peer.hear();
  assert.deepEqual([answer.kind, answer.id], [KIND.released, 2]);
  assert.throws(() => peer.types.read(header(id, 2)), {
    name: "DisposedError",
    message: "Cannot receive a tensor as it was not picked up in time: its sender let go of it",
  });
  peer.native.close(fd);
});

for (
  const [what, message] of [["good", rawMessage(KIND.picked, [1])], ["bad", new Uint8Array(39)]] as const
) {
  Deno.test(nativeTest(`a descriptor that a guest sends with a ${what} message is closed`), async () => {
    await using peer = await RawPeer.start();
    const fd = peer.native.memfd(4096);
    const before = memoryDescriptors();
    peer.native.send(peer.fd, message, fd);
    await eventually(() => peer.violations.length > 0, () => peer.host.stats());
    assert.equal(memoryDescriptors(), before);
    peer.native.close(fd);
  });
}

/** Another guest of the same host. */
function secondGuest(
  { native, host }: RawPeer,
): AsyncDisposable & { readonly types: WireTypes; hear(): Promise<number> } {
  const [here, there] = native.socketPair();
  const types = new WireTypes();
  const link = host.connect({ fd: here, plugin: "other", onViolation: (error) => assert.fail(error) });
  link.register(types);
  return {
    types,
    hear: async () => {
      await native.readable(there);
      return native.receive(there, new Uint8Array(40))!.fd;
    },
    [Symbol.asyncDispose]: async () => {
      await link[Symbol.asyncDispose]();
      native.close(there);
    },
  };
}
