import { deepEqual, match } from "node:assert/strict";
import { divisibleGroup, HOST_LEAF } from "../../src/platform/cgroup_v2.ts";

interface Tree extends AsyncDisposable {
  readonly mountPoint: string;
  readonly read: (file: string) => string;
}

/** Directories and files as the kernel would make them, which do nothing. */
async function tree(files: Readonly<Record<string, string>>): Promise<Tree> {
  const mountPoint = await Deno.makeTempDir({ prefix: "cordon-cgroup-" });
  for (const [file, text] of Object.entries(files)) {
    await Deno.mkdir(`${mountPoint}/${file}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${mountPoint}/${file}`, text);
  }
  return {
    mountPoint,
    read: (file) => Deno.readTextFileSync(`${mountPoint}/${file}`),
    [Symbol.asyncDispose]: () => Deno.remove(mountPoint, { recursive: true }),
  };
}

const ALL = "cpuset cpu io memory pids\n";

Deno.test("divisibleGroup() moves this process into a leaf of a container's group, so that its children can be bounded", async () => {
  await using group = await tree({
    "cgroup.controllers": ALL,
    "cgroup.type": "domain\n",
    "cgroup.procs": `${Deno.pid}\n`,
    "cgroup.subtree_control": "",
    [`${HOST_LEAF}/cgroup.procs`]: "",
  });
  await divisibleGroup(group.mountPoint, "/", null);
  deepEqual(group.read(`${HOST_LEAF}/cgroup.procs`), String(Deno.pid));
  deepEqual(group.read("cgroup.subtree_control"), "+cpu +memory +pids");
});

Deno.test("divisibleGroup() leaves a container's group alone in which there is a process of somebody else", async () => {
  await using group = await tree({
    "cgroup.controllers": ALL,
    "cgroup.type": "domain\n",
    // How a process shows that is outside of this pid namespace.
    "cgroup.procs": `${Deno.pid}\n0\n`,
    "cgroup.subtree_control": "",
  });
  const found = await divisibleGroup(group.mountPoint, "/", null);
  match(
    "obstacle" in found ? found.obstacle : "",
    /^process 0 is in .*, too, and does not belong to this one$/,
  );
  deepEqual(group.read("cgroup.subtree_control"), "");
});

Deno.test("divisibleGroup() does not take over a group that nobody gave away", async () => {
  await using group = await tree({
    "a.scope/cgroup.controllers": ALL,
    "a.scope/cgroup.type": "domain\n",
    "a.scope/cgroup.procs": `${Deno.pid}\n`,
    "a.scope/cgroup.subtree_control": "",
  });
  const found = await divisibleGroup(group.mountPoint, "/a.scope", null);
  match("obstacle" in found ? found.obstacle : "", /a\.scope was not delegated to this process$/);
  deepEqual(group.read("a.scope/cgroup.subtree_control"), "");
  deepEqual([...Deno.readDirSync(`${group.mountPoint}/a.scope`)].filter((entry) => entry.isDirectory), []);
});

Deno.test("divisibleGroup() finds the group again from the leaf that another host moved to", async () => {
  await using group = await tree({
    "a.scope/cgroup.controllers": ALL,
    "a.scope/cgroup.type": "domain\n",
    "a.scope/cgroup.procs": "",
    "a.scope/cgroup.subtree_control": "cpu memory pids\n",
    [`a.scope/${HOST_LEAF}/cgroup.procs`]: `${Deno.pid}\n`,
  });
  deepEqual(await divisibleGroup(group.mountPoint, `/a.scope/${HOST_LEAF}`, null), {
    path: `${group.mountPoint}/a.scope`,
    controllers: ["cpu", "memory", "pids"],
  });
});

Deno.test("divisibleGroup() says which controllers are missing", async () => {
  await using group = await tree({ "a.scope/cgroup.controllers": "cpu memory\n" });
  const found = await divisibleGroup(group.mountPoint, "/a.scope", null);
  match("obstacle" in found ? found.obstacle : "", /^the controllers of .*\/a\.scope are: cpu, memory$/);
});
