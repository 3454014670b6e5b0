/**
 * Parses who hears of plugins and answers for them.
 *
 * @module
 */

import { quote } from "../util/quote.ts";
import type { Sink } from "../util/observed_event.ts";
import type { LearnedGrant, OnPermission } from "../util/permission.ts";
import { invalid, list, oneOf } from "./parse.ts";
import type { OutputOption } from "./types.ts";

const outputWord = oneOf("inherit", "ignore");

/** Reads {@linkcode OutputOption}. */
export function output(value: unknown, path: string): OutputOption {
  return typeof value === "function" ? value as OutputOption : outputWord(value, path);
}

/** Reads a function that answers questions about permissions. */
export function permissionCallback(value: unknown, path: string): OnPermission {
  if (typeof value === "function") return value as OnPermission;
  throw invalid(path, "a function", `it is ${quote(value)}`, `It returns "allow", "deny" or { reason }`);
}

/** Reads `LoadOptions.learn`. */
export function learn(value: unknown, path: string): boolean | ((grant: LearnedGrant) => void) {
  if (typeof value === "boolean") return value;
  if (typeof value === "function") return value as (grant: LearnedGrant) => void;
  throw invalid(path, "true, false or a function", `it is ${quote(value)}`);
}

/** Reads a list of objects with `emit()`. */
export const sinks = list((value: unknown, path: string): Sink => {
  const isSink = typeof value === "object" && value !== null && "emit" in value &&
    typeof value.emit === "function";
  if (isSink) return value as Sink;
  throw invalid(path, "a sink", `it is ${quote(value)}`, "Sinks are made by logSink() and the like");
});
