/** Checks what an allow-list lets through. */

import assert from "node:assert/strict";
import { allowList } from "../../src/network/allow_list.ts";
import { parseAddress } from "../../src/network/ip_address.ts";
import { parseTarget } from "../../src/network/target.ts";

function lists(entries: readonly string[], text: string): boolean {
  const target = parseTarget(text);
  assert.ok(target !== null, text);
  return allowList(entries).lists(target);
}

function refusal(entries: readonly string[], address: string, port: number): string | null {
  return allowList(entries).refusal(parseAddress(address) ?? new Uint8Array(), port);
}

Deno.test("allowList() of nothing lists nothing", () => {
  assert.equal(lists([], "example.com:443"), false);
  assert.equal(lists([], "127.0.0.1:80"), false);
});

Deno.test("AllowList.lists() compares host and port, in any case", () => {
  const entries = ["Api.example.com:443", "[::1]:80"];
  assert.equal(lists(entries, "API.example.com:443"), true);
  assert.equal(lists(entries, "[0:0:0:0::1]:80"), true);
  for (
    const other of [
      "api.example.com:80",
      "example.com:443",
      "xapi.example.com:443",
      "api.example.com.evil.test:443",
    ]
  ) {
    assert.equal(lists(entries, other), false, other);
  }
});

Deno.test("AllowList.lists() takes a wildcard for every name below it, not for itself nor for look-alikes", () => {
  const entries = ["*.example.com:443"];
  assert.deepEqual(
    ["a.example.com:443", "a.b.example.com:443", "example.com:443", "a.example.com:80", "notexample.com:443"]
      .map((text) => lists(entries, text)),
    [true, true, false, false, false],
  );
});

Deno.test("AllowList.refusal() lets public addresses through and others only if that address and port are listed", () => {
  assert.equal(refusal(["example.com:443"], "93.184.215.14", 443), null);
  assert.equal(refusal(["example.com:443"], "10.0.0.1", 443), "10.0.0.1:443 is not public (private)");
  assert.equal(refusal(["10.0.0.1:443"], "10.0.0.1", 443), null);
  assert.equal(refusal(["10.0.0.1:443"], "10.0.0.1", 80), "10.0.0.1:80 is not public (private)");
  assert.equal(
    refusal(["10.0.0.1:443"], "::ffff:10.0.0.1", 443),
    "[::ffff:a00:1]:443 is not public (embedded-ipv4)",
  );
});

Deno.test("allowList() refuses entries that are not strictly a host and a port", () => {
  for (
    const entry of [
      "example.com",
      "*:443",
      "*.com:443",
      "*.1.2.3.4:80",
      "a.*.com:443",
      "https://example.com:443",
      "",
    ]
  ) {
    assert.throws(() => allowList([entry]), TypeError, entry);
  }
});
