/** Handles of device memory between processes that see each other. */

import assert from "node:assert/strict";
import { openCuda } from "../../src/native/mod.ts";
import { openHostCuda } from "../../src/tensor/cuda/mod.ts";
import { Tensor } from "../../src/tensor/mod.ts";
import { testNativePath } from "../native/test_native.ts";
import { standIn, standInTest } from "./stand_in.ts";

const READER = `
  import { openCuda } from "${new URL("../../src/native/open_cuda.ts", import.meta.url)}";
  const [path, driver, handle] = Deno.args;
  using library = openCuda(path);
  using cuda = library.start(driver);
  const context = cuda.context(0);
  const address = cuda.importHandle(context, Uint8Array.fromHex(handle));
  const seen = new Uint8Array(4);
  cuda.read(context, seen, address);
  cuda.fill(context, address, 9, 4, 0n);
  cuda.freeHandle(context, address);
  console.log(seen.join());
`;

Deno.test(
  standInTest("a handle gives another process of this pid namespace the same device memory"),
  async () => {
    const [path, driver] = await Promise.all([testNativePath(), standIn()]);
    using library = openCuda(path);
    using cuda = library.start(driver);
    const context = cuda.context(0);
    const address = cuda.allocate(context, 2 ** 21);
    cuda.write(context, address, new Uint8Array([1, 2, 3, 4]));
    const handle = cuda.exportHandle(context, address).toHex();
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(file, READER);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", file, path, driver, handle],
    }).output();
    assert.equal(new TextDecoder().decode(stdout).trim(), "1,2,3,4", new TextDecoder().decode(stderr));
    const seen = new Uint8Array(4);
    cuda.read(context, seen, address);
    assert.deepEqual([...seen], [9, 9, 9, 9]);
    cuda.free(context, address);
    cuda.releaseContext(0);
    await Deno.remove(file);
  },
);

Deno.test(standInTest("Cuda.exportHandle() gives a copy that another process opens"), async () => {
  const [libraryPath, driver] = await Promise.all([testNativePath(), standIn()]);
  using host = openHostCuda({
    libraryPath,
    driver,
    ipc: true,
    fallback: "error",
    hostTensor: (shape, dtype) =>
      Tensor.from(new Uint8Array(shape.reduce((a, b) => a * b, 1)), { dtype, shape }),
    onNotice: () => {},
  });
  using tensor = host.cuda.tensor([4], "uint8");
  await tensor.copyFrom(new Uint8Array([1, 2, 3, 4]));
  const exported = host.cuda.exportHandle(tensor);
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, READER);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", file, libraryPath, driver, exported.handle.toHex()],
  }).output();
  assert.equal(new TextDecoder().decode(stdout).trim(), "1,2,3,4");
  using seen = await exported.tensor.copyToHost();
  assert.deepEqual([...seen.data as Uint8Array], [9, 9, 9, 9]);
  exported.tensor.dispose();
  await Deno.remove(file);
});
