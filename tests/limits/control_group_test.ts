/** Limits by the kernel's control groups, where this machine lets us divide one. */

import assert from "node:assert/strict";
import type { LimitOptions } from "../../src/config/types.ts";
import type { Plugin } from "../../src/supervisor/types.ts";
import { probeCgroup } from "../../src/platform/cgroup.ts";
import { leafName } from "../../src/launcher/control_group.ts";
import { openLibc } from "../../src/platform/libc.ts";
import { testHost } from "../testing/fixtures.ts";
import { assertStopped, attack, type Greedy } from "./attack.ts";

const GREEDY = new URL("fixtures/greedy.ts", import.meta.url);
const libc = openLibc();
const { fact } = await probeCgroup(libc);
libc?.close();
const missing = ["memory", "pids"].filter((name) => fact?.directories[name] === undefined);

function groupTest(claim: string, body: () => Promise<void>, needed: readonly string[] = []): void {
  const absent = [...missing, ...needed.filter((name) => fact?.directories[name] === undefined)];
  const ignore = absent.length > 0;
  const why = ` [skipped: no control group with ${absent.join(", ")} may be divided]`;
  Deno.test({ name: ignore ? claim + why : claim, ignore, fn: body });
}

async function withPlugin(
  limits: LimitOptions,
  body: (plugin: Plugin<Greedy>) => Promise<void>,
): Promise<void> {
  await using test = await testHost();
  await using plugin = await test.host.load<Greedy>(GREEDY, { limits });
  await body(plugin);
}

/** What names of this thread's leaves begin with. */
const OWN = leafName().slice(0, -crypto.randomUUID().length);

/** Leaves of this thread that are not in `others`: hosts of other tests may still be letting go of theirs. */
function ownLeaves(others: readonly string[] = []): string[] {
  const directories = [...new Set(Object.values(fact?.directories ?? {}))];
  const isOwn = ({ name }: Deno.DirEntry) => name.startsWith(OWN);
  return directories.flatMap((path) =>
    [...Deno.readDirSync(path)].filter(isOwn).map(({ name }) => `${path}/${name}`)
  ).filter((path) => !others.includes(path));
}

groupTest("a plugin runs in a control group of its own, which is removed after it", async () => {
  const others = ownLeaves();
  await withPlugin({}, async (plugin) => {
    assert.equal(plugin.status.state === "running" && plugin.status.tier, "full");
    const leaves = ownLeaves(others);
    assert.ok(leaves.length > 0);
    for (const leaf of leaves) {
      // The plugin; the guard and bubblewrap stay outside.
      assert.match(Deno.readTextFileSync(`${leaf}/cgroup.procs`), /^\d+\n$/);
    }
    await plugin.stop();
    assert.deepEqual(ownLeaves(others), []);
  });
});

groupTest("limits.memory in a control group stops a plugin with the reason memory-limit", async () => {
  const others = ownLeaves();
  assertStopped(await attack({ memory: "64MiB" }, (api) => api.arrayBuffers()), "memory-limit");
  assert.deepEqual(ownLeaves(others), []);
});

groupTest("limits.memory in a control group leaves room for a worker's address space", async () => {
  await withPlugin({}, async (plugin) => assert.equal(await plugin.api.threads(2), 2));
});

groupTest("limits.cpuPercent is the quota of a control group", async () => {
  const others = ownLeaves();
  await withPlugin({ cpuPercent: 20 }, async (plugin) => {
    const { status } = plugin;
    assert.ok(status.state === "running");
    const mechanism = status.enforcement.cpuPercent.mechanism;
    assert.equal(mechanism, `cgroup${fact!.version}`);
    const leaf = ownLeaves(others).find((path) => path.startsWith(`${fact!.directories.cpu}/`))!;
    const throttled = () =>
      Number(/^nr_throttled (\d+)$/m.exec(Deno.readTextFileSync(`${leaf}/cpu.stat`))![1]);
    const spinning = assert.rejects(plugin.api.spin());
    while (throttled() < 3) await new Promise((resolve) => setTimeout(resolve, 20));
    await plugin.stop();
    await spinning;
  });
}, ["cpu"]);
