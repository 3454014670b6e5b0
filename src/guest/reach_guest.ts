/**
 * The way from a plugin's code to the guest that runs it.
 *
 * @module
 */

import type { SingletonRpc } from "../proxy/proxied_singleton.ts";
import type { TypeCodec } from "../rpc/types.ts";
import type { Cuda } from "../tensor/cuda/mod.ts";
import type { Dtype, Tensor, TensorOptions } from "../tensor/mod.ts";
import type { OnLifecycle } from "./lifecycle_types.ts";

/** What the guest puts behind the functions of mod.ts. */
export interface GuestApi {
  /** See `service()` of mod.ts. */
  readonly service: (name: string) => unknown;
  /** See `progress()` of mod.ts. */
  readonly progress: (value: unknown) => void;
  /** See `emit()` of mod.ts. */
  readonly emit: (name: string, payload: unknown) => void;
  /** See `signal()` of mod.ts. */
  readonly signal: () => AbortSignal;
  /** See `handle()` of mod.ts. */
  readonly handle: (value: object) => object;
  /** See `onShutdown()` of mod.ts. */
  readonly onShutdown: (hook: () => void | Promise<void>) => void;
  /** See `onLifecycle()` of mod.ts. */
  readonly onLifecycle: OnLifecycle;
  /** See `registerType()` of mod.ts. */
  readonly registerType: (tag: string, codec: TypeCodec<unknown>) => void;
  /** See `hostRpc()` of mod.ts. */
  readonly hostRpc: () => SingletonRpc;
  /** See `tensor()` of mod.ts. */
  readonly tensor: (shape: readonly number[], dtype?: Dtype, options?: TensorOptions) => Tensor;
  /** See `cuda()` of mod.ts. */
  readonly cuda: () => Cuda;
  /** See `move()` of mod.ts. */
  readonly move: (tensor: Tensor) => unknown;
  /** See `copied()` of mod.ts. */
  readonly copied: (tensor: Tensor) => unknown;
}

const KEY = Symbol.for("cordon.guest");

/**
 * Whether there is a guest.
 *
 * @returns `true` inside a sandbox.
 */
export function isGuestHere(): boolean {
  return published() !== undefined;
}

/**
 * The guest that runs this code.
 *
 * @param what The function that needs it, for the message.
 * @returns Its API.
 * @throws {TypeError} If this code does not run inside a sandbox.
 */
export function guest(what: string): GuestApi {
  const api = published();
  if (api === undefined) {
    throw new TypeError(`Cannot call "${what}" here: this code does not run inside a Cordon sandbox`);
  }
  return api;
}

function published(): GuestApi | undefined {
  return (globalThis as { [KEY]?: GuestApi })[KEY];
}
