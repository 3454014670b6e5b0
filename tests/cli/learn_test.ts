import assert from "node:assert/strict";
import { folderWith } from "../testing/fixtures.ts";
import { cordon, fixture, sandboxSkip } from "./cordon.ts";

const skip = await sandboxSkip();
const SCRIPT = Deno.realPathSync(fixture("learns.ts"));

/** Somewhere that sandboxes of a root host can reach too, wherever the repository lies. */
const here = () => folderWith({ "LICENSE": "MIT" });

function sandboxTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `cordon learn ${name}${skip}`, ignore: skip !== "", fn });
}

sandboxTest("prints the smallest grant, and the command line that runs with it", async () => {
  await using folder = await folderWith({ "data/used.txt": "used", "data/unused.txt": "unused" });
  const file = `${folder.path}/data/used.txt`;
  const { code, out, err } = await cordon(["learn", `--allow-read=${folder.path}`, SCRIPT, "--", file], {
    LEARNED: "",
  });
  assert.equal(code, 0, err);
  const [printed, ...grant] = out.trimEnd().split("\n");
  assert.match(printed ?? "", /^used \S+ /);
  assert.deepEqual(grant, [
    "permissions: {",
    `  read: ["${file}"],`,
    '  env: ["LEARNED"],',
    '  sys: ["hostname"],',
    '  // refused: run "/app/deno"',
    "}",
    `cordon run --allow-read=${file} --allow-env=LEARNED --allow-sys=hostname ${SCRIPT}`,
  ]);
  assert.match(err, /NotCapable/, "programs are refused while learning, too");
  const flags = (grant.at(-1) ?? "").split(" ").slice(1);
  const again = await cordon([...flags, "--", file], { LEARNED: "x" });
  assert.equal(again.code, 0, `the learned grant is enough: ${again.err}`);
  const less = flags.filter((flag) => !flag.startsWith("--allow-sys"));
  assert.equal((await cordon([...less, "--", file])).code, 77, "and every part of it is needed");
});

sandboxTest("--json prints the grant as data and nothing else on standard output", async () => {
  await using folder = await here();
  const { code, out, err } = await cordon(["learn", "--json", SCRIPT, "--", "LICENSE", "7"], {}, folder.path);
  assert.equal(code, 7, err);
  const { permissions, flags, refused } = JSON.parse(out);
  assert.deepEqual(permissions.read, [`${folder.path}/LICENSE`]);
  assert.ok(flags.includes("--allow-sys=hostname"));
  assert.deepEqual(refused, [{ permission: "run", value: "/app/deno" }]);
  assert.match(err, /MIT/);
});

sandboxTest("tells what a script needed before it failed", async () => {
  await using folder = await here();
  const { code, out, err } = await cordon(["learn", SCRIPT, "--", "LICENSE", "throw"], {}, folder.path);
  assert.equal(code, 1);
  assert.match(err, /in the end/);
  assert.match(out, /sys: \["hostname"\]/);
});

sandboxTest("opens nothing that is not mounted", async () => {
  await using folder = await here();
  const { code, out, err } = await cordon(["learn", SCRIPT, "--", "/etc/passwd"], {}, folder.path);
  assert.equal(code, 1, err);
  assert.match(err, /NotFound/);
  assert.match(out, /read: \["\/etc\/passwd"\]/);
});
