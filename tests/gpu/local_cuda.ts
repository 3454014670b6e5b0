/** The GPUs of a host over a stand-in, without a plugin. */

import { type HostCuda, openHostCuda } from "../../src/tensor/cuda/mod.ts";
import { elementCount } from "../../src/tensor/shape.ts";
import { dtypeFacts } from "../../src/tensor/dtype.ts";
import { Tensor } from "../../src/tensor/mod.ts";
import { Storage } from "../../src/tensor/storage.ts";
import { testNativePath } from "../native/test_native.ts";
import { standIn, type StandInOptions } from "./stand_in.ts";

/** Multiplies `count` floats by a factor: the one kernel that the stand-in knows. */
export const SCALE =
  ".version 7.0\n.target sm_52\n.visible .entry scale(.param .u64 v, .param .f32 f, .param .u32 n) {}";

/** Open them; `notices` gets what people are told. */
export async function localCuda(options: StandInOptions = {}, notices: string[] = []): Promise<HostCuda> {
  const [libraryPath, driver] = await Promise.all([testNativePath(), standIn(options)]);
  return openHostCuda({
    libraryPath,
    driver,
    ipc: true,
    fallback: "host-copy",
    hostTensor: (shape, dtype) =>
      new Tensor({ storage: Storage.local(elementCount(shape) * dtypeFacts(dtype).bytes), dtype, shape }),
    onNotice: (text) => notices.push(text),
  });
}
