/** What people are told about tensors on devices, and how often. */

import assert from "node:assert/strict";
import type { CudaTensor } from "../../src/tensor/cuda/mod.ts";
import { RawPeer } from "../tensor/raw_peer.ts";
import { localCuda } from "./local_cuda.ts";
import { type StandInOptions, standInTest } from "./stand_in.ts";

/** Numbers, written out: they are the protocol. */
const KIND = { state: 8, request: 10 } as const;
const STATE = { failed: 0, started: 1, works: 2 } as const;
const UINT8 = 8;
const MADE = 2;
const MB = 1e6;

interface Trial {
  readonly peer: RawPeer;
  readonly cuda: Awaited<ReturnType<typeof localCuda>>["cuda"];
  readonly notices: readonly string[];
}

async function withPeer(body: (trial: Trial) => Promise<void>, options: StandInOptions = {}): Promise<void> {
  const notices: string[] = [];
  const host = await localCuda(options, notices);
  const peer = await RawPeer.start();
  host.connect({ link: peer.link, types: peer.types, plugin: "plugin", isGranted: true, sharesPids: false });
  try {
    await body({ peer, cuda: host.cuda, notices });
    assert.deepEqual(peer.violations, []);
  } finally {
    await peer[Symbol.asyncDispose]();
    host[Symbol.dispose]();
  }
}

/** Say that the driver runs and that the trial worked. */
async function greet({ peer, cuda }: Trial): Promise<void> {
  const identity = [...cuda.devices.map(({ uuid }) => uuid).join()]
    .reduce((hash, character) => (hash * 31 + character.charCodeAt(0)) % 2 ** 47, 0);
  peer.say(KIND.state, [STATE.started, cuda.driverVersion, identity]);
  peer.native.close((await peer.hear()).fd);
  peer.say(KIND.state, [STATE.works]);
}

/** A tensor that the peer asked for and lends to the host. */
async function received({ peer }: Trial, bytes: number): Promise<CudaTensor> {
  peer.say(KIND.request, [1, bytes, 0]);
  const made = await peer.hear();
  peer.native.close(made.fd);
  return peer.types.read({ tag: "cuda", payload: [UINT8, [bytes], 0, MADE, [made.id, 1]] }) as CudaTensor;
}

for (const [megabytes, isTold] of [[99, false], [101, true]] as const) {
  Deno.test(
    standInTest(
      `sending ${megabytes} MB on that were received copies them, ${isTold ? "with a" : "without a"} warning`,
    ),
    () =>
      withPeer(async (trial) => {
        const { peer, cuda, notices } = trial;
        await greet(trial);
        using tensor = await received(trial, megabytes * MB);
        const before = cuda.memory().free;
        peer.types.write(tensor);
        assert.ok(before - cuda.memory().free >= megabytes * MB, "there is a copy");
        assert.deepEqual(
          notices,
          isTold
            ? [`A tensor of ${megabytes} MB on cuda:0 is copied, as it was received before it was sent on`]
            : [],
        );
      }),
  );
}

Deno.test(
  standInTest("that a plugin cannot map memory is said once, however much is sent"),
  () =>
    withPeer(async (trial) => {
      const { peer, cuda, notices } = trial;
      peer.say(KIND.state, [STATE.failed]);
      peer.say(KIND.state, [STATE.failed]);
      using tensor = cuda.tensor([1024]);
      for (let round = 0; round < 3; round++) peer.types.write(tensor);
      await Promise.resolve();
      assert.deepEqual(notices, [
        'Tensors on devices travel to "plugin" through host memory, as "plugin" cannot map memory of this GPU',
      ]);
    }),
);

Deno.test(
  standInTest("that a plugin sees another driver or other devices is said once, and bytes travel"),
  () =>
    withPeer(async (trial) => {
      const { peer, cuda, notices } = trial;
      peer.say(KIND.state, [STATE.started, cuda.driverVersion + 10, 1]);
      assert.equal((await peer.hear()).fd, -1);
      using tensor = cuda.tensor([1024]);
      for (let round = 0; round < 3; round++) {
        const { payload } = peer.types.write(tensor) as { payload: unknown[] };
        assert.equal(payload[3], 0, "a copy");
      }
      assert.deepEqual(notices, [
        'Tensors on devices travel to "plugin" through host memory, as "plugin" sees another driver or other devices',
      ]);
    }),
);

Deno.test(
  standInTest("that there is no device is said once, and tensors work in host memory"),
  () =>
    withPeer(async ({ peer, cuda, notices }) => {
      for (let round = 0; round < 3; round++) {
        using tensor = cuda.tensor([1024]);
        assert.equal(tensor.status.memory, "host-memory");
        peer.types.write(tensor);
      }
      assert.equal(notices.length, 1);
      assert.match(
        notices[0] ?? "",
        /^Tensors of devices are kept in host memory: .*: CUDA_ERROR_NO_DEVICE$/,
      );
      await Promise.resolve();
    }, { devices: 0 }),
);
