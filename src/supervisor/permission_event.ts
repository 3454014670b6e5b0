/**
 * Decisions about what plugins may do, from the permission broker and from the network's proxy, in one shape.
 *
 * @module
 */

import type { EgressDecision } from "../network/types.ts";
import type { PermissionKind } from "../util/permission.ts";
import type { PermissionAudit } from "./broker_types.ts";
import { grantLine } from "./grant_line.ts";

/** One decision. Every text in it is safe to show. */
export interface PermissionEvent {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Name of the plugin. */
  readonly plugin: string;
  /** What kind of thing it wanted; `"protocol"` if its runtime broke the broker's protocol and was disconnected. */
  readonly permission: PermissionKind | "protocol";
  /** Path, `host:port` or name; null is everything of that kind. */
  readonly value: string | null;
  /** What it was told. */
  readonly outcome: "allow" | "deny";
  /** What decided: the grant, the runtime's own needs, a fixed rule, the callback, learn mode, a rate, the proxy. */
  readonly by: "policy" | "runtime" | "rule" | "callback" | "learn" | "rate" | "proxy";
  /** Why, for people. May name addresses that the plugin is not told. */
  readonly reason: string;
  /** The line that would grant it; null if none would, or if it was allowed. */
  readonly suggestion: string | null;
  /** How often this same decision was made so far: 1, 10, 100, …; those between are not told. */
  readonly count: number;
}

/**
 * A decision of the broker.
 *
 * @param audit What the broker told.
 * @returns The event.
 */
export function brokerEvent(audit: PermissionAudit): PermissionEvent {
  const { permission, value, outcome } = audit;
  const suggestion = outcome === "deny" && permission !== "protocol" ? grantLine(permission, value) : null;
  return Object.freeze({ ...audit, suggestion });
}

/**
 * A decision of the proxy. A connection that was allowed and failed was allowed.
 *
 * @param plugin Whose it is.
 * @param decision What the proxy told.
 * @returns The event.
 */
export function egressEvent(plugin: string, decision: EgressDecision): PermissionEvent {
  const { at, target, outcome, reason, suggestion, count } = decision;
  return Object.freeze({
    at,
    plugin,
    permission: "net",
    value: target,
    outcome: outcome === "denied" ? "deny" : "allow",
    by: "proxy",
    reason,
    suggestion,
    count,
  });
}
