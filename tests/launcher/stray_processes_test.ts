import { deepEqual, equal } from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { killStrays } from "../../src/launcher/stray_processes.ts";
import { eventually, readProc } from "./processes.ts";
import { realFacts } from "./sandbox_harness.ts";

Deno.test("killStrays() kills a bubblewrap that waits for ever, by the files of its host that it holds", async () => {
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "cordon-" }));
  const other = await Deno.realPath(await Deno.makeTempDir({ prefix: "cordon-" }));
  const [stray, bystander] = [await waitingBwrap(directory), await waitingBwrap(other)];
  await eventually("there was something to kill", () => killStrays(directory).length > 0);
  await stray.ended;
  deepEqual(killStrays(directory), []);
  equal(readProc(bystander.pid, "comm"), "bwrap\n");
  await eventually("there was something to kill", () => killStrays(other).length > 0);
  await bystander.ended;
  for (const path of [directory, other]) await Deno.remove(path, { recursive: true });
});

/** Bubblewrap whose child waits for a word that never comes, with a file of `directory` open. */
async function waitingBwrap(directory: string): Promise<{ pid: number; ended: Promise<void> }> {
  await Deno.writeTextFile(`${directory}/file`, "");
  const fd = openSync(`${directory}/file`, "r");
  const { bwrap } = await realFacts();
  const child = spawn(bwrap!.path, ["--ro-bind", "/", "/", "--die-with-parent", "--block-fd", "4", "true"], {
    stdio: ["ignore", "ignore", "ignore", fd, "pipe"],
    env: {},
  });
  closeSync(fd);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return { pid: child.pid!, ended };
}
