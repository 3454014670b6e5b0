/**
 * Sockets: which families, and which options of them.
 *
 * @module
 */

import { ALLOW, check, type Clause, oneOf, type Rule } from "./rule.ts";

/** Which sockets may be made. */
export interface SocketFamilies {
  /** AF_UNIX streams, connected to paths. */
  readonly unix: boolean;
  /** AF_INET and AF_INET6 streams and datagrams, also listening. */
  readonly network: boolean;
}

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCKET_TYPE = 0xf;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;

/** Level to options. Left out on purpose: socket filters (BPF), protocol modules, packet marks, raw headers. */
const SOCKET_OPTIONS: readonly { readonly level: number; readonly options: readonly number[] }[] = [
  { level: 1, options: [2, 6, 7, 8, 9, 13, 15, 20, 21, 66, 67] }, // SOL_SOCKET: reuse, broadcast, buffers, keepalive, linger, timeouts
  { level: 0, options: [1, 2, 11, 32, 33, 34, 35, 36] }, // IP: TOS, TTL, RECVERR, multicast
  { level: 41, options: [16, 17, 18, 19, 20, 21, 25, 26, 67] }, // IPv6: hops, multicast, RECVERR, V6ONLY, TCLASS
  { level: IPPROTO_TCP, options: [1, 4, 5, 6, 18] }, // TCP: NODELAY, KEEPIDLE, KEEPINTVL, KEEPCNT, USER_TIMEOUT
];

/**
 * Rules for making sockets. Without any family the calls stay refused.
 *
 * @param families Which sockets may be made.
 * @returns Rules to add to a set.
 *
 * @example
 * ```ts
 * import { networkRules } from "./network_rules.ts";
 *
 * console.log(networkRules({ unix: false, network: false }).size); // 0
 * ```
 */
export function networkRules(families: SocketFamilies): ReadonlyMap<string, Rule> {
  const rules = new Map<string, Rule>();
  if (!families.unix && !families.network) return rules;
  const kinds: Clause[] = [];
  if (families.unix) kinds.push([oneOf(0, [AF_UNIX]), oneOf(1, [SOCK_STREAM], SOCKET_TYPE), oneOf(2, [0])]);
  if (families.network) kinds.push(internetSocket());
  rules.set("socket", check("EAFNOSUPPORT", ...kinds));
  rules.set("connect", ALLOW);
  if (!families.network) return rules;
  for (const name of ["bind", "listen", "accept", "accept4"]) rules.set(name, ALLOW);
  const options = SOCKET_OPTIONS.map(({ level, options }): Clause => [oneOf(1, [level]), oneOf(2, options)]);
  rules.set("setsockopt", check("EPERM", ...options));
  return rules;
}

function internetSocket(): Clause {
  return [
    oneOf(0, [AF_INET, AF_INET6]),
    oneOf(1, [SOCK_STREAM, SOCK_DGRAM], SOCKET_TYPE),
    oneOf(2, [0, IPPROTO_TCP, IPPROTO_UDP]),
  ];
}
