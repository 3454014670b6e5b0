/** Shared memory that is lost, leaked or changed elsewhere. */

import assert from "node:assert/strict";
import { Tensor } from "../../src/tensor/mod.ts";
import { testHost } from "../testing/fixtures.ts";

interface Keeper {
  keep(tensor: Tensor): number;
  kept(): number[];
  drop(): number;
  make(): Tensor;
  scale(tensor: Tensor): void;
}

const KEEPER = `
  import { tensor } from "@cordon/cordon/plugin";
  let held: any[] = [];
  export const keep = (t: any) => held.push(t);
  export const kept = () => held.map((t) => t.data[0]);
  export const drop = () => { for (const t of held) t.dispose(); held = []; return 0; };
  export const make = () => { const t = tensor([1024, 1024], "float32"); t.data.fill(3); return t; };
  export const scale = (t: any) => { for (let i = 0; i < t.data.length; i++) t.data[i] *= 2; };
`;

Deno.test("a tensor lives as long as its receiver holds it, not for a number of seconds", async () => {
  await using test = await testHost();
  const plugin = await test.host.load<Keeper>(await test.plugin(KEEPER));
  const before = test.host.tensorStats().usedBytes;
  const tensor = test.host.tensor([512, 1024], "float32");
  (tensor.data as Float32Array).fill(7);
  await plugin.api.keep(tensor);
  tensor.dispose();
  assert.deepEqual(await plugin.api.kept(), [7]);
  assert.ok(test.host.tensorStats().usedBytes > before);
  await plugin.stop();
  assert.equal(test.host.tensorStats().usedBytes, before, "nothing stays when the holder is gone");
});

Deno.test("both sides see the same bytes of a tensor, however often it is sent", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Keeper>(await test.plugin(KEEPER));
  using tensor = test.host.tensor([1024, 1024], "float32");
  (tensor.data as Float32Array).fill(1);
  for (let i = 0; i < 3; i++) await plugin.api.scale(tensor);
  assert.equal(tensor.data[0], 8);
});

Deno.test("a tensor that one plugin made can be handed to another, and outlives its maker", async () => {
  await using test = await testHost();
  const path = await test.plugin(KEEPER);
  const maker = await test.host.load<Keeper>(path);
  await using user = await test.host.load<Keeper>(path);
  using made = await maker.api.make();
  await user.api.keep(made);
  await maker.stop();
  assert.deepEqual([made.data[0], await user.api.kept()], [3, [3]]);
});

Deno.test("a tensor is no NumPy array: dtype and shape survive, bfloat16 and views too", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<{ echo(tensor: Tensor): Tensor }>(
    await test.plugin(`export const echo = (t: any) => t;`),
  );
  for (const dtype of ["bfloat16", "float16", "int64", "bool", "float64"] as const) {
    using tensor = test.host.tensor([2, 3], dtype);
    using back = await plugin.api.echo(tensor);
    assert.deepEqual([back.dtype, [...back.shape]], [dtype, [2, 3]]);
    assert.ok(back instanceof Tensor);
  }
});
