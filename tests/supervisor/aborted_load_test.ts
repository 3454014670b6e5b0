/** Loads that are called off at any moment. The test runner complains about what they leave open. */

import assert from "node:assert/strict";
import { namesIn, testHost } from "../testing/fixtures.ts";

Deno.test("Host.load() that is called off leaves nothing open, at any moment of a start", async () => {
  await using test = await testHost();
  const path = await test.plugin("export const one = () => 1;");
  const outcomes = new Set<string>();
  const reason = new Error("never mind");
  for (let moment = 0; moment < 40; moment++) {
    const abort = new AbortController();
    const loading = test.host.load<{ one(): number }>(path, { signal: abort.signal });
    const timer = setTimeout(() => abort.abort(reason), moment);
    const outcome = await loading.then((plugin) => plugin, (error: unknown) => error);
    clearTimeout(timer);
    if (outcome === reason) outcomes.add("called off");
    else {
      assert.ok(outcome instanceof Object && "stop" in outcome, `${outcome}`);
      outcomes.add("loaded");
      await (outcome as { stop(): Promise<void> }).stop();
    }
  }
  assert.ok(outcomes.has("called off"));
  const [host] = (await namesIn(test.runtimeDirectory)).filter((name) => name.startsWith("h-"));
  assert.ok(host !== undefined);
  const left = await namesIn(`${test.runtimeDirectory}/${host}`);
  assert.deepEqual(left.filter((name) => /^\d+$/.test(name)), []);
});
