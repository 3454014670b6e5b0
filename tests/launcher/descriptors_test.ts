import { deepEqual, equal, ok } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { Descriptors } from "../../src/launcher/descriptors.ts";

Deno.test("Descriptors.addContent() passes content on that no name leads to, and closes it at the end", async () => {
  const directory = await Deno.makeTempDir({ prefix: "cordon-descriptors-" });
  const descriptors = new Descriptors([7]);
  deepEqual([descriptors.addContent(directory, "one"), descriptors.addContent(directory, "two")], [4, 5]);
  deepEqual([...Deno.readDirSync(directory)], []);
  const [inherited, one, two] = descriptors.stdio as number[];
  deepEqual([inherited, readFileSync(one!, "utf8"), readFileSync(two!, "utf8")], [7, "one", "two"]);
  equal(Deno.statSync(`/proc/self/fd/${one}`).mode! & 0o777, 0o600);
  ok(targetOf(one!)?.startsWith(directory));
  descriptors[Symbol.dispose]();
  // The list itself may have taken one of the numbers.
  const targets = readdirSync("/proc/self/fd").map((fd) => targetOf(Number(fd)));
  deepEqual(targets.filter((target) => target?.startsWith(directory)), []);
  await Deno.remove(directory);
});

/** What a descriptor of this process leads to, if it is still open. */
function targetOf(fd: number): string | null {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${fd}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
