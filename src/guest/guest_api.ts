/**
 * What stands behind `@cordon/cordon/plugin` inside a sandbox.
 *
 * @module
 */

import { checkCustomType, currentCall } from "../rpc/mod.ts";
import type { CodecContext, RpcSession, ServiceDescription, TypeCodec, TypeRegistry } from "../rpc/mod.ts";
import { handle, remoteService } from "../proxy/mod.ts";
import { copied, move } from "../tensor/mod.ts";
import type { GuestTensors } from "../tensor/mod.ts";
import type { GuestCuda } from "../tensor/cuda/guest_cuda.ts";
import type { GuestLifecycle } from "./lifecycle.ts";
import type { GuestApi } from "./reach_guest.ts";

/** What plugin code reaches through the functions of its module. */
export interface GuestApiParts {
  /** Connection to the host. */
  readonly session: RpcSession;
  /** What the plugin was granted. */
  readonly services: readonly ServiceDescription[];
  /** Makes and receives tensors. */
  readonly tensors: GuestTensors;
  /** Reaches GPUs, if they were granted. */
  readonly cuda: GuestCuda | null;
  /** Gets the hooks of the plugin. */
  readonly lifecycle: GuestLifecycle;
  /** Types of the session: gets those of the plugin. */
  readonly types: TypeRegistry;
}

/**
 * Make the guest's functions reachable for plugin code, unchangeable.
 *
 * @param parts Of the guest.
 */
export function publishGuestApi(parts: GuestApiParts): void {
  Object.defineProperty(globalThis, Symbol.for("cordon.guest"), {
    value: Object.freeze(guestApi(parts)),
    writable: false,
    configurable: false,
    enumerable: false,
  });
}

function guestApi({ session, services, tensors, cuda, lifecycle, types }: GuestApiParts): GuestApi {
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
    registerType: (tag, codec) => registerType(types, tag, codec),
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

/** The codec is the plugin's: it gets to see values, not the session. */
function registerType(types: TypeRegistry, tag: string, codec: TypeCodec<unknown>): void {
  checkCustomType(tag, codec);
  const narrow = ({ rollback, frameRoom }: CodecContext) => ({ rollback, frameRoom } as CodecContext);
  types.register(tag, {
    test: (value, context): value is object => codec.test(value, narrow(context)),
    encode: (value, context) => codec.encode(value, narrow(context)),
    decode: (payload, context) => codec.decode(payload, narrow(context)),
  });
}

function callInProgress(what: string): { progress(value: unknown): void } {
  const call = currentCall();
  if (call === undefined) throw new TypeError(`Cannot report "${what}" here: no call is being handled`);
  return call;
}
