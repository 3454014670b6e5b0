/** What a guest that was granted a GPU may say about device memory, and what ends it. */

import assert from "node:assert/strict";
import { ProtocolError } from "../../src/errors.ts";
import { type CudaTensor, openHostCuda } from "../../src/tensor/cuda/mod.ts";
import { testNativePath } from "../native/test_native.ts";
import { eventually } from "../tensor/peers.ts";
import { type RawMessage, RawPeer } from "../tensor/raw_peer.ts";
import { standIn, standInTest } from "./stand_in.ts";

/** Numbers, written out: they are the protocol. */
const KIND = { state: 8, grant: 9, request: 10, refuse: 11, giveBack: 12 } as const;
const STATE = { failed: 0, started: 1, works: 2 } as const;
const UINT8 = 8;
const MADE = 2;
const LENT = 1;

interface Trial {
  readonly peer: RawPeer;
  readonly tensor: () => CudaTensor;
  /** Say that the driver runs and that the trial memory was read. */
  greet(): Promise<RawMessage>;
  sharing(): string;
}

async function withPeer(body: (trial: Trial) => Promise<void> | void): Promise<void> {
  const [driver, libraryPath] = await Promise.all([standIn(), testNativePath()]);
  const peer = await RawPeer.start();
  const host = openHostCuda({
    libraryPath,
    driver,
    ipc: true,
    fallback: "host-copy",
    hostTensor: (shape, dtype) => peer.host.tensor(shape, dtype),
    onNotice: () => {},
  });
  const sharing = host.connect({
    link: peer.link,
    types: peer.types,
    plugin: "hostile",
    isGranted: true,
    sharesPids: false,
  });
  const identity = [...host.cuda.devices.map(({ uuid }) => uuid).join()]
    .reduce((hash, character) => (hash * 31 + character.charCodeAt(0)) % 2 ** 47, 0);
  try {
    await body({
      peer,
      sharing,
      tensor: () => host.cuda.tensor([16], "uint8"),
      async greet() {
        peer.say(KIND.state, [STATE.started, host.cuda.driverVersion, identity]);
        const trial = await peer.hear();
        peer.native.close(trial.fd);
        peer.say(KIND.state, [STATE.works]);
        return trial;
      },
    });
  } finally {
    await peer[Symbol.asyncDispose]();
    host[Symbol.dispose]();
  }
}

function refuses(peer: RawPeer, payload: unknown, message: RegExp): void {
  assert.throws(() => peer.types.read({ tag: "cuda", payload }), (error) => {
    assert(error instanceof ProtocolError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

async function ends(peer: RawPeer, message: RegExp): Promise<void> {
  await eventually(() => peer.violations.length > 0, () => peer.violations);
  assert.match(peer.violations[0]?.message ?? "", message);
}

Deno.test(
  standInTest("a guest that keeps to the protocol gets and gives device memory (positive control)"),
  () =>
    withPeer(async ({ peer, tensor, greet, sharing }) => {
      assert.equal((await greet()).kind, KIND.grant);
      peer.say(KIND.request, [1, 16, 0]);
      const made = await peer.hear();
      assert.deepEqual([made.kind, made.flags, made.b, made.c], [KIND.grant, 1, 0, 1]);
      peer.native.close(made.fd);
      assert.equal(sharing(), "descriptor");
      using seen = peer.types.read({
        tag: "cuda",
        payload: [UINT8, [16], 0, MADE, [made.id, 1]],
      }) as CudaTensor;
      assert.equal(seen.status.isReceived, true);
      using own = tensor();
      const { payload } = peer.types.write(own) as { payload: unknown[] };
      assert.equal(payload[3], LENT);
      assert.deepEqual(peer.violations, []);
    }),
);

for (
  const [what, payload, message] of [
    ["that is no list", {}, /must be a list of 5$/],
    ["with an unknown dtype", [99, [1], 0, 0, [0, new ArrayBuffer(1)]], /dtype 99 is unknown$/],
    ["whose shape overflows", [UINT8, [2 ** 40, 2 ** 40], 0, MADE, [1, 1]], /shape is too large$/],
    ["with a negative device", [UINT8, [1], -1, MADE, [1, 1]], /integers of 0 or more: -1$/],
    ["without a place", [UINT8, [1], 0, 9, [1, 1]], /says not where it is$/],
    [
      "that names memory of somebody else",
      [UINT8, [16], 0, MADE, [77, 1]],
      /memory 77 that it does not have$/,
    ],
    ["that lends the host memory", [UINT8, [16], 0, LENT, [1, 1]], /memory of a device as "lent"$/],
    ["with a handle", [UINT8, [16], 0, 3, [new ArrayBuffer(64), 1]], /memory of a device as "handle"$/],
    ["with half a handle", [UINT8, [16], 0, 3, [new ArrayBuffer(32), 1]], /its handle is none$/],
  ] as const
) {
  Deno.test(standInTest(`a device header ${what} is refused`), () =>
    withPeer(async ({ peer, greet }) => {
      await greet();
      refuses(peer, payload, message);
    }));
}

Deno.test(
  standInTest("a guest that names more than its device memory has is refused"),
  () =>
    withPeer(async ({ peer, greet }) => {
      await greet();
      peer.say(KIND.request, [1, 16, 0]);
      const made = await peer.hear();
      peer.native.close(made.fd);
      refuses(peer, [UINT8, [32], 0, MADE, [made.id, 1]], /names 32 bytes in device memory of 16$/);
    }),
);

Deno.test(
  standInTest("a guest that asks for more device memory than it may have gets numbers"),
  () =>
    withPeer(async ({ peer, greet }) => {
      await greet();
      peer.say(KIND.request, [5, 2 ** 40, 0]);
      const { kind, id, a } = await peer.hear();
      assert.deepEqual([kind, id, a], [KIND.refuse, 5, 2 ** 40]);
      peer.say(KIND.request, [6, 16, 99]);
      assert.equal((await peer.hear()).kind, KIND.refuse);
      assert.deepEqual(peer.violations, []);
    }),
);

Deno.test(
  standInTest("a guest that gives back device memory that it does not have is ended"),
  () =>
    withPeer(async ({ peer, greet }) => {
      await greet();
      peer.say(KIND.giveBack, [77]);
      await ends(peer, /gives back device memory 77 that it did not ask for$/);
    }),
);

Deno.test(
  standInTest("a guest that wants a second trial is ended"),
  () =>
    withPeer(async ({ peer, greet }) => {
      await greet();
      peer.say(KIND.state, [STATE.started, 12040, 1]);
      await ends(peer, /wants to try twice$/);
    }),
);

Deno.test(
  standInTest("a guest that claims success without a trial is sent bytes"),
  () =>
    withPeer(async ({ peer, tensor, sharing }) => {
      peer.say(KIND.state, [STATE.works]);
      using own = tensor();
      const { payload } = peer.types.write(own) as { payload: unknown[] };
      assert.equal(payload[3], 0);
      assert.equal(sharing(), "host-copy");
      await Promise.resolve();
    }),
);

Deno.test(
  standInTest("a guest with other devices is sent bytes"),
  () =>
    withPeer(async ({ peer, tensor, sharing }) => {
      peer.say(KIND.state, [STATE.started, 12040, 1]);
      assert.equal((await peer.hear()).kind, KIND.refuse);
      using own = tensor();
      peer.types.write(own);
      assert.equal(sharing(), "host-copy");
    }),
);
