import assert from "node:assert/strict";
import { ProtocolError } from "../../src/errors.ts";
import { RpcSession } from "../../src/rpc/mod.ts";
import { Kind } from "../../src/rpc/messages.ts";
import { socketTransport } from "../../src/transport/mod.ts";
import { peer } from "./hostile_peer.ts";
import { foreignDecode } from "./msgpack_extensions.ts";
import { marker } from "./raw_peer.ts";
import { connectionPair } from "./session_pair.ts";

Deno.test("RpcSession tells a peer whose header is over the limit, before it reads on", async () => {
  const [left, right] = await connectionPair();
  const transport = socketTransport(left, { maxFrameBytes: 1024 });
  await using session = new RpcSession(transport, { role: "host", token: "t", name: "guest" });
  const started = session.start().catch((error) => error);
  await right.write(new Uint8Array([255, 255, 255, 255, 0x91]));
  const told = new Uint8Array(1024);
  const count = await right.read(told);
  const [kind, reason] = foreignDecode(told.subarray(4, count ?? 0)) as [number, string];
  assert.equal(kind, Kind.close);
  assert.equal(reason, 'Cannot read a frame as "maxFrameBytes" is 1024: its header says 4294967295');
  assert.equal((await started).message, reason);
  const end = await session.closed;
  assert.ok(end instanceof ProtocolError);
  assert.equal(await right.read(told).catch((error) => error.name), null);
  right.close();
});

Deno.test("RpcSession closes on arguments that are no list but another value", async () => {
  for (const args of [[marker("M"), "a", 1], [marker("S"), 1], [marker("F"), 1], [marker("R"), "a", "g"]]) {
    await using raw = await peer();
    raw.session.expose("list", new Map([["size", (...values: unknown[]) => values.length]]));
    raw.send(Kind.call, 1, 0, "list", "size", args);
    const error = await raw.closed();
    assert.ok(error instanceof ProtocolError);
    assert.match(error.message, /its arguments must be a list/);
  }
});
