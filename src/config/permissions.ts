/**
 * Parses what a plugin may touch.
 *
 * @module
 */

import { quote } from "../util/quote.ts";
import type { ConfigEnvironment } from "./environment.ts";
import { netEntries } from "./net_entry.ts";
import { entries, invalid, list, object, oneOf, type Parser } from "./parse.ts";
import { grants, path } from "./path.ts";
import type { PermissionConfig, SandboxMode } from "./types.ts";
import { isVariableName, steersRuntime } from "./variable_name.ts";

/** What Deno's `--allow-sys` knows. */
const sysNames = [
  "cpus",
  "getegid",
  "getPriority",
  "gid",
  "homedir",
  "hostname",
  "loadavg",
  "networkInterfaces",
  "osRelease",
  "osUptime",
  "setPriority",
  "statfs",
  "systemMemoryInfo",
  "uid",
  "userInfo",
  "username",
] as const;

/** Deno's other permissions: whoever knows them from there hears why there is nothing to write. */
const never: Readonly<Record<string, readonly [state: string, hint: string]>> = Object.freeze({
  run: ["a plugin never starts programs", "Offer what they do as a service of the host"],
  ffi: ["a plugin never loads native code", "Offer what it does as a service of the host"],
  import: ["what a plugin imports is bundled or mounted before it starts", "Leave it out"],
});

/** Spellings of the older interfaces that this one replaces. */
const aliases = Object.freeze({ readonlyPaths: "read", writablePaths: "write", network: "net" });

/**
 * A parser of {@linkcode PermissionOptions}.
 *
 * @param environment Gives the current directory and the values of variables that are passed by name.
 */
export function permissions(environment: ConfigEnvironment): Parser<PermissionConfig> {
  const cwd = environment.cwd;
  const shape = {
    read: grants(cwd),
    write: grants(cwd),
    net: network,
    env: (value: unknown, at: string) => variables(value, at, environment.env),
    sys: list(oneOf(...sysNames)),
    unix: list(path(cwd)),
  };
  return (value, at) => {
    for (const [key] of entries(value, at)) refuseNever(key, `${at}.${key}`);
    const parsed = object(value, at, shape, aliases);
    return Object.freeze({
      read: parsed.read ?? Object.freeze([]),
      write: parsed.write ?? Object.freeze([]),
      net: parsed.net ?? Object.freeze({ kind: "none" }),
      env: parsed.env ?? Object.freeze({}),
      sys: parsed.sys ?? Object.freeze([]),
      unix: parsed.unix ?? Object.freeze([]),
    });
  };
}

function refuseNever(key: string, at: string): void {
  const why = Object.hasOwn(never, key) ? never[key] : undefined;
  if (why !== undefined) throw invalid(at, "a permission", ...why);
}

function network(value: unknown, at: string): PermissionConfig["net"] {
  if (value === "host") return Object.freeze({ kind: "host" });
  if (value === "none" || value === false) return Object.freeze({ kind: "none" });
  if (value === true) {
    throw invalid(
      at,
      'a list of hosts or "host"',
      "it is true",
      'Write "host" to share the whole network of the host',
    );
  }
  const isWrapped = typeof value === "object" && value !== null && !Array.isArray(value);
  const hosts = isWrapped ? object(value, at, { allow: (one: unknown) => one }).allow ?? [] : value;
  const allow = list(netEntries)(hosts, isWrapped ? `${at}.allow` : at).flat();
  if (allow.length === 0) return Object.freeze({ kind: "none" });
  return Object.freeze({ kind: "proxy", allow: Object.freeze([...new Set(allow)]) });
}

function variables(
  value: unknown,
  at: string,
  env: ConfigEnvironment["env"],
): Readonly<Record<string, string>> {
  const named = Array.isArray(value)
    ? list(variableName)(value, at).map((name): [string, unknown] => [name, env(name)])
    : entries(value, at, "a list of names, or an object of name → value").map((
      [name, one],
    ): [string, unknown] => [variableName(name, `${at}.${name}`), one]);
  const found = named.filter(([, one]) => one !== undefined).map(([name, one]) => {
    if (typeof one === "string" && !one.includes("\0")) return [name, one];
    throw invalid(`${at}.${name}`, "the text of a variable", `it is ${quote(one)}`);
  });
  return Object.freeze(Object.fromEntries(found));
}

function variableName(value: unknown, at: string): string {
  const rule = "the name of an environment variable";
  if (typeof value !== "string" || !isVariableName(value)) {
    throw invalid(at, rule, `it is ${quote(value)}`);
  }
  if (!steersRuntime(value)) return value;
  throw invalid(
    at,
    rule,
    `${quote(value)} changes how the runtime itself behaves`,
    "Pass it under another name",
  );
}

/** Reads `sandbox`; `"disabled"` and `false` of other systems are refused with what to write instead. */
export function sandboxMode(value: unknown, at: string): SandboxMode {
  if (value === "disabled" || value === false) {
    const hint = 'Write "permissions-only" if nothing but Deno permissions shall confine the plugin';
    throw invalid(at, "a sandbox mode", `it is ${quote(value)}`, hint);
  }
  return oneOf("required", "best-effort", "permissions-only")(value, at);
}
