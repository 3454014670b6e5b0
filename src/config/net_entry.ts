/**
 * The one strict parser of hosts that a plugin may reach: what two parsers could read differently is refused.
 *
 * @module
 */

import { quote } from "../util/quote.ts";
import { invalid } from "./parse.ts";

const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
/** The ports that a host stands for when none is written: https and http. */
const usualPorts = [443, 80];

/**
 * Canonical `host:port` entries for what was written.
 *
 * Hosts are names of letters, digits and hyphens, `*.` followed by a name of at least two labels (any name below it, not
 * itself), dotted-quad IPv4 or bracketed IPv6. There is no user, path, trailing dot, percent sign or octal number.
 *
 * @param value What was written, such as `"API.example.com"`, `"10.0.0.1:8080"`, `"[::1]:443"`, `"*.example.com:443"`.
 * @param path Where it stands, for messages.
 * @returns Lower-case entries; ports 443 and 80 when none was written.
 * @throws {ConfigError} If it is not one host with at most one port.
 *
 * @example
 * ```ts
 * import { netEntries } from "./net_entry.ts";
 *
 * netEntries("API.example.com", "net"); // ["api.example.com:443", "api.example.com:80"]
 * ```
 */
export function netEntries(value: unknown, path: string): readonly string[] {
  const rule = "a host or host:port";
  if (typeof value !== "string" || value.length > 300) throw invalid(path, rule, `it is ${quote(value)}`);
  if (value === "*") {
    throw invalid(path, rule, 'it is "*"', 'Write net: "host" to share the whole network of the host');
  }
  if (value.includes("/")) throw invalid(path, rule, `it is ${quote(value)}`, portHint(value));
  const parts = /^(\[[^\]]*\]|[^:[\]]*)(?::([^:]*))?$/.exec(value.toLowerCase());
  if (parts === null) throw invalid(path, rule, `it is ${quote(value)}`, portHint(value));
  const host = canonicalHost(parts[1] ?? "");
  if (host === null) throw invalid(path, rule, `it is ${quote(value)}`, hostHint(value));
  if (parts[2] === undefined) return usualPorts.map((port) => `${host}:${port}`);
  const isPort = /^[1-9][0-9]{0,4}$/.test(parts[2]) && Number(parts[2]) <= 65535;
  if (!isPort) throw invalid(path, rule, `${quote(parts[2])} is not a port`, "Ports are 1 to 65535");
  return [`${host}:${parts[2]}`];
}

function canonicalHost(host: string): string | null {
  if (host.startsWith("[")) return canonicalIpv6(host);
  const isWildcard = host.startsWith("*.");
  const labels = (isWildcard ? host.slice(2) : host).split(".");
  const last = labels.at(-1) ?? "";
  // Resolvers read "0x7f.1" and "2130706433" as addresses: a host that ends like a number must be a plain dotted quad.
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(last)) return !isWildcard && isDottedQuad(labels) ? host : null;
  if (!labels.every((one) => label.test(one)) || host.length > 253) return null;
  return isWildcard && labels.length < 2 ? null : host;
}

function isDottedQuad(labels: readonly string[]): boolean {
  return labels.length === 4 &&
    labels.every((one) => /^(?:0|[1-9][0-9]{0,2})$/.test(one) && Number(one) <= 255);
}

function canonicalIpv6(host: string): string | null {
  if (!/^\[[0-9a-f:.]{2,45}\]$/.test(host) || !URL.canParse(`http://${host}/`)) return null;
  return new URL(`http://${host}/`).hostname;
}

function portHint(value: string): string {
  return /^[0-9a-f:]+$/i.test(value) && value.includes("::")
    ? `Write an IPv6 address in brackets: "[${value}]"`
    : 'Write only host and port, such as "api.example.com:443"';
}

function hostHint(value: string): string {
  // deno-lint-ignore no-control-regex -- the range is what is looked for
  if (/[^\x00-\x7f]/.test(value)) return "Write an international name in its xn-- form";
  return 'Write a name, a dotted-quad IPv4 address or an IPv6 address in brackets, such as "api.example.com:443"';
}
