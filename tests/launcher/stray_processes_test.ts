import { deepEqual, equal, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { killStrays } from "../../src/launcher/stray_processes.ts";
import { sweepLocked } from "../../src/launcher/sweep_stale.ts";
import { nativeChildren } from "../chaos/native_children.ts";
import { eventually, fdTargets, readProc } from "./processes.ts";
import { realFacts } from "./sandbox_harness.ts";

Deno.test("killStrays() kills a bubblewrap that waits for ever, by the files of its host that it holds", async () => {
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "cordon-" }));
  const other = await Deno.realPath(await Deno.makeTempDir({ prefix: "cordon-" }));
  const [stray, bystander] = [await waitingBwrap(directory), await waitingBwrap(other)];
  const reader = new Deno.Command("/usr/bin/tail", { args: ["-f", `${directory}/file`], stdout: "null" })
    .spawn();
  await eventually("it reads the file", () => fdTargets(reader.pid).includes(`${directory}/file`));
  await eventually("there was something to kill", () => killStrays(directory).length > 0);
  await stray.ended;
  deepEqual(killStrays(directory), []);
  ok(fdTargets(reader.pid).includes(`${directory}/file`), "whatever else reads a file of the host lives on");
  reader.kill("SIGKILL");
  await reader.status;
  equal(readProc(bystander.pid, "comm"), "bwrap\n");
  await eventually("there was something to kill", () => killStrays(other).length > 0);
  await bystander.ended;
  for (const path of [directory, other]) await Deno.remove(path, { recursive: true });
});

Deno.test("sweepLocked() kills what a dead host left running", async () => {
  const runtime = await Deno.realPath(await Deno.makeTempDir({ prefix: "cordon-" }));
  const directory = `${runtime}/h-00000000`;
  await Deno.mkdir(directory);
  const stray = await waitingBwrap(directory);
  deepEqual(await sweepLocked(runtime), [directory]);
  await stray.ended;
  await Deno.remove(runtime, { recursive: true });
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
  // Whoever is killed before has not yet what is to be found.
  await eventually("its child is there", () => nativeChildren(child.pid!).length === 1);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return { pid: child.pid!, ended };
}
