import assert from "node:assert/strict";
import { join } from "node:path";
import { TEMPLATE } from "../../src/cli/embedded/template.ts";
import { templateText } from "../../tools/embed_template.ts";
import { runDeno } from "../examples/run.ts";
import { folderWith, namesIn } from "../testing/fixtures.ts";
import { cordon, sandboxSkip } from "./cordon.ts";

const skip = await sandboxSkip();

Deno.test("the embedded template is what examples/template/ holds: else run `deno task build`", async () => {
  const embedded = new URL("../../src/cli/embedded/template.ts", import.meta.url);
  assert.ok(await Deno.readTextFile(embedded) === await templateText());
});

Deno.test("cordon init writes every file of the template and says what to do next", async () => {
  await using folder = await folderWith({});
  const target = join(folder.path, "my host");
  const { code, out, err } = await cordon(["init", target, "--json"]);
  assert.equal(code, 0, err);
  assert.deepEqual(JSON.parse(out), { directory: target, files: Object.keys(TEMPLATE) });
  for (const [path, text] of Object.entries(TEMPLATE)) {
    // Which Cordon it takes is another one in a checkout: that it works is another test.
    if (path !== "deno.json") assert.equal(await Deno.readTextFile(join(target, path)), text, path);
  }
  assert.ok(err.includes(`Next: cd '${target}' && deno task start`), err);
});

Deno.test("cordon init overwrites nothing, and writes nothing beside what exists", async () => {
  await using folder = await folderWith({ "plugins/tally/main.ts": "mine" });
  const { code, err } = await cordon(["init", folder.path]);
  assert.equal(code, 64);
  assert.match(err, /Cannot write ".*\/plugins\/tally\/main\.ts" as it exists already/);
  assert.equal(await Deno.readTextFile(join(folder.path, "plugins/tally/main.ts")), "mine");
  assert.deepEqual(await namesIn(folder.path), ["plugins"]);
});

Deno.test("cordon init follows no link that lies where a file is to be", async () => {
  await using folder = await folderWith({});
  await Deno.symlink(join(folder.path, "elsewhere"), join(folder.path, "host.ts"));
  const { code, err } = await cordon(["init", folder.path]);
  assert.equal(code, 64);
  assert.match(err, /host\.ts" as it exists already/);
  assert.deepEqual(await namesIn(folder.path), ["host.ts"]);
});

Deno.test("cordon init refuses a directory whose place a file has", async () => {
  await using folder = await folderWith({ "file": "" });
  const { code, err } = await cordon(["init", join(folder.path, "file")]);
  assert.equal(code, 64);
  assert.match(err, /as a file is in the way of its directory/);
});

Deno.test({
  name: `cordon init writes a project that starts and passes its tests, which type-check it${skip}`,
  ignore: skip !== "",
  async fn() {
    await using folder = await folderWith({});
    const made = await cordon(["init", folder.path]);
    assert.equal(made.code, 0, made.err);
    assert.match(made.err, /It takes Cordon from .*; the published package is "jsr:@cordon\/cordon@/);
    // A sandbox of root runs under another account, which has to be able to look in.
    await Deno.chmod(folder.path, 0o755);
    const expected = {
      start: /^6 × the\n[^]*The plugin noted: counted 29 words\n$/,
      test: /1 passed/,
    };
    for (const [task, output] of Object.entries(expected)) {
      const { code, stdout, stderr } = await runDeno(["task", task], folder.path);
      assert.equal(code, 0, `${task}: ${stdout}${stderr}`);
      assert.match(stdout, output, task);
    }
  },
});
