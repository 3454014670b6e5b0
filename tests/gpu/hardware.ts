/** What tests and benchmarks on a real GPU share. */

import type { CudaTensor } from "../../src/tensor/cuda/mod.ts";

/** Why nothing can be tested on hardware here, or null. */
export const GPU_SKIP: string | null = hasDevice() ? null : "no GPU";

/** Fields of a test that needs a GPU: its name says why it was skipped. */
export function gpuTest(name: string): { name: string; ignore: boolean } {
  return { name: GPU_SKIP === null ? name : `${name} [skipped: ${GPU_SKIP}]`, ignore: GPU_SKIP !== null };
}

/** Multiplies `count` floats by a factor. */
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
  let program;
  export async function scale(tensor, factor) {
    program ??= cuda().module(PTX);
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
