import assert from "node:assert/strict";
import { closeSync, ftruncateSync, openSync } from "node:fs";
import { ProtocolError } from "../../src/errors.ts";
import type { Tensor } from "../../src/tensor/mod.ts";
import { nativeTest } from "../native/test_native.ts";
import { eventually } from "./peers.ts";
import { KIND, memoryDescriptors, PURPOSE, rawMessage, RawPeer } from "./raw_peer.ts";

const MIB = 2 ** 20;
const FLOAT32 = 2;
const UINT8 = 8;

async function withPeer(body: (peer: RawPeer) => Promise<void> | void, limits = {}): Promise<void> {
  await using peer = await RawPeer.start(limits);
  await body(peer);
}

function refuses(peer: RawPeer, payload: unknown, message: RegExp, tag = "tensor"): void {
  assert.throws(() => peer.types.read({ tag, payload }), (error) => {
    assert(error instanceof ProtocolError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

Deno.test(
  nativeTest("a guest that keeps to the protocol is understood (positive control)"),
  () =>
    withPeer(async (peer) => {
      const granted = await peer.ask(MIB);
      assert.deepEqual([granted.kind, granted.a, granted.b, granted.c], [KIND.grant, MIB, PURPOSE.made, 1]);
      peer.native.fill(granted.fd, 0, new Uint8Array([7, 8, 9]));
      const payload = [UINT8, [MIB], null, 0, [2, granted.id, 1, 0]];
      using tensor = peer.types.read({ tag: "tensor", payload }) as Tensor;
      assert.deepEqual([...(tensor.slice([0, 3]).data as Uint8Array)], [7, 8, 9]);
      peer.native.close(granted.fd);
      assert.deepEqual(peer.violations, []);
    }),
);

function resized(path: string, bytes: number): string {
  const fd = openSync(path, "r+");
  try {
    ftruncateSync(fd, bytes);
    return "done";
  } catch (error) {
    return String(error);
  } finally {
    closeSync(fd);
  }
}

const inline = (bytes: number): unknown => [0, new ArrayBuffer(bytes)];

/** As long as it says, without taking any memory. */
function emptyList(length: number): unknown[] {
  return Object.assign([], { length });
}

const HEADERS: readonly (readonly [string, unknown, RegExp])[] = [
  ["that is no list", { shape: [1] }, /must be a list of 5$/],
  ["that is too short", [FLOAT32, [1], null, 0], /must be a list of 5$/],
  ["with an unknown dtype", [99, [1], null, 0, inline(4)], /dtype 99 is unknown$/],
  ["whose dtype is text", ["__proto__", [1], null, 0, inline(4)], /dtype __proto__ is unknown$/],
  ["with a negative size", [FLOAT32, [-1], null, 0, inline(4)], /integers of 0 or more: -1$/],
  ["with a fractional size", [FLOAT32, [0.5], null, 0, inline(4)], /integers of 0 or more: 0.5$/],
  ["with NaN for a size", [FLOAT32, [NaN], null, 0, inline(4)], /integers of 0 or more: NaN$/],
  ["whose shape overflows", [FLOAT32, [2 ** 40, 2 ** 40], null, 0, inline(4)], /too large$/],
  ["whose shape overflows behind a 0", [FLOAT32, [0, 2 ** 40, 2 ** 40], null, 0, inline(0)], /too large$/],
  ["whose bytes overflow", [3, [2 ** 51], null, 0, inline(4)], /too large$/],
  ["with 33 dimensions", [FLOAT32, Array(33).fill(1), null, 0, inline(4)], /at most 32 dimensions$/],
  ["with 2^31 dimensions", [FLOAT32, emptyList(2 ** 31), null, 0, inline(4)], /at most 32 dimensions$/],
  ["with 2^31 strides", [FLOAT32, [1], emptyList(2 ** 31), 0, inline(4)], /at most 32 dimensions$/],
  ["with more elements than bytes", [FLOAT32, [2], null, 0, inline(4)], /8 bytes as 4 were sent$/],
  ["with fewer elements than bytes", [FLOAT32, [1], null, 0, inline(8)], /4 bytes as 8 were sent$/],
  ["with negative strides", [FLOAT32, [2, 2], [-2, 1], 0, inline(16)], /integers of 0 or more: -2$/],
  ["with overlapping strides", [FLOAT32, [2, 2], [1, 1], 0, inline(16)], /elements overlap$/],
  ["with a stride of 0", [FLOAT32, [2, 2], [0, 1], 0, inline(16)], /elements overlap$/],
  ["whose strides reach beyond", [FLOAT32, [2, 2], [4, 1], 0, inline(16)], /reach beyond shape \[2, 2\]$/],
  ["whose strides overflow", [FLOAT32, [2, 2], [2 ** 53 - 1, 1], 0, inline(16)], /reach (too far|beyond)/],
  ["with one stride for two sizes", [FLOAT32, [2, 2], [1], 0, inline(16)], /1 strides for 2 sizes$/],
  ["with unknown ownership", [FLOAT32, [1], null, 7, inline(4)], /ownership is unknown$/],
  ["with an unknown place", [FLOAT32, [1], null, 0, [9]], /form is wrong: 9$/],
  ["that names an arena without having one", [FLOAT32, [64], null, 0, [1, 0, 1]], /does not have$/],
  [
    "that names memory of somebody else",
    [UINT8, [MIB], null, 0, [2, 77, 1, 0]],
    /memory 77 that it does not have$/,
  ],
  ["with bytes for no elements", [FLOAT32, [0], null, 0, inline(4)], /must have no bytes$/],
  [
    "with a huge bigint",
    [FLOAT32, [2n ** 64n], null, 0, inline(4)],
    /integers of 0 or more: 18446744073709551616$/,
  ],
];

for (const [what, payload, message] of HEADERS) {
  Deno.test(
    nativeTest(`a header ${what} is refused`),
    () => withPeer((peer) => refuses(peer, payload, message)),
  );
}

Deno.test(
  nativeTest("a block outside the arena is refused, one at its end is not"),
  () =>
    withPeer(async (peer) => {
      const arena = await peer.askArena();
      assert.equal(arena.b, PURPOSE.guestArena);
      const block = (offset: number, bytes: number): unknown => [UINT8, [bytes], null, 0, [1, offset, 5]];
      (peer.types.read({ tag: "tensor", payload: block(arena.a - 64, 64) }) as Tensor).dispose();
      refuses(peer, block(arena.a - 64, 65), /names 65 bytes at \d+ of an arena/);
      refuses(peer, block(arena.a, 64), /names 64 bytes/);
      refuses(peer, block(2 ** 52, 64), /names 64 bytes/);
      refuses(peer, block(32, 64), /offset 32 is not aligned$/);
      refuses(peer, block(0, 2 ** 50), /names \d+ bytes/);
      peer.native.close(arena.fd);
    }),
);

Deno.test(
  nativeTest("memory of another size than the header says is refused"),
  () =>
    withPeer(async (peer) => {
      const { id, fd } = await peer.ask(MIB);
      refuses(peer, [UINT8, [MIB - 1], null, 0, [2, id, 1, 0]], /names 1048575 bytes in memory of 1048576$/);
      refuses(peer, [UINT8, [2 * MIB], null, 0, [2, id, 1, 0]], /names 2097152 bytes in memory of 1048576$/);
      peer.native.close(fd);
    }),
);

Deno.test(
  nativeTest("a guest cannot shrink or grow memory that the host may have mapped"),
  () =>
    withPeer(async (peer) => {
      const { id, fd } = await peer.ask(MIB);
      const payload = [UINT8, [MIB], null, 0, [2, id, 1, 0]];
      using tensor = peer.types.read({ tag: "tensor", payload }) as Tensor;
      const path = await Deno.makeTempFile();
      await Deno.truncate(path, MIB);
      for (const size of [0, MIB - 1, 2 * MIB]) {
        // The same works for a file (positive control): the seal is the difference.
        assert.equal(resized(path, size), "done");
        assert.match(resized(`/proc/self/fd/${fd}`, size), /Operation not permitted/);
      }
      await Deno.remove(path);
      assert.equal(tensor.at(MIB - 1), 0);
      peer.native.close(fd);
    }),
);

Deno.test(
  nativeTest("a guest that gives memory away and keeps writing to it is found out by the kernel"),
  () =>
    withPeer(async (peer) => {
      const { id, fd } = await peer.ask(MIB);
      const window = peer.native.reserveWindow(2 * MIB);
      window.map(0, fd, 0, MIB, "shared");
      refuses(peer, [UINT8, [MIB], null, 1, [2, id, 1, 1]], /gives memory away and keeps it$/);
      window.unmap(0, MIB);
      peer.native.close(fd);
    }),
);

Deno.test(nativeTest("what a guest gave away cannot change any more"), () =>
  withPeer(async (peer) => {
    const { id, fd } = await peer.ask(MIB);
    peer.native.fill(fd, 0, new Uint8Array([1]));
    using tensor = peer.types.read({
      tag: "tensor",
      payload: [UINT8, [MIB], null, 1, [2, id, 1, 1]],
    }) as Tensor;
    assert.equal(tensor.readOnly, true);
    assert.throws(() => peer.native.fill(fd, 0, new Uint8Array([2])), { errno: "EPERM" });
    (tensor.data as Uint8Array)[1] = 5;
    assert.deepEqual([...(tensor.data as Uint8Array).subarray(0, 2)], [1, 5]);
    peer.native.close(fd);
  }));

Deno.test(
  nativeTest("an array that a guest keeps writing to does not change under the host"),
  () =>
    withPeer(async (peer) => {
      const { id, fd } = await peer.ask(MIB);
      const array = peer.types.read({ tag: "array", payload: [0, MIB, [2, id, 1, 0]] }) as Uint8Array;
      peer.native.fill(fd, 0, new Uint8Array([2]));
      assert.equal(array[0], 0);
      peer.native.close(fd);
    }),
);

Deno.test(nativeTest("an array header that lies is refused"), () =>
  withPeer((peer) => {
    refuses(peer, [0, 5, inline(4)], /5 bytes as 4 were sent$/, "array");
    refuses(peer, [99, 4, inline(4)], /type 99 is unknown$/, "array");
    refuses(peer, [0, 0, inline(0)], /length is out of range: 0$/, "array");
    refuses(peer, [7, 2 ** 52, inline(4)], /length is out of range/, "array");
    refuses(peer, [0, 4], /must be a list of 3$/, "array");
  }));

async function violation(peer: RawPeer): Promise<string> {
  await eventually(() => peer.violations.length > 0, () => peer.host.stats());
  return peer.violations[0]?.message ?? "";
}

Deno.test(
  nativeTest("any descriptor that a guest sends ends the connection"),
  () =>
    withPeer(async (peer) => {
      const fd = peer.native.memfd(4096);
      peer.say(KIND.picked, [1], 0, fd);
      assert.match(
        await violation(peer),
        /^Cannot share memory with "hostile" as it sends a descriptor, which no plugin may$/,
      );
      peer.native.close(fd);
    }),
);

const MESSAGES: readonly (readonly [string, (peer: RawPeer) => void, RegExp])[] = [
  [
    "a message that is too short",
    (peer) => peer.native.send(peer.fd, new Uint8Array(39)),
    /its form is wrong$/,
  ],
  ["a message that is too long", (peer) => peer.native.send(peer.fd, new Uint8Array(41)), /breaks the form$/],
  ["numbers that are none", (peer) => peer.say(KIND.request, [NaN, 1]), /its form is wrong$/],
  ["negative numbers", (peer) => peer.say(KIND.request, [1, -5]), /its form is wrong$/],
  ["a message of unknown kind", (peer) => peer.say(99, [1]), /unknown kind 99/],
  ["a grant, which is the host's", (peer) => peer.say(KIND.grant, [1, 1]), /unknown kind 1/],
  [
    "a release of what was never sent",
    (peer) => peer.say(KIND.released, [5]),
    /lease 5 as it was never given$/,
  ],
  ["back what it does not have", (peer) => peer.say(KIND.giveBack, [5]), /gives back memory 5/],
  ["back what it was lent", giveBackLent, /gives back memory 1 that it did not ask for$/],
  [
    "a wish for a second arena",
    (peer) => [1, 2].forEach((id) => peer.say(KIND.request, [id, 0], 1)),
    /second arena/,
  ],
];

function giveBackLent(peer: RawPeer): void {
  using tensor = peer.host.tensor([MIB], "uint8", { shared: true });
  peer.types.write(tensor);
  peer.say(KIND.giveBack, [1]);
}

for (const [what, act, message] of MESSAGES) {
  Deno.test(nativeTest(`a guest that sends ${what} is ended`), () =>
    withPeer(async (peer) => {
      act(peer);
      assert.match(await violation(peer), message);
      assert.equal(peer.host.stats().leases, 0);
    }));
}

Deno.test(
  nativeTest("a guest cannot have more memory than its budget, nor more pieces"),
  () =>
    withPeer(async (peer) => {
      const first = await peer.ask(3 * MIB);
      assert.equal(first.kind, KIND.grant);
      const second = await peer.ask(2 * MIB);
      assert.deepEqual([second.kind, second.a, second.b, second.c], [KIND.refuse, 2 * MIB, MIB, 4 * MIB]);
      assert.equal((await peer.ask(0)).kind, KIND.refuse);
      assert.equal((await peer.ask(2 ** 53 - 1)).kind, KIND.refuse);
      const small = await peer.ask(1);
      assert.equal(small.kind, KIND.grant);
      assert.equal((await peer.ask(1)).kind, KIND.refuse);
      peer.say(KIND.giveBack, [first.id]);
      const third = await peer.ask(2 * MIB);
      assert.equal(third.kind, KIND.grant);
      for (const { fd } of [first, small, third]) peer.native.close(fd);
    }, { pluginBytes: 4 * MIB, pluginRegions: 2 }),
);

Deno.test(
  nativeTest("a guest that names the same memory again and again cannot use up the host's address space"),
  () =>
    withPeer(async (peer) => {
      const { id, fd } = await peer.ask(3 * MIB);
      const kept: Tensor[] = [];
      const payload = [UINT8, [3 * MIB], null, 0, [2, id, 1, 0]];
      kept.push(peer.types.read({ tag: "tensor", payload }) as Tensor);
      assert.throws(() => peer.types.read({ tag: "tensor", payload }), {
        name: "MemoryPressureError",
        limit: "pluginBytes",
        asked: 3 * MIB,
        free: MIB,
        allowed: 4 * MIB,
      });
      for (const tensor of kept) tensor.dispose();
      (peer.types.read({ tag: "tensor", payload }) as Tensor).dispose();
      peer.native.close(fd);
    }, { pluginBytes: 4 * MIB }),
);

Deno.test(nativeTest("a guest that never reads does not stop the host"), () =>
  withPeer((peer) => {
    for (let round = 0; round < 2000; round++) {
      using tensor = peer.host.tensor([8], "uint8", { shared: true });
      peer.types.write(tensor);
    }
    assert.equal(peer.host.stats().leases, 2000);
  }));

Deno.test(
  nativeTest("a flood of messages leaves the host's other work its turns"),
  () =>
    withPeer(async (peer) => {
      for (let round = 0; round < 20; round++) {
        while (peer.native.send(peer.fd, rawMessage(KIND.expired, [round + 1])));
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      assert.deepEqual(peer.violations, []);
    }),
);

/** Send until there is no room; false when the host has closed the channel. */
function flood(peer: RawPeer): boolean {
  try {
    while (peer.native.send(peer.fd, rawMessage(KIND.expired, [1])));
    return true;
  } catch (error) {
    assert.match((error as { errno: string }).errno, /^(EPIPE|ECONNRESET)$/);
    return false;
  }
}

Deno.test(
  nativeTest("a guest that makes the host answer and never reads the answers is ended"),
  () =>
    withPeer(async (peer) => {
      while (flood(peer)) await new Promise((resolve) => setTimeout(resolve, 0));
      assert.match(await violation(peer), /does not read its messages$/);
    }),
);

Deno.test(
  nativeTest("a guest that gives back what it has not read yet gets that, and nothing that was opened since"),
  () =>
    withPeer(async (peer) => {
      // Grants that nobody reads fill the socket; the rest waits in the host.
      const count = 500;
      const before = memoryDescriptors();
      for (let request = 1; request <= count; request++) {
        while (!peer.native.send(peer.fd, rawMessage(KIND.request, [request, 4096]))) await turn();
      }
      await eventually(() => peer.host.stats().regions === count, () => peer.host.stats());
      for (let grant = 1; grant <= count; grant++) {
        while (!peer.native.send(peer.fd, rawMessage(KIND.giveBack, [grant]))) await turn();
      }
      await eventually(() => peer.host.stats().regions === 0, () => peer.host.stats());
      // These take the numbers of descriptors that were closed meanwhile.
      const others = Array.from({ length: count }, () => peer.native.memfd(8192));
      for (let grant = 1; grant <= count; grant++) {
        const { kind, id, fd } = await peer.hear();
        assert.deepEqual([kind, id], [KIND.grant, grant]);
        assert.equal(peer.native.regionFacts(fd).bytes, 4096);
        peer.native.close(fd);
      }
      others.forEach((fd) => peer.native.close(fd));
      assert.deepEqual(peer.violations, []);
      assert.ok(memoryDescriptors() <= before, "what waited in the host is closed");
    }),
);

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
