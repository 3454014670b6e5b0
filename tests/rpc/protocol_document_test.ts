/** The tables of PROTOCOL.md say what the code does, row by row. */

import assert from "node:assert/strict";
import { errorFields, errorFromFields } from "../../src/rpc/error_fields.ts";
import { DEFAULT_RPC_LIMITS } from "../../src/rpc/mod.ts";
import { Kind, PROTOCOL_VERSION } from "../../src/rpc/messages.ts";
import { ConstantCode, ExtensionType, MarkerCode } from "../../src/rpc/wire_types.ts";

const text = await Deno.readTextFile(new URL("../../src/rpc/PROTOCOL.md", import.meta.url));

/** Cells of the table whose head begins with `first`. */
function table(first: string): string[][] {
  const lines = text.split("\n");
  const head = lines.findIndex((line) => line.replaceAll(" ", "").startsWith(`|${first}|`));
  assert.ok(head > 0, `there is no table "${first}"`);
  const rows: string[][] = [];
  for (let line = head + 2; lines[line]!.startsWith("|"); line++) {
    rows.push(lines[line]!.split("|").slice(1, -1).map((cell) => cell.trim()));
  }
  return rows;
}

Deno.test("PROTOCOL.md lists every kind of message with its number, and no other", () => {
  assert.match(text, new RegExp(`version ${PROTOCOL_VERSION}\\n`));
  const documented = table("kind").map(([kind, name]) => [name, Number(kind)]);
  assert.deepEqual(Object.fromEntries(documented), { ...Kind });
  assert.equal(documented.length, Object.keys(Kind).length);
});

Deno.test("PROTOCOL.md lists every extension type and constant, and no other", () => {
  const rows = table("type");
  const documented = new Set(rows.flatMap(([cell]) => {
    const [from, to = from] = cell!.split(" … ").map(Number);
    return Array.from({ length: to! - from! + 1 }, (_, index) => from! + index);
  }));
  assert.deepEqual([...documented].sort((a, b) => a - b), Object.values(ExtensionType).sort((a, b) => a - b));
  const constants = rows.filter(([type]) => type === "1").map(([, content]) =>
    Number(content!.split(": ")[1])
  );
  assert.deepEqual(constants, Object.values(ConstantCode));
  const views = rows.at(-1)![2]!.replace("Array", "").split(", ").map((name) => name.toLowerCase());
  const names = Object.entries(ExtensionType).filter(([, type]) => type >= ExtensionType.int8).map(([name]) =>
    name
  );
  assert.deepEqual(views, names.map((name) => name.toLowerCase()));
});

Deno.test("PROTOCOL.md lists every marker, and no other", () => {
  const documented = new Set(table("marker").map(([cell]) => cell!.replaceAll("`", "").charCodeAt(0)));
  assert.match(text, /marker `H` is different/);
  documented.add(MarkerCode.hole);
  assert.deepEqual([...documented].sort(), Object.values(MarkerCode).sort());
});

Deno.test("PROTOCOL.md lists every limit that a hello tells", () => {
  const limits = /The keys are ([^.]+)\./.exec(text)![1]!.matchAll(/`(\w+)`/g);
  assert.deepEqual([...limits].map(([, name]) => name).sort(), Object.keys(DEFAULT_RPC_LIMITS).sort());
});

Deno.test("PROTOCOL.md lists every class of error that is made for a peer, and no other", () => {
  const listed = [.../An error's `class` is one of ([^]+?), or `Deno\.`/.exec(text)![1]!.matchAll(/`(\w+)`/g)]
    .map(([, name]) => name!);
  assert.ok(listed.length > 15);
  const more = {
    path: "$",
    limit: "x",
    timeoutMs: 1,
    asked: 1,
    allowed: 1,
    free: 1,
    suggestion: "",
    call: "",
    errno: "",
  };
  for (const kind of listed) {
    const error = errorFromFields({
      kind,
      name: kind,
      message: "m",
      stack: "",
      more: { ...more, result: "" },
    });
    assert.equal(error.constructor.name, kind);
    assert.equal(errorFields(error, false).kind, kind);
  }
  for (
    const kind of ["PluginCrashedError", "ProtocolError", "ConfigError", "LaunchError", "", "Object", "Deno."]
  ) {
    assert.ok(!listed.includes(kind));
    const error = errorFromFields({ kind, name: kind, message: "m", stack: "", more });
    assert.equal(error.constructor.name, "RemoteError");
  }
});
