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
import type { GuestLifecycle } from "./lifecycle.ts";
import type { GuestApi } from "./mod.ts";

/**
 * Make the guest's functions reachable for plugin code, unchangeable.
 *
 * @param session Connection to the host.
 * @param services What the plugin was granted.
 * @param tensors Makes and receives tensors.
 * @param cuda Reaches GPUs, if they were granted.
 * @param lifecycle Gets the hooks of the plugin.
 */
export function publishGuestApi(
  session: RpcSession,
  services: readonly ServiceDescription[],
  tensors: GuestTensors,
  cuda: GuestCuda | null,
  lifecycle: GuestLifecycle,
): void {
  Object.defineProperty(globalThis, Symbol.for("cordon.guest"), {
    value: Object.freeze(guestApi(session, services, tensors, cuda, lifecycle)),
    writable: false,
    configurable: false,
    enumerable: false,
  });
}

function guestApi(
  session: RpcSession,
  services: readonly ServiceDescription[],
  tensors: GuestTensors,
  cuda: GuestCuda | null,
  lifecycle: GuestLifecycle,
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
    onShutdown: (hook) => void lifecycle.on("unload", () => hook()),
    onLifecycle: lifecycle.on,
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
