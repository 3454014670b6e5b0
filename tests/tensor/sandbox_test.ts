import assert from "node:assert/strict";
import { createHost, type Host, type Plugin, type Tensor } from "../../mod.ts";
import type * as Sandboxed from "../fixtures/tensor/sandboxed.ts";
import { eventually } from "./peers.ts";

const BWRAP = ["/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap"].find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
});
const SKIP = BWRAP === undefined ? " [skipped: no bwrap]" : "";
const PLUGIN = new URL("../fixtures/tensor/sandboxed.ts", import.meta.url);
const LARGE = 300_000;

interface Sandbox {
  readonly host: Host;
  readonly plugin: Plugin<typeof Sandboxed>;
}

function sandboxTest(name: string, body: (sandbox: Sandbox) => Promise<void>): void {
  Deno.test({
    name: `${name}${SKIP}`,
    ignore: SKIP !== "",
    async fn() {
      await using host = await createHost();
      await using plugin = await host.load<typeof Sandboxed>(PLUGIN);
      await body({ host, plugin });
    },
  });
}

sandboxTest(
  "a plugin finds every door to FFI closed while tensors flow both ways",
  async ({ host, plugin }) => {
    const closed = {
      dlopen: "NotCapable",
      // There is no way to a pointer to try it with.
      getArrayBuffer: "TypeError",
      pointerCreate: "NotCapable",
      pointerOf: "NotCapable",
      callback: "NotCapable",
      processDlopen: "NotCapable",
      require: "NotCapable",
      request: "denied",
    };
    for (let round = 1; round <= 3; round++) {
      using sent = host.tensor([LARGE]);
      (sent.data as Float32Array).fill(round);
      assert.equal(await plugin.api.sum(sent), round * LARGE);
      using made = await plugin.api.make(LARGE, round) as unknown as Tensor;
      assert.equal(made.at(LARGE - 1), round);
      using given = await plugin.api.give(LARGE, round) as unknown as Tensor;
      assert.deepEqual([given.at(0), given.readOnly], [round, true]);
      assert.deepEqual(await plugin.api.doors(), closed);
    }
  },
);

sandboxTest("a plugin may make tensors far larger than the files that it may write", async ({ plugin }) => {
  using tensor = await plugin.api.make(2 ** 26, 2) as unknown as Tensor;
  assert.equal(tensor.byteLength, 2 ** 28);
  assert.equal(tensor.at(2 ** 26 - 1), 2);
});

sandboxTest("a lent tensor shows the plugin's writes, a frozen one does not", async ({ host, plugin }) => {
  using lent = host.tensor([LARGE]);
  await plugin.api.write(lent as never, 3, 9);
  assert.equal(lent.at(3), 9);
  using frozen = host.tensor([LARGE]).freeze();
  await plugin.api.write(frozen as never, 3, 9);
  assert.equal(frozen.at(3), 0);
});

sandboxTest(
  "a plugin's collector counts the address space for tensors once it is needed",
  async ({ host, plugin }) => {
    using near = host.tensor([LARGE]);
    (near.data as Float32Array).fill(1);
    await plugin.api.keep(near);
    const GIB = 2 ** 30;
    for (let round = 0; await plugin.api.countedBytes() > GIB; round++) {
      assert.ok(round < 100, "once it has run it does not know of 64 GiB any more");
      await plugin.api.makeGarbage();
    }
    using far = host.tensor([100 * 2 ** 20]);
    const data = far.data as Float32Array;
    data[data.length - 1] = 5;
    assert.equal(await plugin.api.write(far, 0, 4), undefined);
    assert.equal(data[0], 4);
    assert.ok(await plugin.api.countedBytes() > 64 * GIB, "the control: now it has");
    (near.data as Float32Array)[LARGE - 1] = 3;
    assert.deepEqual(await plugin.api.keptEnds(), [1, 3], "what lies before stays where it was");
    await plugin.api.keep(far);
    assert.deepEqual(await plugin.api.keptEnds(), [4, 5]);
  },
);

sandboxTest("large typed arrays cross a sandbox both ways", async ({ plugin }) => {
  for (const length of [20_000, LARGE]) {
    const array = new Float32Array(length).map((_, index) => index % 5);
    assert.deepEqual(await plugin.api.echo(array), array);
  }
});

sandboxTest("a plugin that is killed while it holds tensors leaves nothing", async ({ host, plugin }) => {
  for (let round = 0; round < 5; round++) {
    using tensor = host.tensor([LARGE]);
    await plugin.api.keep(tensor as never);
    using small = host.tensor([20_000]);
    await plugin.api.keep(small as never);
  }
  const made = await plugin.api.make(LARGE, 7) as unknown as Tensor;
  assert.equal(host.tensorStats().leases, 10);
  await plugin[Symbol.asyncDispose]();
  assert.equal(made.at(5), 7);
  made.dispose();
  await eventually(() => host.tensorStats().usedBytes === 0, () => host.tensorStats());
  assert.deepEqual([host.tensorStats().leases, host.tensorStats().regions], [0, 0]);
});
