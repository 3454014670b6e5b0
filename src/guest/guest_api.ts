/**
 * What stands behind `@cordon/cordon/plugin` inside a sandbox.
 *
 * @module
 */

import { currentCall } from "../rpc/mod.ts";
import type { RpcSession, ServiceDescription } from "../rpc/mod.ts";
import { handle, remoteService } from "../proxy/mod.ts";
import { copied, move } from "../tensor/mod.ts";
import type { GuestTensors } from "../tensor/mod.ts";
import type { GuestCuda } from "../tensor/cuda/guest_cuda.ts";
import type { GuestApi } from "./mod.ts";

const hooks: (() => void | Promise<void>)[] = [];

/**
 * Make the guest's functions reachable for plugin code, unchangeable.
 *
 * @param session Connection to the host.
 * @param services What the plugin was granted.
 * @param tensors Makes and receives tensors.
 * @param cuda Reaches GPUs, if they were granted.
 */
export function publishGuestApi(
  session: RpcSession,
  services: readonly ServiceDescription[],
  tensors: GuestTensors,
  cuda: GuestCuda | null,
): void {
  Object.defineProperty(globalThis, Symbol.for("cordon.guest"), {
    value: Object.freeze(guestApi(session, services, tensors, cuda)),
    writable: false,
    configurable: false,
    enumerable: false,
  });
}

/**
 * Run what the plugin registered by `onShutdown`, last registered first.
 *
 * @returns The exit code: 0, or 1 if a hook failed.
 */
export async function runShutdownHooks(): Promise<number> {
  let exitCode = 0;
  for (const hook of hooks.reverse()) {
    try {
      await hook();
    } catch (error) {
      exitCode = 1;
      // `reportError()` would end the process before the other hooks have run.
      const text = error instanceof Error ? error.stack ?? String(error) : String(error);
      Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
    }
  }
  return exitCode;
}

function guestApi(
  session: RpcSession,
  services: readonly ServiceDescription[],
  tensors: GuestTensors,
  cuda: GuestCuda | null,
): GuestApi {
  return {
    service: (name) => {
      const description = services.find((known) => known.name === name);
      return remoteService(session, String(name), description);
    },
    progress: (value) => callInProgress("progress").progress(value),
    emit: (name, payload) => session.emit(String(name), payload),
    signal: () => currentCall()?.signal ?? new AbortController().signal,
    handle: (value) => handle(value),
    onShutdown: (hook) => void hooks.push(hook),
    hostRpc: () => ({
      call: (target, method, args, options) => session.call(target, method, args, options),
      stream: (target, method, args, options) => session.stream(target, method, args, options),
    }),
    tensor: (shape, dtype, options) => tensors.tensor(shape, dtype, options),
    cuda() {
      if (cuda === null) {
        throw new TypeError("Cannot use a GPU here: this plugin was not granted one (`gpu: true`)");
      }
      return cuda.cuda();
    },
    move: (tensor) => move(tensor),
    copied: (tensor) => copied(tensor),
  };
}

function callInProgress(what: string): { progress(value: unknown): void } {
  const call = currentCall();
  if (call === undefined) throw new TypeError(`Cannot report "${what}" here: no call is being handled`);
  return call;
}
