import assert from "node:assert/strict";
import { cordon, fixture, sandboxSkip } from "./cordon.ts";

const skip = await sandboxSkip();

function callTest(name: string, args: readonly string[], code: number, out: string, err: RegExp): void {
  Deno.test({
    name: `cordon call ${name}${skip}`,
    ignore: skip !== "",
    async fn() {
      const ended = await cordon(["call", fixture("plugin.ts"), ...args]);
      assert.equal(ended.code, code, ended.err);
      assert.equal(ended.out, out);
      assert.match(ended.err, err);
    },
  });
}

callTest("prints what an export returns", ["add", "1", "2"], 0, "3\n", /^$/);
callTest("prints one line of JSON with --json", ["bytes", "--json"], 0, "[1,2,3]\n", /^$/);
callTest(
  "prints one line for each item of a generator",
  ["rows", "2", "--json"],
  0,
  '{"row":0}\n{"row":1}\n',
  /^$/,
);
callTest("reaches members of exported objects", ["tools.shout", '"loud"'], 0, "LOUD\n", /^$/);
callTest("exits 1 when the export throws", ["fail"], 1, "", /failed on purpose[\s\S]*plugin\.ts:10:/);
callTest(
  "exits 77 when the export is not allowed to",
  ["secret"],
  77,
  "",
  /Requires read access to "\/etc\/passwd"[\s\S]*\nhint: To grant it: --allow-read=\/etc\/passwd\n$/,
);
callTest("exits 124 after --timeout", ["forever", "--timeout=300ms"], 124, "", /error: /);
callTest(
  "exits 64 for an export that is not there",
  ["ad", "1"],
  64,
  "",
  /Cannot call "ad": the plugin has no such export[^]*\nhint: Did you mean "add"\? The plugin exports .*\badd\b.*\btools\.shout\b/,
);
callTest(
  "names the members of objects where none is near",
  ["tools.whisper"],
  64,
  "",
  /\nhint: The plugin exports add, .*tools\.shout/,
);
callTest("exits 64 for names that every object has", ["constructor"], 64, "", /has no such export/);
