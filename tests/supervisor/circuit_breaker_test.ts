import assert from "node:assert/strict";
import { CircuitBreaker } from "../../src/supervisor/circuit_breaker.ts";
import { FakeClock } from "../util/fake_clock.ts";

function opened(): { readonly clock: FakeClock; readonly breaker: CircuitBreaker } {
  const clock = new FakeClock();
  const breaker = new CircuitBreaker(clock, { maxFailures: 3, openMs: 60_000 });
  for (let count = 0; count < 3; count++) {
    assert.equal(breaker.tryAcquire(), true);
    breaker.fail();
  }
  return { clock, breaker };
}

Deno.test("CircuitBreaker opens at the third failure in a row and stays open for its time", async () => {
  const { clock, breaker } = opened();
  assert.deepEqual(breaker.state, { state: "open", until: 60_000 });
  await clock.advance(59_999);
  assert.equal(breaker.tryAcquire(), false);
  await clock.advance(1);
  assert.deepEqual(breaker.state, { state: "half-open" });
});

Deno.test("CircuitBreaker forgets failures at a success", () => {
  const breaker = new CircuitBreaker(new FakeClock(), { maxFailures: 3, openMs: 60_000 });
  breaker.fail();
  breaker.fail();
  breaker.succeed();
  breaker.fail();
  breaker.fail();
  assert.deepEqual(breaker.state, { state: "closed", failures: 2 });
});

Deno.test("CircuitBreaker allows one try at a time when half-open, and one failure opens it again", async () => {
  const { clock, breaker } = opened();
  await clock.advance(60_000);
  assert.equal(breaker.tryAcquire(), true);
  assert.equal(breaker.tryAcquire(), false);
  breaker.fail();
  assert.deepEqual(breaker.state, { state: "open", until: 120_000 });
  await clock.advance(60_000);
  assert.equal(breaker.tryAcquire(), true, "the next try comes when it is half-open again");
});

Deno.test("CircuitBreaker closes when the one try succeeds", async () => {
  const { clock, breaker } = opened();
  await clock.advance(60_000);
  assert.equal(breaker.tryAcquire(), true);
  breaker.succeed();
  assert.deepEqual(breaker.state, { state: "closed", failures: 0 });
  assert.equal(breaker.tryAcquire(), true);
});
