/** What one plugin was given is nothing to another, though both are plugins of one host. */

import assert from "node:assert/strict";
import { Kind } from "../../src/rpc/messages.ts";
import { assertAlive, peer } from "../rpc/hostile_peer.ts";
import { until } from "../rpc/until.ts";

Deno.test("76: a handle of one plugin is nothing to another, who is ended for naming it", async () => {
  await using owner = await peer();
  await using thief = await peer();
  owner.send(Kind.call, 1, 0, "svc", "page", []);
  await until(() => owner.received.some(([kind]) => kind === Kind.result));
  owner.send(Kind.call, 2, 0, 1, "title", []);
  await until(() => owner.received.some(([kind, id]) => kind === Kind.result && id === 2));
  const closed = thief.closed();
  thief.send(Kind.call, 1, 0, 1, "title", []);
  assert.match(String(await closed), /never given to the peer/);
  await assertAlive(owner);
});
