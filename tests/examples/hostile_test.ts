import assert from "node:assert/strict";
import { createHost } from "../../mod.ts";
import { Bystander } from "../../examples/demo/bystander.ts";
import type { Attempt } from "../../examples/hostile.ts";
import { REPOSITORY, runDeno } from "./run.ts";

const HOSTILE = new URL("examples/hostile.ts", REPOSITORY);

/** What needs a network, which the machine may not have at all. */
const NEED_NETWORK = ["phone home", "see the host's network"];

Deno.test("examples/hostile.ts gets what it wants without a sandbox (positive control)", async () => {
  await using bystander = await Bystander.create();
  const script = `import { attack, attackBehindPermissions } from ${JSON.stringify(HOSTILE.href)};
    const narrow = await attackBehindPermissions(${JSON.stringify(bystander.narrowTargets)});
    console.log(JSON.stringify([...narrow, ...await attack(${JSON.stringify(bystander.targets)})]));`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, script);
    const { code, stdout, stderr } = await runDeno(["run", "-A", "--no-config", file], REPOSITORY);
    assert.equal(code, 0, stderr);
    const attempts: Attempt[] = JSON.parse(stdout);
    const failed = attempts.filter(({ goal, succeeded }) => !succeeded && !NEED_NETWORK.includes(goal));
    assert.deepEqual(failed, []);
    const damage = await bystander.damage();
    assert.deepEqual(damage, [
      "the secret was changed",
      "files were left: secret.mjs.left",
      "2 connections were made",
    ]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("examples/hostile.ts gets nothing past Deno's permissions either", async () => {
  await using bystander = await Bystander.create();
  await using host = await createHost();
  await using hostile = await host.load<typeof import("../../examples/hostile.ts")>(HOSTILE, {
    permissions: { read: [bystander.granted], sys: ["hostname", "networkInterfaces"] },
  });
  const attempts = await hostile.api.attackBehindPermissions(bystander.narrowTargets);
  assert.deepEqual(attempts.map(({ goal, succeeded, answer }) => [goal, succeeded, answer.split(":")[0]]), [
    ["follow a link out of its directory", false, "NotFound"],
    ["learn the host's name", false, "nothing"],
    ["see the host's network", false, "PermissionDenied"],
  ]);
});

Deno.test("examples/hostile.ts gets nothing in a sandbox", async () => {
  await using bystander = await Bystander.create();
  await using host = await createHost();
  await using hostile = await host.load<typeof import("../../examples/hostile.ts")>(HOSTILE);
  const attempts = await hostile.api.attack(bystander.targets);
  assert.deepEqual(attempts.filter(({ succeeded }) => succeeded), []);
  assert.deepEqual(await bystander.damage(), []);
  const answers = new Map(attempts.map(({ goal, how, answer }) => [`${goal}: ${how}`, answer]));
  for (
    const refused of [
      "read a secret: Deno.readTextFile",
      "read a secret: node:fs",
      "read the accounts: /etc/passwd",
      "change the secret: Deno.writeTextFile",
      "start a program: Deno.Command",
      "run native code: Deno.dlopen",
      "signal the host: Deno.kill",
      "learn the host's name: Deno.hostname",
    ]
  ) assert.match(answers.get(refused) ?? "", /^NotCapable: /, refused);
  for (const absent of ["read a variable: Deno.env", "read a variable: process.env"]) {
    assert.equal(answers.get(absent), "nothing", absent);
  }
});
