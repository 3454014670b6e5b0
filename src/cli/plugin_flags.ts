/**
 * The options that say what a plugin may do, and what they mean to the host.
 *
 * @module
 */

import type {
  HostOptions,
  LimitOptions,
  LoadOptions,
  PermissionOptions,
  SandboxMode,
} from "../config/types.ts";
import { isVariableName, steersRuntime } from "../config/variable_name.ts";
import { quote } from "../util/quote.ts";
import type { OptionSpec } from "./command.ts";
import { type CommandLine, hasOption, optionValue } from "./command_line.ts";
import { UsageError } from "./usage_error.ts";

/** An option and the place in `LoadOptions` that it fills. */
interface PluginOption extends OptionSpec {
  /** Path in the host's options, as a `ConfigError` names it. */
  readonly path: string;
}

/** Options of every command that starts a plugin. */
export const PLUGIN_OPTIONS: readonly PluginOption[] = [
  permission("read", "PATHS", "Paths that may be read, separated by commas"),
  permission("write", "PATHS", "Paths that may be read and written"),
  permission("net", "HOSTS", "host or host:port that may be reached; without hosts the whole network"),
  permission("env", "NAMES", "Variables that are passed on; without names all of them"),
  permission("sys", "NAMES", "What may be asked about the system, such as hostname"),
  permission("unix", "PATHS", "Unix sockets of the host that may be connected to"),
  required("memory", "SIZE", "Memory beyond that of an idle sandbox, such as 256MiB", "limits.memory"),
  required("cpu-percent", "PERCENT", "Share of one core", "limits.cpuPercent"),
  required("cpu-seconds", "SECONDS", "CPU time over the plugin's life", "limits.cpuSeconds"),
  required("processes", "COUNT", "Processes and threads", "limits.processes"),
  required("open-files", "COUNT", "Open files", "limits.openFiles"),
  required("tmp", "SIZE", "Private scratch space at /tmp, none without this", "limits.tmp"),
  required("timeout", "MS", "Longest time in milliseconds, or such as 30s; then exit code 124", "timeoutMs"),
  required("sandbox", "MODE", "required (default), best-effort or permissions-only", "sandbox"),
  { name: "gpu", value: "none", summary: "Device nodes of GPUs are bound in", path: "gpu" },
  {
    name: "no-bundle",
    value: "none",
    summary: "Modules stay as they are; what they import is mounted, read-only",
    path: "bundle",
  },
  inspect("inspect", "A debugger may be attached at 127.0.0.1:PORT, 9229 without one"),
  inspect("inspect-wait", "The same, and the code waits until one is"),
  required("coverage", "DIR", "Write which lines ran to a file in DIR, in LCOV's format", "coverage"),
  required("bwrap", "PATH", "Path of bubblewrap", "bwrap"),
];

const LIMITS: Readonly<Record<string, { readonly key: keyof LimitOptions; readonly isNumber: boolean }>> = {
  memory: { key: "memory", isNumber: false },
  "cpu-percent": { key: "cpuPercent", isNumber: true },
  "cpu-seconds": { key: "cpuSeconds", isNumber: true },
  processes: { key: "processes", isNumber: true },
  "open-files": { key: "openFiles", isNumber: true },
  tmp: { key: "tmp", isNumber: false },
};

const MILLISECONDS: Readonly<Record<string, number>> = { "": 1, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Name the option that fills a place in the host's options.
 *
 * @param path Such as `"limits.memory"` or `"permissions.read[0]"`.
 * @returns Such as `"--memory"`, or null where no option does.
 */
export function flagOfPath(path: string): string | null {
  const option = PLUGIN_OPTIONS.find((candidate) =>
    path === candidate.path || startsInside(path, candidate.path)
  );
  return option === undefined ? null : `--${option.name}`;
}

/**
 * What a plugin may do, from the command line.
 *
 * @param line The parsed command line.
 * @returns Options for `host.load()` and `host.run()`.
 * @throws {UsageError} If a value cannot be understood.
 */
export function loadOptions(line: CommandLine): LoadOptions {
  const sandbox = optionValue(line, "sandbox");
  const limits = limitOptions(line);
  return {
    permissions: permissionOptions(line),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    // The host checks the mode: what is written here is any text.
    ...(sandbox === undefined ? {} : { sandbox: sandbox as SandboxMode }),
    ...(hasOption(line, "gpu") ? { gpu: true } : {}),
    ...(hasOption(line, "no-bundle") ? { bundle: false } : {}),
    ...inspectOptions(line),
    ...coverageOptions(line),
  };
}

/**
 * What the host itself needs to know, from the command line.
 *
 * @param line The parsed command line.
 * @returns Options for `createHost()`.
 */
export function hostOptions(line: CommandLine): HostOptions {
  const bwrap = optionValue(line, "bwrap");
  const sandbox = optionValue(line, "sandbox");
  return {
    // Commands listen themselves, and tell by their exit code what they heard.
    handleSignals: false,
    ...(bwrap === undefined ? {} : { bwrap }),
    ...(sandbox === undefined ? {} : { sandbox: sandbox as SandboxMode }),
  };
}

/**
 * The longest time that the command may take.
 *
 * @param line The parsed command line.
 * @returns Milliseconds, or null for no bound.
 * @throws {UsageError} If the value is not a duration.
 */
export function timeoutMs(line: CommandLine): number | null {
  const text = optionValue(line, "timeout");
  if (text === undefined) return null;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const ms = Number(match?.[1] ?? NaN) * (MILLISECONDS[match?.[2] ?? ""] ?? NaN);
  if (Number.isFinite(ms) && ms >= 1 && ms < 2 ** 31) return Math.round(ms);
  throw new UsageError(`Cannot use ${quote(text)} for --timeout as it is not a duration`, {
    hint: "Write milliseconds, or such as 500ms, 30s, 2m",
  });
}

/**
 * Whether a variable may be passed to a plugin.
 *
 * @param name Its name.
 * @returns False for those that change the runtime itself.
 */
export function mayPassVariable(name: string): boolean {
  return isVariableName(name) && !steersRuntime(name);
}

function permissionOptions(line: CommandLine): PermissionOptions {
  const net = lists(line, "allow-net");
  const env = lists(line, "allow-env");
  return {
    read: paths(line, "read"),
    write: paths(line, "write"),
    net: net === true ? "host" : net,
    env: env === true ? Object.keys(Deno.env.toObject()).filter(mayPassVariable) : env,
    sys: named(line, "sys"),
    unix: paths(line, "unix"),
  };
}

function limitOptions(line: CommandLine): LimitOptions {
  const limits: Record<string, string | number> = {};
  for (const [name, { key, isNumber }] of Object.entries(LIMITS)) {
    const text = optionValue(line, name);
    if (text !== undefined) limits[key] = isNumber ? number(name, text) : text;
  }
  return limits;
}

function inspectOptions(line: CommandLine): Pick<LoadOptions, "inspect"> {
  const given = ["inspect-wait", "inspect"].find((name) => hasOption(line, name));
  if (given === undefined) return {};
  const text = optionValue(line, given)?.replace(/^(?:127\.0\.0\.1|localhost):/, "");
  const port = text === undefined ? {} : { port: number(given, text) };
  return { inspect: { ...port, wait: given === "inspect-wait" } };
}

function coverageOptions(line: CommandLine): Pick<LoadOptions, "coverage"> {
  const coverage = optionValue(line, "coverage");
  return coverage === undefined ? {} : { coverage };
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text)) return value;
  throw new UsageError(`Cannot use ${quote(text)} for --${name} as it is not a number`);
}

/** A sandbox shows only what is listed, so "everything" cannot be granted. */
function paths(line: CommandLine, kind: "read" | "write" | "unix"): readonly string[] {
  const list = lists(line, `allow-${kind}`);
  if (list !== true) return list;
  throw new UsageError(`Cannot use --allow-${kind} without paths: a sandbox holds only what is listed`, {
    hint: `Write --allow-${kind}=. for the current directory`,
  });
}

function named(line: CommandLine, kind: "sys"): readonly string[] {
  const list = lists(line, `allow-${kind}`);
  if (list !== true) return list;
  throw new UsageError(`Cannot use --allow-${kind} without names`, {
    hint: `Write --allow-${kind}=hostname`,
  });
}

/** @returns Every value; true when the option stands without any. */
function lists(line: CommandLine, name: string): readonly string[] | true {
  const values = line.values.get(name) ?? [];
  if (values.includes(true)) return true;
  return values.flatMap((value) => value === true ? [] : value.split(","));
}

function startsInside(path: string, parent: string): boolean {
  return path.startsWith(`${parent}.`) || path.startsWith(`${parent}[`);
}

function permission(kind: string, valueName: string, summary: string): PluginOption {
  return { name: `allow-${kind}`, value: "optional", valueName, summary, path: `permissions.${kind}` };
}

function required(name: string, valueName: string, summary: string, path: string): PluginOption {
  return { name, value: "required", valueName, summary, path };
}

function inspect(name: string, summary: string): PluginOption {
  return { name, value: "optional", valueName: "PORT", summary, path: "inspect" };
}
