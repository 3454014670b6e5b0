import assert from "node:assert/strict";
import { defaultDenoDirectory } from "../../tools/deno_directory.ts";
import { systemPackageManager } from "../../tools/package_manager.ts";

Deno.test("systemPackageManager() knows the managers of the common distributions", () => {
  for (const program of ["apt-get", "dnf", "pacman", "zypper", "apk"]) {
    assert.equal(systemPackageManager((path) => path.endsWith(`/${program}`))?.program, program);
  }
  assert.equal(systemPackageManager(() => false), null);
});

Deno.test("defaultDenoDirectory() follows Deno's own order", () => {
  const all = { DENO_DIR: "/d", XDG_CACHE_HOME: "/x", HOME: "/h" };
  assert.equal(defaultDenoDirectory(all), "/d");
  assert.equal(defaultDenoDirectory({ ...all, DENO_DIR: "" }), "/x/deno");
  assert.equal(defaultDenoDirectory({ HOME: "/h" }), "/h/.cache/deno");
  assert.equal(defaultDenoDirectory({}), null);
});

Deno.test("tools/setup.ts is silent and runs the script with its arguments when nothing is missing", async () => {
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(script, "console.log(JSON.stringify(Deno.args)); Deno.exit(42);");
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "tools/setup.ts", script, "a", "--b"],
      env: { CI: "" },
    }).output();
    const decoder = new TextDecoder();
    assert.deepEqual([code, decoder.decode(stdout), decoder.decode(stderr)], [42, '["a","--b"]\n', ""]);
  } finally {
    await Deno.remove(script);
  }
});

const unhidable = await reasonNotToHide();

Deno.test({
  name:
    `tools/setup.ts prints a command for each package manager and exits 69 where it may not install${unhidable}`,
  ignore: unhidable !== "",
  async fn() {
    // A device in place of a program: neither bubblewrap nor any package manager is found any more.
    const hide = "for f in /usr/bin /bin /usr/sbin /sbin /usr/local/bin; do " +
      "for p in bwrap apt-get dnf pacman zypper apk; do " +
      "if [ -e $f/$p ]; then mount --bind /dev/null $f/$p; fi; done; done";
    const { code, stderr } = await new Deno.Command("unshare", {
      args: ["-m", "sh", "-c", `${hide}; exec "$0" run -A tools/setup.ts`, Deno.execPath()],
      env: { CI: "" },
    }).output();
    const text = new TextDecoder().decode(stderr);
    assert.equal(code, 69, text);
    for (const program of ["apt-get", "dnf", "pacman", "zypper", "apk"]) {
      assert.match(text, new RegExp(`sudo ${program} .*bubblewrap`));
    }
  },
});

/** A mount namespace of our own is needed, which root of a container may not have. */
async function reasonNotToHide(): Promise<string> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return " [skipped: hiding bubblewrap needs root]";
  const { success } = await new Deno.Command("unshare", { args: ["-m", "true"] }).output();
  return success ? "" : " [skipped: no mount namespace can be made here]";
}
