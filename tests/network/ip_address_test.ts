/** Checks the strict reading of IP addresses. */

import assert from "node:assert/strict";
import * as fc from "fast-check";
import { formatAddress, parseAddress } from "../../src/network/ip_address.ts";

Deno.test("parseAddress() reads dotted quads", () => {
  assert.deepEqual(parseAddress("192.168.0.255"), Uint8Array.of(192, 168, 0, 255));
  assert.deepEqual(parseAddress("0.0.0.0"), new Uint8Array(4));
});

Deno.test("parseAddress() refuses every other spelling of IPv4", () => {
  const other = [
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "127.0.0.01",
    "127.0.0.1.",
    "1.2.3.4.5",
    "256.0.0.1",
  ];
  assert.deepEqual(
    [...other, " 127.0.0.1", "127.0.0.1 ", "", "१.२.३.४"].map(parseAddress).filter((a) => a !== null),
    [],
  );
});

Deno.test("parseAddress() reads IPv6 however it is compressed", () => {
  const loopback = new Uint8Array(16);
  loopback[15] = 1;
  for (const text of ["::1", "0:0:0:0:0:0:0:1", "0000::0001", "::0.0.0.1"]) {
    assert.deepEqual(parseAddress(text), loopback, text);
  }
});

Deno.test("parseAddress() refuses zones, brackets and malformed IPv6", () => {
  const wrong = [
    "fe80::1%eth0",
    "[::1]",
    "1::2::3",
    ":::",
    "12345::",
    "1:2:3:4:5:6:7:8:9",
    "::g",
    "::1/64",
    "::1]@[",
  ];
  assert.deepEqual(wrong.map(parseAddress).filter((a) => a !== null), []);
});

Deno.test("formatAddress() writes what parseAddress() reads, for any bytes", () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(fc.property(fc.oneof(bytes(4), bytes(16)), (address) => {
    assert.deepEqual([...parseAddress(formatAddress(address)) ?? []], [...address]);
  }));
});
