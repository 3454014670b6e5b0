import assert from "node:assert/strict";
import { cordon, fixture, sandboxSkip } from "./cordon.ts";

const skip = await sandboxSkip();

Deno.test({
  name: `cordon explain shows one grant in every layer and runs nothing${skip}`,
  ignore: skip !== "",
  async fn() {
    const directory = await Deno.makeTempDir({ dir: "/tmp" });
    try {
      await Deno.chmod(directory, 0o755);
      const args = ["explain", `--allow-read=${directory}`, "--memory=64MiB", fixture("throws.ts")];
      const { code, out, err } = await cordon(args);
      assert.deepEqual([code, err], [0, ""]);
      assert.match(out, new RegExp(`^ {2}read-only {2}${directory}$`, "m"));
      assert.match(out, new RegExp(`^ {2}--allow-read=\\S*,${directory}`, "m"));
      assert.match(out, new RegExp(`^ {2}--ro-bind(-fd)? \\S+ ${directory}$`, "m"));
      assert.match(out, /^ {2}memory +64MiB/m);
      assert.match(out, /\bptrace\b/);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test({
  name: `cordon explain --json gives the same as data${skip}`,
  ignore: skip !== "",
  async fn() {
    const { code, out, err } = await cordon(["explain", fixture("throws.ts"), "--json"]);
    assert.equal(code, 0, err);
    const { policy, denoFlags, bwrapOptions, refusedCalls } = JSON.parse(out);
    assert.equal(policy.plugin, "throws");
    assert.ok(denoFlags.includes("--no-prompt"));
    for (const option of ["--unshare-user", "--unshare-net", "--disable-userns", "--remount-ro"]) {
      assert.ok(bwrapOptions.includes(option), option);
    }
    for (const call of ["execve", "ptrace", "mount", "bpf"]) assert.ok(refusedCalls.includes(call), call);
  },
});

Deno.test({
  name: `cordon explain shows what a plugin gets of what is allowed, as its manifest asks${skip}`,
  ignore: skip !== "",
  async fn() {
    const directory = await Deno.makeTempDir({ dir: "/tmp" });
    try {
      await Deno.chmod(directory, 0o755);
      await Deno.mkdir(`${directory}/data`);
      await Deno.copyFile(fixture("throws.ts"), `${directory}/plugin.ts`);
      const manifest = {
        name: "modest",
        version: "1.0.0",
        entry: "plugin.ts",
        permissions: { read: ["data"] },
      };
      await Deno.writeTextFile(`${directory}/cordon.json`, JSON.stringify(manifest));
      const args = ["explain", `--allow-read=${directory}`, "--allow-sys=hostname", `${directory}/plugin.ts`];
      const { code, out, err } = await cordon([...args, "--json"]);
      assert.equal(code, 0, err);
      const { policy } = JSON.parse(out);
      assert.deepEqual([policy.plugin, policy.mounts.map(({ source }: { source: string }) => source)], [
        "modest",
        [`${directory}/data`],
      ]);
      assert.deepEqual(policy.deno.sys, []);
      const refused = await cordon(["explain", `${directory}/plugin.ts`]);
      assert.equal(refused.code, 77, refused.out);
      assert.match(
        refused.err,
        /^error: Cannot load plugin "modest" as .*: the host does not allow permissions\.read/,
      );
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test({
  name: `cordon explain says of a missing sandbox what cordon run says${skip}`,
  ignore: skip !== "",
  async fn() {
    const args = ["--bwrap=/nonexistent/bwrap", fixture("throws.ts")];
    const [explained, run] = await Promise.all([cordon(["explain", ...args]), cordon(["run", ...args])]);
    assert.deepEqual([explained.code, explained.err], [69, run.err]);
    assert.match(run.err, /sudo apt-get install -y bubblewrap/);
  },
});

Deno.test({
  name: `the trial sandbox starts with every namespace option of the real one${skip}`,
  ignore: skip !== "",
  async fn() {
    const { NAMESPACE_OPTIONS } = await import("../../src/platform/trial_arguments.ts");
    const { out } = await cordon(["explain", fixture("throws.ts"), "--json"]);
    const real: string[] = JSON.parse(out).bwrapOptions;
    const isolating = real.filter((option) =>
      /^--(unshare|disable|die|new-session|cap|clearenv)/.test(option)
    );
    assert.ok(isolating.length > 8);
    for (const option of isolating) assert.ok(NAMESPACE_OPTIONS.includes(option), option);
  },
});
