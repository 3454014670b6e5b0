/**
 * The strict parser of what a plugin wants to connect to: anything that two parsers could read differently is refused.
 *
 * @module
 */

import { formatAddress, parseAddress } from "./ip_address.ts";

/** One host and one port. */
export interface Target {
  /** Lower-case name, or the canonical text of an address (IPv6 without brackets). */
  readonly host: string;
  readonly port: number;
  /** The bytes of a literal address; null for a name. */
  readonly address: Uint8Array | null;
}

const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
/** getaddrinfo reads "2130706433", "0x7f.1" and "127.1" as addresses: the last label of a name is no number. */
const NUMBER_LIKE = /^(?:[0-9]+|0x[0-9a-f]*)$/;
const MAX_TARGET_CHARACTERS = 300;

/**
 * Parse `host:port`.
 *
 * @param text A name of letters, digits and hyphens, a dotted quad, or IPv6 in brackets; a colon; a decimal port.
 * @returns The target, or null if `text` is anything else: a user, a path, a NUL, a space, a percent sign, a trailing
 * dot, a number that stands for an address, an empty label.
 *
 * @example
 * ```ts
 * import { parseTarget } from "./target.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(parseTarget("API.example.com:443")?.host, "api.example.com");
 * equal(parseTarget("evil.test\0.example.com:443"), null);
 * ```
 */
export function parseTarget(text: string): Target | null {
  if (text.length > MAX_TARGET_CHARACTERS) return null;
  const parts = /^(\[[0-9a-f:.]+\]|[0-9a-z.-]+):([1-9][0-9]{0,4})$/.exec(text.toLowerCase());
  // Only ASCII may be folded: U+212A lower-cases to "k", and "K" must not become a host's name.
  // deno-lint-ignore no-control-regex -- the range is what is looked for
  if (parts === null || /[^\x00-\x7f]/.test(text)) return null;
  const host = parts[1] ?? "", port = Number(parts[2]);
  if (port > 65535) return null;
  const literal = host.startsWith("[") ? host.slice(1, -1) : host;
  if (host.startsWith("[") && !literal.includes(":")) return null;
  const address = parseAddress(literal);
  if (address !== null) return Object.freeze({ host: formatAddress(address), port, address });
  return isName(host) ? Object.freeze({ host, port, address: null }) : null;
}

/**
 * The text of a target as it stands in an allow-list.
 *
 * @param host A name or an address.
 * @param port The port.
 * @returns `host:port`, IPv6 in brackets.
 *
 * @example
 * ```ts
 * import { formatTarget } from "./target.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(formatTarget("::1", 80), "[::1]:80");
 * ```
 */
export function formatTarget(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function isName(host: string): boolean {
  const labels = host.split(".");
  return host.length <= 253 && labels.every((label) => LABEL.test(label)) &&
    !NUMBER_LIKE.test(labels.at(-1) ?? "");
}
