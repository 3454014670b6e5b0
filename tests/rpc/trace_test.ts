import assert from "node:assert/strict";
import { describeMessage } from "../../src/rpc/mod.ts";
import { sessionPair } from "./session_pair.ts";

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

Deno.test("A trace shows values alike in both directions, and masks secrets wherever they lie", async () => {
  const lines = new Map<string, string[]>([["in", []], ["out", []]]);
  await using pair = await sessionPair({
    host: { trace: (direction, line) => void lines.get(direction)?.push(line) },
  });
  pair.guest.expose("a", new Map([["echo", (value: unknown) => value]]));
  const values: readonly (readonly [unknown, string])[] = [
    [new Map<unknown, unknown>([["password", "hunter2"], [1, "a"]]), 'Map{password:***,1:"a"}'],
    [[["authorization", "hunter2"], ["accept", "b"]], '[["authorization",***],["accept","b"]]'],
    [new Set([1, "a"]), 'Set[1,"a"]'],
    [new URL("https://me:hunter2@host/x"), '<URL "https://me:***@host/x">'],
    ["postgres://me:hunter2@host/x", '"postgres://me:***@host/x"'],
    [[-0, 5n, NaN, 2n ** 200n], "[-0,5n,NaN,<bigint>]"],
    [[new Date(5), /a/g], '[<Date 5>,<RegExp "a">]'],
  ];
  for (const [value, shown] of values) {
    await pair.host.call("a", "echo", [value]);
    assert.match(lines.get("out")!.at(-1)!, endingWith(`[${shown}]]`));
    assert.match(lines.get("in")!.at(-1)!, endingWith(`,${shown}]`));
  }
});

function endingWith(text: string): RegExp {
  return new RegExp(`${RegExp.escape(text)}$`);
}

Deno.test("describeMessage() writes one line without anything that a terminal obeys", () => {
  const message = [15, "e\u009b2J", { "\n1.00 → plugin call 5 B [forged]\u001b[2J": "a\u202eb", plain: 1 }];
  assert.equal(
    describeMessage(message, 9),
    String.raw`event 9 B ["e\u{9b}2J",{"\n1.00 → plugin call 5 B [forged]\u001b[2J":"a\u{202e}b",plain:1}]`,
  );
  assert.equal(describeMessage([6, 1, [() => "a\nb"]], 9), "result 9 B [1,[<function>]]");
});

Deno.test("describeMessage() runs no accessor", () => {
  let reads = 0;
  const value = {
    get a() {
      return ++reads;
    },
  };
  assert.equal(describeMessage([6, 1, value], 9), 'result 9 B [1,{a:"<accessor>"}]');
  assert.equal(reads, 0);
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
