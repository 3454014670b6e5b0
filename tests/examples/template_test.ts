import assert from "node:assert/strict";
import { join } from "node:path";
import { REPOSITORY, runDeno } from "./run.ts";
import { useCheckout } from "./template_project.ts";

/** A copy of the template as a project of its own, which takes Cordon from this repository instead of JSR. */
async function copyTemplate(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "cordon-template-" });
  await copyDirectory(new URL("examples/template/", REPOSITORY), path);
  await useCheckout(path);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function copyDirectory(from: URL, to: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (!isDirectory) await Deno.copyFile(new URL(name, from), join(to, name));
    else {
      await Deno.mkdir(join(to, name));
      await copyDirectory(new URL(`${name}/`, from), join(to, name));
    }
  }
}

Deno.test("examples/template/ starts, runs its script and passes its own test", async () => {
  await using project = await copyTemplate();
  const start = await runDeno(["task", "start"], project.path);
  assert.deepEqual([start.code, start.stdout], [
    0,
    "6 × the\n3 × wall\n2 × plugin\nThe plugin noted: counted 29 words\n",
  ], start.stderr);
  const script = await runDeno(["task", "longest"], project.path);
  assert.deepEqual([script.code, script.stdout], [0, "knocked\n"], script.stderr);
  const doctor = await runDeno(["task", "doctor"], project.path);
  assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
  const test = await runDeno(["task", "test"], project.path);
  assert.equal(test.code, 0, test.stdout + test.stderr);
  assert.match(test.stdout, /1 passed/);
});
