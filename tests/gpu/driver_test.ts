import assert from "node:assert/strict";
import { CudaError } from "../../src/errors.ts";
import { type CudaCalls, openCuda } from "../../src/native/mod.ts";
import { testNative, testNativePath } from "../native/test_native.ts";
import { standIn, type StandInOptions, standInTest } from "./stand_in.ts";

const MIB = 2 ** 20;
const PTX =
  ".version 7.0\n.target sm_52\n.visible .entry scale(.param .u64 v, .param .f32 f, .param .u32 n) {}\n";

async function withDriver(
  body: (cuda: CudaCalls, context: bigint) => Promise<void> | void,
  options: StandInOptions = {},
): Promise<void> {
  const [path, driver] = await Promise.all([testNativePath(), standIn(options)]);
  using library = openCuda(path);
  using cuda = library.start(driver);
  const context = cuda.context(0);
  await body(cuda, context);
  cuda.releaseContext(0);
}

const refused = (result: string) => (error: unknown) => error instanceof CudaError && error.result === result;

Deno.test(standInTest("openCuda() says which driver is missing"), async () => {
  using library = openCuda(await testNativePath());
  assert.throws(() => library.start("/no/libcuda.so.1"), refused("ENOENT"));
});

Deno.test(standInTest("openCuda() refuses a library that is no graphics driver"), async () => {
  const path = await testNativePath();
  using library = openCuda(path);
  assert.throws(() => library.start(path), refused("ENOSYS"));
});

Deno.test(standInTest("openCuda() names the driver's own reason not to start"), async () => {
  const driver = await standIn({ devices: 0 });
  using library = openCuda(await testNativePath());
  assert.throws(() => library.start(driver), refused("CUDA_ERROR_NO_DEVICE"));
});

Deno.test(standInTest("CudaDriver lists devices with what they can do"), () =>
  withDriver((cuda) => {
    assert.equal(cuda.driverVersion, 12040);
    assert.deepEqual(cuda.devices.map(({ name, sharesByDescriptor }) => [name, sharesByDescriptor]), [
      ["Stand-in 0", true],
      ["Stand-in 1", true],
    ]);
    assert.notEqual(cuda.devices[0]?.uuid, cuda.devices[1]?.uuid);
  }));

Deno.test(standInTest("CudaDriver copies there, within and back"), () =>
  withDriver(async (cuda, context) => {
    const [a, b] = [cuda.allocate(context, 1024), cuda.allocate(context, 1024)];
    const bytes = Uint8Array.from({ length: 1024 }, (_, index) => index);
    await cuda.written(context, a, bytes, 0n);
    cuda.copy(context, b, context, a, 1024, 0n);
    cuda.fill(context, b + 512n, 7, 512, 0n);
    const back = new Uint8Array(1024);
    await cuda.readElsewhere(context, back, b, 0n);
    assert.deepEqual(back.subarray(0, 512), bytes.subarray(0, 512));
    assert.ok(back.subarray(512).every((byte) => byte === 7));
    assert.deepEqual(cuda.pointer(context, b + 5n), { device: 0, start: b, bytes: 1024 });
    cuda.free(context, a);
    cuda.free(context, b);
    assert.throws(() => cuda.free(context, a), refused("CUDA_ERROR_INVALID_VALUE"));
    assert.throws(() => cuda.read(context, back, a), refused("CUDA_ERROR_INVALID_VALUE"));
  }));

Deno.test(
  standInTest("CudaDriver says when the device's memory is spent, and has it back when it is freed"),
  () =>
    withDriver((cuda, context) => {
      const before = cuda.memory(context).free;
      const half = cuda.createShared(context, 0, 600 * MIB);
      assert.throws(() => cuda.createShared(context, 0, 600 * MIB), refused("CUDA_ERROR_OUT_OF_MEMORY"));
      cuda.freeShared(context, half);
      assert.equal(cuda.memory(context).free, before);
    }),
);

Deno.test(
  standInTest("CudaDriver maps exported memory a second time"),
  () =>
    withDriver(async (cuda, context) => {
      using native = await testNative();
      const memory = cuda.createShared(context, 0, 1000);
      assert.equal(memory.bytes, 2 * MIB);
      const fd = cuda.exportShared(context, memory);
      const other = cuda.importShared(context, 0, fd, memory.bytes);
      native.close(fd);
      cuda.fill(context, memory.address, 9, 1000, 0n);
      cuda.freeShared(context, memory);
      const seen = new Uint8Array(1000);
      cuda.read(context, seen, other.address);
      assert.ok(seen.every((byte) => byte === 9));
      cuda.freeShared(context, other);
      assert.throws(() => cuda.read(context, seen, other.address), refused("CUDA_ERROR_INVALID_VALUE"));
    }),
);

Deno.test(
  standInTest("CudaDriver refuses a descriptor that no driver exported"),
  () =>
    withDriver(async (cuda, context) => {
      using native = await testNative();
      const [fd, end] = native.socketPair();
      assert.throws(() => cuda.importShared(context, 0, fd, 2 * MIB), refused("CUDA_ERROR_INVALID_VALUE"));
      native.close(fd);
      native.close(end);
    }),
);

Deno.test(
  standInTest("CudaDriver refuses a handle that this process exported itself"),
  () =>
    withDriver((cuda, context) => {
      const address = cuda.allocate(context, 100);
      const handle = cuda.exportHandle(context, address);
      assert.equal(handle.byteLength, 64);
      assert.throws(() => cuda.importHandle(context, handle), refused("CUDA_ERROR_INVALID_CONTEXT"));
      assert.throws(() => cuda.importHandle(context, new Uint8Array(63)), RangeError);
      cuda.free(context, address);
    }),
);

Deno.test(
  standInTest("CudaDriver orders work by streams and events"),
  () =>
    withDriver(async (cuda, context) => {
      const stream = cuda.stream(context);
      const [first, last] = [cuda.event(context, false), cuda.event(context, false)];
      assert.throws(() => cuda.elapsed(context, first, last), refused("CUDA_ERROR_INVALID_HANDLE"));
      cuda.recordEvent(context, first, stream);
      cuda.recordEvent(context, last, stream);
      cuda.streamWait(context, 0n, last);
      await Promise.all([cuda.streamDone(context, stream), cuda.eventDone(context, last)]);
      assert.equal(cuda.isEventDone(context, last), true);
      assert.ok(cuda.elapsed(context, first, last) >= 0);
      const shared = cuda.event(context, true);
      assert.equal(cuda.exportEvent(context, shared).byteLength, 64);
      assert.throws(() => cuda.exportEvent(context, first), refused("CUDA_ERROR_INVALID_HANDLE"));
      [first, last, shared].forEach((event) => cuda.freeEvent(context, event));
      cuda.freeStream(context, stream);
      assert.throws(() => cuda.freeStream(context, stream), refused("CUDA_ERROR_INVALID_HANDLE"));
    }),
);

Deno.test(standInTest("CudaDriver starts kernels with their arguments"), () =>
  withDriver((cuda, context) => {
    const address = cuda.allocate(context, 16);
    cuda.write(context, address, new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer));
    const module = cuda.module(context, PTX);
    const kernel = cuda.kernel(context, module, "scale");
    assert.throws(() => cuda.kernel(context, module, "scal"), refused("CUDA_ERROR_NOT_FOUND"));
    const values = new Uint8Array(16);
    const view = new DataView(values.buffer);
    view.setBigUint64(0, address, true);
    view.setFloat32(8, 2, true);
    view.setUint32(12, 4, true);
    cuda.launch(context, kernel, [1, 1, 1, 32, 1, 1, 0], { values, offsets: [0, 8, 12] }, 0n);
    const result = new Float32Array(4);
    cuda.read(context, new Uint8Array(result.buffer), address);
    assert.deepEqual([...result], [2, 4, 6, 8]);
    const wrong = { values, offsets: [16] };
    assert.throws(() => cuda.launch(context, kernel, [1, 1, 1, 1, 1, 1, 0], wrong, 0n), refused("EINVAL"));
    assert.throws(
      () => cuda.launch(context, kernel, [1, 1, 1, 2000, 1, 1, 0], { values, offsets: [0, 8, 12] }, 0n),
      refused("CUDA_ERROR_INVALID_VALUE"),
    );
    cuda.freeModule(context, module);
    cuda.free(context, address);
  }));

Deno.test(standInTest("CudaDriver names what is wrong with a program"), () =>
  withDriver((cuda, context) => {
    assert.throws(() => cuda.module(context, "no program"), refused("CUDA_ERROR_INVALID_IMAGE"));
    assert.throws(() => cuda.module(context, ".entry x"), refused("CUDA_ERROR_INVALID_PTX"));
  }));

Deno.test(standInTest("CudaDriver refuses work in a context that was let go"), () =>
  withDriver((cuda) => {
    const other = cuda.context(1);
    cuda.releaseContext(1);
    assert.throws(() => cuda.allocate(other, 8), refused("CUDA_ERROR_INVALID_CONTEXT"));
  }));
