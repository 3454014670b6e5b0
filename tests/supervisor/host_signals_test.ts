/** Hosts that are told to end, and hosts that end by an error: plugins get to say goodbye, and nothing is left. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { folderWith, namesIn } from "../testing/fixtures.ts";

const root = new URL("../../", import.meta.url).href;
const host = `
  import { createHost } from "${root}mod.ts";
  const [folder, how] = Deno.args;
  const options = { runtimeDirectory: folder + "/run", output: (line: string) => console.log(line) };
  await using host = await createHost({ ...options, handleSignals: how !== "deaf" });
  if (how === "listens") Deno.addSignalListener("SIGTERM", () => setTimeout(() => Deno.exit(9), 500));
  await using plugin = await host.load(folder + "/plugin.ts");
  console.log("ready");
  if (how === "throws") throw new Error("the host is broken");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
`;
const plugin = `
  import { onShutdown } from "@cordon/cordon/plugin";
  onShutdown(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.log("goodbye");
  });
  export const one = () => 1;
`;

interface End {
  readonly output: string;
  readonly code: number;
  readonly signal: string | null;
  readonly left: readonly string[];
}

/** Runs a host until it has loaded its plugin, then sends it a signal. */
async function end(how: string, signal: Deno.Signal | null): Promise<End> {
  await using folder = await folderWith({ "host.ts": host, "plugin.ts": plugin });
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      `--config=${fileURLToPath(root)}deno.json`,
      `${folder.path}/host.ts`,
      folder.path,
      how,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let output = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (!output.includes("ready") && text.includes("ready") && signal !== null) child.kill(signal);
    output += text;
  }
  const { code, signal: ended } = await child.status;
  const left = (await namesIn(`${folder.path}/run`)).filter((name) => name.startsWith("h-"));
  return { output: output.replaceAll(/^.*\] /gm, ""), code, signal: ended, left };
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(`a host that gets ${signal} ends its plugins in order, leaves nothing, and ends by that signal`, async () => {
    const { output, signal: ended, left } = await end("waits", signal);
    assert.match(output, /goodbye/);
    assert.deepEqual([ended, left], [signal, []]);
  });
}

Deno.test("a host that ends by an exception ends its plugins in order and leaves nothing", async () => {
  const { output, code, left } = await end("throws", null);
  assert.match(output, /goodbye/);
  assert.deepEqual([code, left], [1, []]);
});

Deno.test("a program that listens to a signal itself decides about its own end", async () => {
  const { output, code, left } = await end("listens", "SIGTERM");
  assert.match(output, /goodbye/);
  assert.deepEqual([code, left], [9, []]);
});

Deno.test("handleSignals: false leaves signals to the program: it dies at once, and its directory waits for the next host", async () => {
  const { output, signal, left } = await end("deaf", "SIGTERM");
  assert.doesNotMatch(output, /goodbye/);
  assert.deepEqual([signal, left.length], ["SIGTERM", 1]);
});
