import assert from "node:assert/strict";
import { describeMessage } from "../../src/rpc/mod.ts";

Deno.test("describeMessage() names the kind and shows the fields", () => {
  assert.equal(
    describeMessage([5, 3, 0, "plugin", "add", [1, "two"]], 52),
    'call 52 B [3,0,"plugin","add",[1,"two"]]',
  );
});

Deno.test("describeMessage() never shows a token or a key that sounds secret", () => {
  assert.equal(describeMessage([1, 1, "the token", {}], 9), 'hello 9 B [1,"***",{}]');
  const line = describeMessage([6, 1, {
    password: "x1",
    nested: { apiKey: "x2", Authorization: "x3", plain: 1 },
  }], 9);
  assert.equal(line, "result 9 B [1,{password:***,nested:{apiKey:***,Authorization:***,plain:1}}]");
});

Deno.test("describeMessage() shortens texts, lists, levels and the whole line", () => {
  assert.equal(describeMessage([6, 1, "x".repeat(100)], 9), `result 9 B [1,"${"x".repeat(60)}…"]`);
  assert.equal(
    describeMessage([6, 1, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]], 9),
    "result 9 B [1,[1,2,3,4,5,6,7,8,… 2 more]]",
  );
  assert.equal(describeMessage([6, 1, [[[[[1]]]]]], 9), "result 9 B [1,[[[…]]]]");
  assert.equal(describeMessage([6, 1, new Uint8Array(5)], 9), "result 9 B [1,<5 bytes>]");
  assert.ok(describeMessage([6, 1, Array(8).fill("x".repeat(60))], 9).length < 230);
});

Deno.test("traceFromEnvironment() writes every frame to stderr when CORDON_DEBUG_RPC is 1, else nothing", async () => {
  const script = `
    import { traceFromEnvironment } from ${
    JSON.stringify(new URL("../../src/rpc/mod.ts", import.meta.url).href)
  };
    traceFromEnvironment("plugin")?.("out", "ping 4 B [1]");
  `;
  for (const [value, expected] of [["1", /^\d+\.\d\d → plugin ping 4 B \[1\]\n$/], ["0", /^$/]] as const) {
    const { stderr, code } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", "--quiet", script],
      env: { CORDON_DEBUG_RPC: value },
    }).output();
    assert.equal(code, 0);
    assert.match(new TextDecoder().decode(stderr), expected);
  }
});
