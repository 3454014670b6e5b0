/**
 * Parses the options of a pool.
 *
 * @module
 */

import { type Aliases, invalid, object, oneOf, type Parsed } from "./parse.ts";
import { count, duration, size } from "./quantity.ts";
import { restartConfig } from "./restart.ts";
import type { PoolConfig } from "./types.ts";

const sizeShape = Object.freeze({
  size: count("a number of workers", { min: 1, max: 10_000 }),
  minSize: count("a number of workers", { max: 10_000 }),
  maxSize: count("a number of workers", { min: 1, max: 10_000 }),
});

/** The options that belong to the pool; all others are those of its workers. */
const shape = Object.freeze({
  ...sizeShape,
  queueSize: count("a number of tasks"),
  onQueueFull: oneOf("reject", "wait", "drop-oldest"),
  acquireTimeoutMs: duration(),
  taskTimeoutMs: duration(),
  cancelGraceMs: duration(),
  tasksAtOnce: count("a number of tasks", { min: 1 }),
  maxTasksPerWorker: count("a number of tasks"),
  maxWorkerMemory: size(),
  maxIdleMs: duration({ min: 1 }),
  restart: restartConfig,
});

const aliases: Aliases = Object.freeze({
  restartOnCrash: "restart",
  maxWorkerMemoryBytes: "maxWorkerMemory",
});

/** Names of the options that belong to the pool. */
export const poolKeys: readonly string[] = Object.freeze([...Object.keys(shape), ...Object.keys(aliases)]);

/**
 * Reads {@linkcode PoolOptions}.
 *
 * @param options What the caller passed.
 * @param path Where it stands. @default the outermost
 * @returns Frozen configuration, every default applied.
 * @throws {ConfigError} If a key is unknown, a value does not follow its rule, or sizes contradict each other.
 */
export function poolConfig(options: unknown, path = ""): PoolConfig {
  const parsed = object(options, path, shape, aliases);
  const { minSize, maxSize } = sizes(parsed);
  return Object.freeze({
    minSize,
    maxSize,
    queueSize: parsed.queueSize ?? 100,
    onQueueFull: parsed.onQueueFull ?? null,
    acquireTimeoutMs: parsed.acquireTimeoutMs ?? 30_000,
    taskTimeoutMs: parsed.taskTimeoutMs ?? 0,
    cancelGraceMs: parsed.cancelGraceMs ?? 1_000,
    tasksAtOnce: parsed.tasksAtOnce ?? 1,
    maxTasksPerWorker: parsed.maxTasksPerWorker ?? 0,
    maxWorkerMemoryBytes: parsed.maxWorkerMemory ?? 0,
    maxIdleMs: parsed.maxIdleMs ?? 300_000,
    restart: parsed.restart ?? restartConfig(true, "restart"),
  });
}

/**
 * Reads how many workers a pool is to have from now on.
 *
 * @param size Their number, or bounds as in {@linkcode PoolOptions}.
 * @returns The bounds.
 * @throws {ConfigError} If it is neither, or the bounds contradict each other.
 */
export function poolSizes(size: unknown): { readonly minSize: number; readonly maxSize: number } {
  return sizes(object(typeof size === "number" ? { size } : size, "", sizeShape));
}

function sizes(parsed: Parsed<typeof sizeShape>): { minSize: number; maxSize: number } {
  const size = parsed.size ?? Math.max(parsed.minSize ?? 0, Math.min(4, parsed.maxSize ?? 4));
  const minSize = parsed.minSize ?? Math.min(size, parsed.maxSize ?? size);
  const maxSize = parsed.maxSize ?? size;
  if (minSize <= maxSize) return { minSize, maxSize };
  throw invalid(
    "minSize",
    "a number of workers",
    `${minSize} is more than the ${maxSize} of the largest size`,
  );
}
