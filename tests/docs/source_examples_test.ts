/** What the sources show as an example is what the tests of the documentation run: without a fence it is only text. */

import assert from "node:assert/strict";
import { fromFileUrl, relativeTo, walkTypeScript } from "../testing/files.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

/** Examples that are checked but not run: they need a plan of many parts. */
const NOT_RUN = [
  "src/launcher/exec/policy_exec_plan.ts",
  "src/launcher/exec/policy_exec_plan.ts",
];

Deno.test("every example in the sources is a block of code, and all but those listed here are run", async () => {
  const kinds: Record<string, string[]> = {};
  for await (const path of walkTypeScript(`${ROOT}src`)) {
    const place = relativeTo(ROOT, path);
    for (const kind of exampleKinds(await Deno.readTextFile(path))) (kinds[kind] ??= []).push(place);
  }
  const { ts: run = [], "ts ignore": ignored = [], ...others } = kinds;
  assert.ok(run.length > 80, `${run.length} examples`);
  assert.deepEqual(ignored.sort(), NOT_RUN);
  assert.deepEqual(others, {});
});

Deno.test("exampleKinds() finds an example without a fence, so that the check can fail", () => {
  const fenced = "/**\n * @example\n * ```ts\n * f();\n * ```\n */";
  assert.deepEqual(exampleKinds(fenced), ["ts"]);
  assert.deepEqual(exampleKinds(fenced.replace(" * ```ts\n", "")), ["no fence"]);
});

/** What stands behind the fence of each example. */
function exampleKinds(code: string): string[] {
  return [...code.matchAll(/^\s*\* @example.*\n\s*\*(.*)$/gm)].map(([, next = ""]) => {
    return /^ ```(.+)$/.exec(next)?.[1] ?? "no fence";
  });
}
