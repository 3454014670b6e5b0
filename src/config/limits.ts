/**
 * Parses bounds and merges those of the host with those of one plugin.
 *
 * @module
 */

import { type Aliases, entries, object, oneOf, unknownName } from "./parse.ts";
import { amount, count, duration, size } from "./quantity.ts";
import type { Enforce, LimitConfig, LimitOptions } from "./types.ts";

type LimitKey = keyof Omit<LimitOptions, "enforce">;

const mebibyte = 2 ** 20;
/** A file that is not empty takes a page at least, so only empty ones can be more. */
const pageBytes = 4096;
const fewestInodes = 1024;
const enforceMode = oneOf("required", "best-effort");

/** Below the smallest values the runtime itself does not start, or not reliably. */
const shape = Object.freeze({
  memory: size({ min: 8 * mebibyte, max: 2 ** 46 }),
  cpuPercent: amount("a percentage of one core", { min: 1, max: 102_400 }),
  cpuSeconds: count("whole seconds of CPU time", { min: 1, max: 2 ** 31 - 1 }),
  wallMs: duration({ min: 1 }),
  processes: count("a number of processes and threads", { min: 16, max: 2 ** 22 }),
  openFiles: count("a number of open files", { min: 32, max: 2 ** 20 }),
  fileSize: size(),
  tmp: size({ max: 2 ** 46 }),
  tmpInodes: count("a number of files and directories", { min: 1, max: 2 ** 31 - 1 }),
  workers: count("a number of workers", { min: 0, max: 1024 }),
  output: size(),
  enforce,
});

const aliases: Aliases = Object.freeze({
  maxMemory: "memory",
  maxMemoryBytes: "memory",
  memoryBytes: "memory",
  maxCpuPercent: "cpuPercent",
  maxCpuSeconds: "cpuSeconds",
  timeoutMs: "wallMs",
  maxProcesses: "processes",
  pids: "processes",
  maxOpenFiles: "openFiles",
  maxFileSizeBytes: "fileSize",
  fileSizeBytes: "fileSize",
  maxTmpBytes: "tmp",
  tmpBytes: "tmp",
  maxTmpInodes: "tmpInodes",
  maxWorkers: "workers",
  maxOutputBytes: "output",
  outputBytes: "output",
});

/** Names of all limits, in the order of the documentation. */
export const limitKeys: readonly LimitKey[] = Object.freeze(
  Object.keys(shape).filter((key): key is LimitKey => key !== "enforce"),
);

/** Reads {@linkcode LimitOptions}: sizes become bytes, aliases their keys, nothing is added. */
export function limitOptions(value: unknown, path: string): LimitOptions {
  return object(value, path, shape, aliases);
}

/**
 * The limits of one plugin.
 *
 * @param host What the host wrote, parsed.
 * @param plugin What was written for the plugin, parsed; wins over the host's.
 * @returns Every limit in base units, defaults applied, and how each is to be enforced.
 */
export function limitConfig(host: LimitOptions, plugin: LimitOptions): LimitConfig {
  const written = { ...host, ...plugin };
  const tmpBytes = bytes(written.tmp, 0);
  return Object.freeze({
    memoryBytes: bytes(written.memory, 512 * mebibyte),
    cpuPercent: written.cpuPercent ?? null,
    cpuSeconds: written.cpuSeconds ?? null,
    wallMs: written.wallMs ?? null,
    processes: written.processes ?? 64,
    openFiles: written.openFiles ?? 256,
    fileSizeBytes: bytes(written.fileSize, 64 * mebibyte),
    tmpBytes,
    tmpInodes: written.tmpInodes ?? Math.max(fewestInodes, Math.ceil(tmpBytes / pageBytes)),
    workers: written.workers ?? 0,
    outputBytes: bytes(written.output, 16 * mebibyte),
    enforce: Object.freeze(
      Object.fromEntries(limitKeys.map((key) => [key, enforcement(key, host, plugin)])),
    ) as LimitConfig["enforce"],
  });
}

/** What was asked for by name wins over what was asked for all, the plugin's over the host's, then what was written. */
function enforcement(key: LimitKey, host: LimitOptions, plugin: LimitOptions): Enforce {
  for (const { enforce } of [plugin, host]) {
    if (typeof enforce === "string") return enforce;
    const named = enforce?.[key];
    if (named !== undefined) return named;
  }
  return plugin[key] !== undefined || host[key] !== undefined ? "required" : "best-effort";
}

function bytes(parsed: number | string | undefined, otherwise: number): number {
  return typeof parsed === "number" ? parsed : otherwise;
}

function enforce(value: unknown, path: string): Enforce | Readonly<Record<string, Enforce>> {
  if (typeof value === "string") return enforceMode(value, path);
  const parsed = entries(value, path).map(([name, mode]) => {
    const at = `${path}.${name}`;
    const key = Object.hasOwn(aliases, name) ? aliases[name] ?? name : name;
    if (!limitKeys.some((one) => one === key)) throw unknownName(at, name, "a limit", limitKeys);
    return [key, enforceMode(mode, at)] as const;
  });
  return Object.freeze(Object.fromEntries(parsed));
}
