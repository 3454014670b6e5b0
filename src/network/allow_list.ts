/**
 * The allow-list of a plugin's network: which targets, and which addresses that are not public.
 *
 * @module
 */

import { addressClass } from "./address_class.ts";
import { formatAddress } from "./ip_address.ts";
import { formatTarget, parseTarget, type Target } from "./target.ts";

/** A compiled list of `host:port`. */
export interface AllowList {
  /**
   * Whether a target is listed, by its name or by a wildcard.
   *
   * @param target What the plugin asked for.
   */
  lists(target: Target): boolean;
  /**
   * Why an address must not be connected to, though its name is listed.
   *
   * @param address Bytes of an address that a listed name resolved to, or of a listed address itself.
   * @param port Port that was asked for.
   * @returns Null if it may; else the reason, for people.
   */
  refusal(address: Uint8Array, port: number): string | null;
}

/**
 * Compile an allow-list.
 *
 * @param entries `host:port` each; `*.example.com:443` lists every name below it, not itself. None lists nothing.
 * @returns The list.
 * @throws {TypeError} If an entry is not strictly a host and a port.
 *
 * @example
 * ```ts
 * import { allowList } from "./allow_list.ts";
 * import { parseTarget } from "./target.ts";
 *
 * const target = parseTarget("api.example.com:443");
 * if (target !== null) allowList(["api.example.com:443"]).lists(target); // true
 * ```
 */
export function allowList(entries: readonly string[]): AllowList {
  const exact = new Set<string>();
  const suffixes = new Set<string>();
  for (const entry of entries) {
    const isWildcard = entry.startsWith("*.");
    const target = parseTarget(isWildcard ? entry.slice(2) : entry);
    if (target === null || (isWildcard && (target.address !== null || !target.host.includes(".")))) {
      throw new TypeError(`Cannot allow ${JSON.stringify(entry)} as it is not a host and a port`);
    }
    (isWildcard ? suffixes : exact).add(formatTarget(target.host, target.port));
  }
  return {
    lists: ({ host, port, address }) =>
      exact.has(formatTarget(host, port)) ||
      (address === null && parentsOf(host).some((parent) => suffixes.has(formatTarget(parent, port)))),
    refusal: (address, port) => {
      const kind = addressClass(address);
      const text = formatTarget(formatAddress(address), port);
      return kind === "public" || exact.has(text) ? null : `${text} is not public (${kind})`;
    },
  };
}

/** `c.example.com` → `example.com`, `com`. */
function parentsOf(host: string): string[] {
  return Array.from(host.matchAll(/\./g), ({ index }) => host.slice(index + 1));
}
