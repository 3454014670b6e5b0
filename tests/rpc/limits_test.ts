import assert from "node:assert/strict";
import { DEFAULT_RPC_LIMITS, rpcLimits } from "../../src/rpc/limits.ts";

const MIB = 2 ** 20;

Deno.test("rpcLimits() lets messages wait that maxFrameBytes lets be sent", () => {
  assert.deepEqual(rpcLimits(), DEFAULT_RPC_LIMITS);
  assert.equal(rpcLimits({ maxFrameBytes: MIB }).maxQueuedBytes, 64 * MIB);
  assert.equal(rpcLimits({ maxFrameBytes: 256 * MIB }).maxQueuedBytes, 512 * MIB);
  assert.equal(rpcLimits({ maxFrameBytes: 256 * MIB, maxQueuedBytes: MIB }).maxQueuedBytes, MIB);
  assert.throws(() => rpcLimits({ maxFrameBytes: 0.5 }), RangeError);
});
