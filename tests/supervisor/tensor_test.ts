/** Tensors through a real sandbox, in both directions. */

import assert from "node:assert/strict";
import { Tensor } from "../../src/tensor/mod.ts";
import { testHost } from "../testing/fixtures.ts";

interface Api {
  fill(tensor: Tensor, value: number): void;
  make(rows: number): Tensor;
  sum(values: Float32Array): number;
  doors(): string[];
}

const PLUGIN = `
  import { tensor } from "@cordon/cordon/plugin";
  export function fill(tensor, value) { tensor.data.fill(value); }
  export function make(rows) { const t = tensor([rows, 1024]); t.data.fill(2); return t; }
  export function sum(values) { let total = 0; for (const value of values) total += value; return total; }
  export async function doors() {
    const attempts = {
      dlopen: () => Deno.dlopen("/app/libcordon.so", {}),
      pointer: () => Deno.UnsafePointer.create(1n),
      view: () => Deno.UnsafePointerView.getArrayBuffer(null, 8),
      callback: () => new Deno.UnsafeCallback({ parameters: [], result: "void" }, () => {}),
      process: async () => (await import("node:process")).default.dlopen({ exports: {} }, "/app/libcordon.so"),
      request: async () => { if ((await Deno.permissions.request({ name: "ffi" })).state !== "granted") throw new Deno.errors.NotCapable(); },
    };
    const open = [];
    for (const [name, attempt] of Object.entries(attempts)) {
      try { await attempt(); open.push(name); } catch (error) { if (error.name !== "NotCapable") open.push(name + ": " + error); }
    }
    return open;
  }
`;

Deno.test("a tensor of the host is filled by a plugin without a copy", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Api>(await test.plugin(PLUGIN));
  using tensor = test.host.tensor([1024, 1024]);
  await plugin.api.fill(tensor, 7);
  assert.equal(tensor.data[0], 7);
  assert.equal(tensor.data[1024 * 1024 - 1], 7);
});

Deno.test("a tensor made by a plugin is read by the host", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Api>(await test.plugin(PLUGIN));
  using tensor = await plugin.api.make(512);
  assert.ok(tensor instanceof Tensor);
  assert.deepEqual(tensor.shape, [512, 1024]);
  assert.equal(tensor.data[512 * 1024 - 1], 2);
});

Deno.test("a large typed array travels through shared memory by itself", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Api>(await test.plugin(PLUGIN));
  assert.equal(await plugin.api.sum(new Float32Array(1 << 20).fill(0.5)), 1 << 19);
  assert.ok(plugin.stats().bytesOut < 1 << 16, "the bytes went through the socket");
});

Deno.test("Host.flushTensors() and purgeOrphanTensors() leave nothing of a plugin that is gone", async () => {
  await using test = await testHost();
  const plugin = await test.host.load<Api>(await test.plugin(PLUGIN));
  using tensor = test.host.tensor([1024, 1024]);
  await plugin.api.fill(tensor, 1);
  await plugin.stop();
  assert.ok(test.host.flushTensors() >= 0);
  assert.ok(test.host.purgeOrphanTensors() >= 0);
  assert.equal(test.host.tensorStats().leases, 0);
  assert.equal(tensor.data[0], 1);
});

Deno.test("no door to FFI is open to a plugin while its tensors flow", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Api>(await test.plugin(PLUGIN));
  assert.deepEqual(await plugin.api.doors(), []);
  using tensor = await plugin.api.make(1024);
  assert.equal(tensor.data[0], 2);
});
