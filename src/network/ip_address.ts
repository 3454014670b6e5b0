/**
 * Reads IP addresses strictly: one notation for IPv4, the standard ones for IPv6, nothing that resolvers guess at.
 *
 * @module
 */

/**
 * The bytes of an address.
 *
 * @param text A dotted quad without leading zeros, or IPv6 without brackets and without a zone.
 * @returns 4 or 16 bytes in network order; null if `text` is neither.
 *
 * @example
 * ```ts
 * import { parseAddress } from "./ip_address.ts";
 * import { deepEqual, equal } from "node:assert/strict";
 *
 * deepEqual(parseAddress("10.0.0.1"), Uint8Array.of(10, 0, 0, 1));
 * equal(parseAddress("0x0a.1"), null);
 * ```
 */
export function parseAddress(text: string): Uint8Array<ArrayBuffer> | null {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/**
 * The canonical text of an address, so that two spellings of one address compare equal.
 *
 * @param address What {@linkcode parseAddress} returned.
 * @returns A dotted quad, or IPv6 without brackets, compressed and in lower case.
 *
 * @example
 * ```ts
 * import { formatAddress, parseAddress } from "./ip_address.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(formatAddress(parseAddress("0:0::1") ?? new Uint8Array()), "::1");
 * ```
 */
export function formatAddress(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  return canonicalIpv6(Array.from(groupsOf(address), (group) => group.toString(16)).join(":"));
}

function parseIpv4(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^(?:(?:0|[1-9][0-9]{0,2})(?:\.(?!$)|$)){4}$/.test(text)) return null;
  const parts = text.split(".").map(Number);
  return parts.every((part) => part <= 255) ? Uint8Array.from(parts) : null;
}

function parseIpv6(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(text) || !URL.canParse(`http://[${text}]/`)) return null;
  const [head = "", tail] = canonicalIpv6(text).split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = new Array<string>(8 - before.length - after.length).fill("0");
  const bytes = [...before, ...zeros, ...after].flatMap((group) => {
    const value = parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
  return Uint8Array.from(bytes);
}

/** The URL parser knows every spelling of IPv6 and writes only one. */
function canonicalIpv6(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

function* groupsOf(address: Uint8Array): Generator<number> {
  for (let at = 0; at < address.length; at += 2) yield (address[at] ?? 0) * 256 + (address[at + 1] ?? 0);
}
