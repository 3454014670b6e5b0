import { deepEqual, equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Descriptors } from "../../src/launcher/descriptors.ts";
import { fdTargets } from "./processes.ts";

Deno.test("Descriptors.addContent() passes content on that no name leads to, and closes it at the end", async () => {
  const directory = await Deno.makeTempDir({ prefix: "cordon-descriptors-" });
  const descriptors = new Descriptors([7]);
  deepEqual([descriptors.addContent(directory, "one"), descriptors.addContent(directory, "two")], [4, 5]);
  deepEqual([...Deno.readDirSync(directory)], []);
  const [inherited, one, two] = descriptors.stdio as number[];
  deepEqual([inherited, readFileSync(one!, "utf8"), readFileSync(two!, "utf8")], [7, "one", "two"]);
  equal(Deno.statSync(`/proc/self/fd/${one}`).mode! & 0o777, 0o600);
  const own = () => fdTargets("self").filter((target) => target.startsWith(directory)).length;
  equal(own(), 2);
  descriptors[Symbol.dispose]();
  equal(own(), 0);
  await Deno.remove(directory);
});
