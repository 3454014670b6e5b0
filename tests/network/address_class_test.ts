/** Checks which addresses count as public. */

import assert from "node:assert/strict";
import { addressClass } from "../../src/network/address_class.ts";
import { parseAddress } from "../../src/network/ip_address.ts";

function classOf(text: string): string {
  const address = parseAddress(text);
  assert.ok(address !== null, text);
  return addressClass(address);
}

const cases: Readonly<Record<string, readonly string[]>> = {
  "public": [
    "1.1.1.1",
    "93.184.215.14",
    "9.255.255.255",
    "11.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450::1",
    "2001:4860:4860::8888",
    "2003::1",
  ],
  "loopback": ["127.0.0.1", "127.255.255.255", "::1"],
  "private": [
    "10.0.0.0",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "fc00::1",
    "fdff::1",
    "fec0::1",
  ],
  "carrier-nat": ["100.64.0.1", "100.127.255.255"],
  "link-local": ["169.254.0.1", "169.254.255.255", "fe80::1", "febf::1"],
  "metadata": ["169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254"],
  "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1"],
  "embedded-ipv4": [
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:1::1",
    "::ffff:0:7f00:1",
  ],
  "reserved": [
    "0.0.0.0",
    "0.1.2.3",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "2001:db8::1",
    "2001:20::1",
    "3fff::1",
    "100::1",
    "4000::1",
    "5f00::1",
  ],
};

for (const [kind, addresses] of Object.entries(cases)) {
  Deno.test(`addressClass() says "${kind}" of ${addresses[0]} and its like`, () => {
    assert.deepEqual(
      addresses.map((address) => [address, classOf(address)]),
      addresses.map((one) => [one, kind]),
    );
  });
}

Deno.test("addressClass() refuses what is not an address", () => {
  assert.throws(() => addressClass(new Uint8Array(5)), TypeError);
});
