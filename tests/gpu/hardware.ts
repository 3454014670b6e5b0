/** What tests and benchmarks on a real GPU share. */

import type { HostOptions } from "../../src/config/types.ts";
import type { CudaTensor } from "../../src/tensor/cuda/mod.ts";

/** Why nothing can be tested on hardware here, or null. */
export const GPU_SKIP: string | null = hasDevice() ? null : "no GPU";

/** Fields of a test that needs a GPU: its name says why it was skipped. */
export function gpuTest(name: string): { name: string; ignore: boolean } {
  return { name: GPU_SKIP === null ? name : `${name} [skipped: ${GPU_SKIP}]`, ignore: GPU_SKIP !== null };
}

/** The confinement that gpu_run.sh asks for a second time: none, to tell what the sandbox changes. */
const SANDBOX = Deno.env.get("CORDON_GPU_SANDBOX") === "permissions-only" ? "permissions-only" : "required";

/** What hosts of these tests have in common; plugins print where one sees it. */
export function gpuHostOptions(ipc: boolean): HostOptions {
  return { cuda: { ipc, fallback: "error" }, output: "inherit", sandbox: SANDBOX };
}

/** Multiplies `count` floats by a factor; `ptxFor()` makes it one for a device. */
export const SCALE_PTX = `.version 7.0
.target sm_52
.address_size 64
.visible .entry scale(.param .u64 values, .param .f32 factor, .param .u32 count)
{
  .reg .pred %p<2>;
  .reg .f32 %f<4>;
  .reg .b32 %r<6>;
  .reg .b64 %rd<5>;
  ld.param.u64 %rd1, [values];
  ld.param.f32 %f1, [factor];
  ld.param.u32 %r1, [count];
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  mov.u32 %r4, %tid.x;
  mad.lo.s32 %r5, %r2, %r3, %r4;
  setp.ge.u32 %p1, %r5, %r1;
  @%p1 bra DONE;
  cvta.to.global.u64 %rd2, %rd1;
  mul.wide.u32 %rd3, %r5, 4;
  add.s64 %rd4, %rd2, %rd3;
  ld.global.f32 %f2, [%rd4];
  mul.f32 %f3, %f2, %f1;
  st.global.f32 [%rd4], %f3;
DONE:
  ret;
}
`;

/** Newer compilers refuse targets below 7.5, older devices all above their own. */
const PTX_FOR = `([major, minor]) => PTX.replace("sm_52", major * 10 + minor < 75 ? "sm_52" : "sm_75")`;

/**
 * The program for a device.
 *
 * @param capability What the device can do.
 */
export function ptxFor([major, minor]: readonly [number, number]): string {
  return SCALE_PTX.replace("sm_52", major * 10 + minor < 75 ? "sm_52" : "sm_75");
}

/** What the plugin of these tests exports. */
export interface GpuApi {
  scale(tensor: CudaTensor, factor: number): Promise<string>;
  make(count: number, value: number): Promise<CudaTensor>;
  touch(tensor: CudaTensor): Promise<string>;
}

/** A plugin that computes with {@linkcode SCALE_PTX}. */
export const GPU_PLUGIN = `
  import { cuda } from "@cordon/cordon/plugin";
  const PTX = ${JSON.stringify(SCALE_PTX)};
  const ptxFor = ${PTX_FOR};
  let program;
  export async function scale(tensor, factor) {
    program ??= cuda().module(ptxFor(cuda().devices[0].capability));
    const args = [tensor, { f32: factor }, { u32: tensor.size }];
    cuda().launch(program.kernel("scale"), Math.ceil(tensor.size / 256), 256, args);
    await cuda().synchronize();
    return touch(tensor);
  }
  export async function make(count, value) {
    const tensor = cuda().tensor([count], "float32");
    await tensor.copyFrom(new Float32Array(count).fill(value));
    return tensor;
  }
  export function touch(tensor) {
    const { memory } = tensor.status;
    tensor.dispose();
    return memory;
  }
`;

/** The tests of this project name the stand-in by a variable: then nothing here says anything of hardware. */
export const IS_STAND_IN: boolean = Deno.env.has("CORDON_TEST_CUDA_LIBRARY");

function hasDevice(): boolean {
  if (Deno.env.has("CORDON_TEST_CUDA_LIBRARY")) return true;
  try {
    return Deno.statSync("/dev/nvidia0").isCharDevice === true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
