/**
 * Says to what kind of network an IP address belongs: only public ones are reachable without being listed.
 *
 * @module
 */

import { parseAddress } from "./ip_address.ts";

/** What an address is for, after the IANA special-purpose registries. */
export type AddressClass =
  | "public"
  | "loopback"
  | "private"
  | "carrier-nat"
  | "link-local"
  | "metadata"
  | "multicast"
  | "embedded-ipv4"
  | "reserved";

interface Range {
  readonly prefix: Uint8Array;
  readonly bits: number;
  readonly kind: AddressClass;
}

/** First match wins; IPv4 that is in none of them is public. */
const IPV4: readonly Range[] = [
  range("169.254.169.254", 32, "metadata"),
  range("168.63.129.16", 32, "metadata"),
  range("100.100.100.200", 32, "metadata"),
  range("0.0.0.0", 8, "reserved"),
  range("10.0.0.0", 8, "private"),
  range("100.64.0.0", 10, "carrier-nat"),
  range("127.0.0.0", 8, "loopback"),
  range("169.254.0.0", 16, "link-local"),
  range("172.16.0.0", 12, "private"),
  range("192.0.0.0", 24, "reserved"),
  range("192.0.2.0", 24, "reserved"),
  range("192.88.99.0", 24, "reserved"),
  range("192.168.0.0", 16, "private"),
  range("198.18.0.0", 15, "reserved"),
  range("198.51.100.0", 24, "reserved"),
  range("203.0.113.0", 24, "reserved"),
  range("224.0.0.0", 4, "multicast"),
  range("240.0.0.0", 4, "reserved"),
];

/** First match wins; IPv6 that is in none of them is reserved: only 2000::/3 has been given out. */
const IPV6: readonly Range[] = [
  range("fd00:ec2::254", 128, "metadata"),
  range("fd20:ce::254", 128, "metadata"),
  range("::1", 128, "loopback"),
  range("::", 128, "reserved"),
  range("::", 96, "embedded-ipv4"),
  range("::ffff:0:0", 96, "embedded-ipv4"),
  range("::ffff:0:0:0", 96, "embedded-ipv4"),
  range("64:ff9b::", 96, "embedded-ipv4"),
  range("64:ff9b:1::", 48, "embedded-ipv4"),
  range("2002::", 16, "embedded-ipv4"),
  range("2001::", 32, "embedded-ipv4"),
  range("2001::", 23, "reserved"),
  range("2001:db8::", 32, "reserved"),
  range("3fff::", 20, "reserved"),
  range("fc00::", 7, "private"),
  range("fec0::", 10, "private"),
  range("fe80::", 10, "link-local"),
  range("ff00::", 8, "multicast"),
  range("2000::", 3, "public"),
];

/**
 * The class of an address.
 *
 * @param address Bytes in network order: 4 or 16 of them.
 * @returns `"public"` if it is an ordinary address of the internet.
 *
 * @example
 * ```ts
 * import { addressClass } from "./address_class.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(addressClass(Uint8Array.of(192, 168, 0, 7)), "private");
 * ```
 */
export function addressClass(address: Uint8Array): AddressClass {
  if (address.length === 4) return IPV4.find((one) => isWithin(address, one))?.kind ?? "public";
  if (address.length === 16) return IPV6.find((one) => isWithin(address, one))?.kind ?? "reserved";
  throw new TypeError(`Cannot classify an address as it must have 4 or 16 bytes: it has ${address.length}`);
}

function range(prefix: string, bits: number, kind: AddressClass): Range {
  const bytes = parseAddress(prefix);
  if (bytes === null) throw new TypeError(`Cannot read "${prefix}" as an address`);
  return { prefix: bytes, bits, kind };
}

function isWithin(address: Uint8Array, { prefix, bits }: Range): boolean {
  const whole = bits >> 3, mask = 0xff & (0xff00 >> (bits & 7));
  for (let at = 0; at < whole; at++) if (address[at] !== prefix[at]) return false;
  return mask === 0 || ((address[whole] ?? 0) & mask) === ((prefix[whole] ?? 0) & mask);
}
