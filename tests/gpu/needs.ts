/** Starts the driver, computes and exports once; prints how far it came. For finding out what a sandbox must show. */

import { CudaError } from "../../src/errors.ts";
import { nativeLibraryPath, openCuda } from "../../src/native/mod.ts";
import { ptxFor } from "./hardware.ts";

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function main(): Promise<void> {
  const [cache = "/tmp/cordon-gpu-needs", driver = "libcuda.so.1"] = Deno.args;
  const path = await nativeLibraryPath(cache);
  if (path === null) return say("no native library");
  try {
    using library = openCuda(path);
    using cuda = library.start(driver);
    const context = cuda.context(0);
    const memory = cuda.createShared(context, 0, 4096);
    cuda.exportShared(context, memory);
    cuda.kernel(context, cuda.module(context, ptxFor(cuda.devices[0]!.capability)), "scale");
    cuda.synchronize(context);
    say("works");
  } catch (error) {
    if (!(error instanceof CudaError)) throw error;
    say(`${error.call}: ${error.result}`);
  }
}

if (import.meta.main) await main();
