/** Runs the benchmarks, one after another: `deno task bench [cold|layers|warm|inside|rpc|tensor]`. */

import { coldStartBench } from "./cold_start.ts";
import { insideBench } from "./inside.ts";
import { layersBench } from "./layers.ts";
import { rpcBench } from "./rpc.ts";
import { tensorBench } from "./tensor.ts";
import { warmStartBench } from "./warm.ts";

const ALL: Readonly<Record<string, () => Promise<void>>> = {
  cold: coldStartBench,
  layers: layersBench,
  warm: warmStartBench,
  inside: insideBench,
  rpc: rpcBench,
  tensor: tensorBench,
};

const wanted = Deno.args.length === 0 ? Object.keys(ALL) : Deno.args;
for (const name of wanted) {
  const bench = ALL[name];
  if (bench === undefined) {
    throw new TypeError(`Cannot run benchmark "${name}": known are ${Object.keys(ALL).join(", ")}`);
  }
  await bench();
}
