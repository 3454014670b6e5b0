/**
 * A sandbox that was started before anybody knew which call of `load()` it is for.
 *
 * @module
 */

import { hasBroker } from "./open_broker.ts";
import { startSandbox } from "./start_sandbox.ts";
import type { Sandbox, StartRequest } from "./start_sandbox.ts";
import type { Spare } from "./warm_sandboxes.ts";

/** What its plugin brings along later. */
export type SpareOwner = Pick<StartRequest, "mapStack" | "onOutput" | "config">;

/** A started sandbox without an owner. */
export interface SpareSandbox extends Spare {
  readonly sandbox: Sandbox;
  /** Gives it to a plugin: stacks and output go there from now on. */
  assign(owner: SpareOwner): void;
}

/**
 * Everything that a sandbox is started with. Two requests of one key can be served by each other's sandboxes.
 *
 * @param request What would be started.
 * @returns Text to compare.
 */
export function spareKey({ config, context, policy, args }: StartRequest): string {
  const { name, timeoutMs, maxFrameBytes, startupTimeoutMs } = config;
  // A connection knows the custom types that were registered when it was made.
  const oversight = [hasBroker(config), config.learn !== false];
  return JSON.stringify([policy, name, timeoutMs, maxFrameBytes, startupTimeoutMs, args, oversight, [
    ...context.codecs.keys(),
  ]]);
}

/**
 * Whether a sandbox for a plugin can be started before the plugin is loaded.
 *
 * @param config The plugin's options.
 * @returns False where something is mounted for the one process, or listens for it.
 */
export function isWarmable({ bundle, inspect, coverage }: StartRequest["config"]): boolean {
  return bundle !== false && inspect === undefined && coverage === undefined;
}

/**
 * Starts a spare.
 *
 * @param request What to start; its owner's hooks are left out.
 * @param signal Aborts the start.
 * @returns The spare; the caller disposes it or its sandbox.
 * @throws As `startSandbox()`.
 */
export async function startSpare(request: StartRequest, signal: AbortSignal): Promise<SpareSandbox> {
  let owner: SpareOwner | null = null;
  const { config } = request;
  const sandbox = await startSandbox({
    ...request,
    signal,
    isSpare: true,
    config: {
      ...config,
      onPermission: config.onPermission && ((question) => owner?.config.onPermission?.(question) ?? "deny"),
    },
    mapStack: (stack) => owner?.mapStack?.(stack) ?? stack,
    onOutput: (stream, chunk) => owner?.onOutput?.(stream, chunk),
  });
  return {
    sandbox,
    ended: sandbox.guest.exited,
    assign: (next) => {
      owner = next;
    },
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}
