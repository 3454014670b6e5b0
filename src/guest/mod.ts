/**
 * What a sandboxed script may ask of its host: services, progress, events, tensors.
 *
 * A plugin is a plain module; it imports this only if it wants something from the host. Every function here
 * works inside a sandbox only; elsewhere it throws a `TypeError` that says so.
 *
 * @example
 * ```ts
 * import { inSandbox, progress } from "@cordon/cordon/plugin";
 *
 * export function work(): number {
 *   if (inSandbox()) progress(0.5);
 *   return 42;
 * }
 * ```
 *
 * @module
 */

import type { TypeCodec } from "../rpc/types.ts";
import type { Handle, RemoteMethods } from "../proxy/types.ts";
import type { SingletonRpc } from "../proxy/proxied_singleton.ts";
import type { Cuda } from "../tensor/cuda/mod.ts";
import type { Dtype, Tensor, TensorOptions } from "../tensor/mod.ts";
import type { LifecycleHook, LifecycleMoments } from "./lifecycle_types.ts";
import { guest, isGuestHere } from "./reach_guest.ts";

export { local } from "../proxy/local.ts";
export { ProxiedSingleton, type SingletonClass, type SingletonRpc } from "../proxy/proxied_singleton.ts";
export { singletonScope } from "../proxy/singleton_scope.ts";
export type {
  Callback,
  Handle,
  OwnReference,
  REFERENCE,
  RemoteArgument,
  RemoteFunction,
  RemoteHandle,
  RemoteMethods,
  RemoteReference,
  RemoteResult,
  RemoteValue,
} from "../proxy/types.ts";

export type * from "../tensor/cuda/public_types.ts";
export type { Dtype, DtypeArray, Tensor, TensorOptions } from "../tensor/mod.ts";
export type { TypeCodec } from "../rpc/types.ts";
export type { LifecycleHook, LifecycleMoments, OnLifecycle } from "./lifecycle_types.ts";

/** Every method of a service as the plugin sees it: the answer always comes as a promise, of a generator item by item. */
export type Service<T> = RemoteMethods<T>;

/**
 * Whether this code runs inside a Cordon sandbox.
 *
 * @returns `true` inside a sandbox.
 *
 * @example
 * ```ts
 * import { inSandbox } from "@cordon/cordon/plugin";
 *
 * console.log(inSandbox()); // false: this example runs outside
 * ```
 */
export function inSandbox(): boolean {
  return isGuestHere();
}

/**
 * A service of the host, by the name under which the host offers it. The plugin must have been granted it.
 *
 * Asking is free and can be done at the top of a module; the first call goes over the wire.
 *
 * @typeParam T Type of the service as the host declares it.
 * @param name Name of the service.
 * @returns A proxy whose methods all return promises (or async iterators).
 * @throws {TypeError} If called outside a sandbox.
 *
 * @example
 * ```ts
 * import { inSandbox, service } from "@cordon/cordon/plugin";
 *
 * interface Greeter {
 *   greet(name: string): string;
 * }
 * export async function run(): Promise<string> {
 *   return await service<Greeter>("greeter").greet("you");
 * }
 * console.log(inSandbox());
 * ```
 */
export function service<T extends object>(name: string): Service<T> {
  return guest("service").service(name) as Service<T>;
}

/**
 * Report progress of the call that is being handled. Reaches the caller's `onProgress`.
 *
 * @param value Any value that can cross, usually a fraction between 0 and 1.
 * @throws {TypeError} If called outside a sandbox.
 *
 * @example
 * ```ts
 * import { inSandbox, progress } from "@cordon/cordon/plugin";
 *
 * if (inSandbox()) progress(0.5);
 * ```
 */
export function progress(value: unknown): void {
  guest("progress").progress(value);
}

/**
 * Send a named event to the host. Does not wait; arrives in order with the plugin's other messages.
 *
 * @param name Name of the event.
 * @param payload Any value that can cross.
 * @throws {TypeError} If called outside a sandbox.
 *
 * @example
 * ```ts
 * import { emit, inSandbox } from "@cordon/cordon/plugin";
 *
 * if (inSandbox()) emit("indexed", { files: 3 });
 * ```
 */
export function emit(name: string, payload?: unknown): void {
  guest("emit").emit(name, payload);
}

/**
 * The signal of the call that is being handled: aborted when the caller gives up or its deadline passes.
 *
 * Call it before the first `await` of an exported function and keep the result.
 *
 * @returns A signal; one that never aborts outside of a call.
 * @throws {TypeError} If called outside a sandbox.
 *
 * @example
 * ```ts
 * import { inSandbox, signal } from "@cordon/cordon/plugin";
 *
 * if (inSandbox()) signal().throwIfAborted();
 * ```
 */
export function signal(): AbortSignal {
  return guest("signal").signal();
}

/**
 * Mark an object to be passed by reference: the host gets a remote object, a {@linkcode RemoteHandle}, whose methods run
 * here.
 *
 * The object lives until the host disposes its side or the connection ends.
 *
 * @typeParam T Type of the object.
 * @param value The object; its own function members and the methods of its class are callable.
 * @returns The same object, marked.
 * @throws {TypeError} If called outside a sandbox.
 *
 * @example
 * ```ts
 * import { type Handle, handle, inSandbox } from "@cordon/cordon/plugin";
 *
 * class Page {
 *   title(): string {
 *     return "hello";
 *   }
 * }
 * export function open(): Handle<Page> {
 *   return handle(new Page());
 * }
 * console.log(inSandbox());
 * ```
 */
export function handle<T extends object>(value: T): Handle<T> {
  return guest("handle").handle(value) as Handle<T>;
}

/**
 * Register what to do before the host stops this plugin. Hooks run in reverse order, within the grace period.
 *
 * @param hook Called once.
 * @throws {TypeError} If called outside a sandbox.
 *
 * @example
 * ```ts
 * import { inSandbox, onShutdown } from "@cordon/cordon/plugin";
 *
 * if (inSandbox()) onShutdown(() => console.log("bye"));
 * ```
 */
export function onShutdown(hook: () => void | Promise<void>): void {
  guest("onShutdown").onShutdown(hook);
}

/**
 * Do something at a moment of this plugin's life: `"before-load"`, `"loaded"`, `"before-call"`, `"after-call"`, `"unload"`.
 *
 * A hook for `"before-load"` that fails fails the load, one for `"unload"` the exit code; any other failure is printed to
 * stderr and breaks nothing. Hooks of calls are not waited for.
 *
 * @param moment When: see {@linkcode LifecycleMoments}.
 * @param hook Called each time.
 * @returns Disposing it removes the hook.
 * @throws {TypeError} If called outside a sandbox, or there is no such moment.
 *
 * @example
 * ```ts
 * import { inSandbox, onLifecycle } from "@cordon/cordon/plugin";
 *
 * if (inSandbox()) {
 *   onLifecycle("before-load", async () => {
 *     await Promise.resolve("open what exports need");
 *   });
 *   onLifecycle("after-call", ({ method, durationMs, error }) => {
 *     console.error(method, durationMs, error === null ? "ok" : "failed");
 *   });
 * }
 * ```
 */
export function onLifecycle<K extends keyof LifecycleMoments>(moment: K, hook: LifecycleHook<K>): Disposable {
  return guest("onLifecycle").onLifecycle(moment, hook);
}

/**
 * Let values of a class cross between this plugin and its host, which registers the same tag by
 * `host.types.register()`. Do it at the top of the module: values that cross before do so without it.
 *
 * Types are tried in the order of their registration. What `encode` gives crosses in place of the value; what
 * `decode` gets is the other side's word and is to be checked.
 *
 * @typeParam T Type of the values.
 * @param tag Name on the wire, the same on both sides.
 * @param codec How its values cross; both sides can import the same one.
 * @throws {TypeError} If the tag is taken, empty or one of Cordon's own, the codec lacks a function, or this is called
 * outside a sandbox.
 *
 * @example
 * ```ts
 * import { inSandbox, registerType } from "@cordon/cordon/plugin";
 *
 * class Money {
 *   constructor(readonly cents: number) {}
 * }
 * if (inSandbox()) {
 *   registerType<Money>("money", {
 *     test: (value): value is Money => value instanceof Money,
 *     encode: ({ cents }) => cents,
 *     decode(payload) {
 *       if (!Number.isSafeInteger(payload)) throw new TypeError("Cannot read money: no number of cents");
 *       return new Money(payload as number);
 *     },
 *   });
 * }
 * export const double = ({ cents }: Money): Money => new Money(cents * 2);
 * ```
 */
export function registerType<T>(tag: string, codec: TypeCodec<T>): void {
  guest("registerType").registerType(tag, codec as TypeCodec<unknown>);
}

/**
 * What reaches the host's singletons: pass it to `useRemote()` of a class before its first use.
 *
 * @returns The connection to the host.
 * @throws {TypeError} If called outside a sandbox.
 *
 * @example
 * ```ts
 * import { hostRpc, inSandbox, ProxiedSingleton } from "@cordon/cordon/plugin";
 *
 * class Registry extends ProxiedSingleton {
 *   get(name: string): string {
 *     return `model ${name}`;
 *   }
 * }
 * if (inSandbox()) Registry.useRemote(hostRpc());
 * console.log(await Registry.instance().get("a")); // inside a sandbox the host answers
 * ```
 */
export function hostRpc(): SingletonRpc {
  return guest("hostRpc").hostRpc();
}

/**
 * Make a tensor in memory that the host sees too, so that filling it is the only write ever made.
 *
 * @param shape Sizes of the dimensions, in elements.
 * @param dtype Element type. @default "float32"
 * @param options Placement.
 * @returns A tensor of zeros; the caller disposes it.
 * @throws {TypeError} If called outside a sandbox.
 * @throws {MemoryPressureError} If there is no memory for it.
 *
 * @example
 * ```ts
 * import { inSandbox, tensor } from "@cordon/cordon/plugin";
 *
 * if (inSandbox()) {
 *   using image = tensor([4, 4, 3], "uint8");
 *   console.log(image.size); // 48
 * }
 * ```
 */
export function tensor<D extends Dtype = "float32">(
  shape: readonly number[],
  dtype?: D,
  options?: TensorOptions,
): Tensor<D> {
  return guest("tensor").tensor(shape, dtype, options) as Tensor<D>;
}

/**
 * The GPUs of this machine, for a plugin that was granted `gpu`. The first call starts the driver.
 *
 * @returns Tensors on devices, streams and programs.
 * @throws {TypeError} If called outside a sandbox, or without the grant.
 * @throws {CudaError} If there is no driver and the host wants that to be an error.
 *
 * @example
 * ```ts
 * import { cuda, inSandbox } from "@cordon/cordon/plugin";
 *
 * if (inSandbox()) {
 *   using values = cuda().tensor([1024], "float32");
 *   console.log(values.device); // cuda:0
 * }
 * ```
 */
export function cuda(): Cuda {
  return guest("cuda").cuda();
}

/**
 * Give a tensor away: return or pass `move(tensor)` and the host owns it, sealed against writes; here it is gone.
 *
 * @param value The tensor.
 * @returns What to return or pass in its place, typed as the tensor that the receiver gets.
 * @throws {TypeError} If called outside a sandbox.
 *
 * @example
 * ```ts
 * import { inSandbox, move, type Tensor, tensor } from "@cordon/cordon/plugin";
 *
 * export function make(): Tensor {
 *   return move(tensor([1024, 1024]));
 * }
 * console.log(inSandbox());
 * ```
 */
export function move<T extends Tensor>(value: T): T {
  return guest("move").move(value) as T;
}

/**
 * Send a snapshot of a tensor instead of lending it.
 *
 * @param value The tensor.
 * @returns What to return or pass in its place, typed as the tensor that the receiver gets.
 * @throws {TypeError} If called outside a sandbox.
 *
 * @example
 * ```ts
 * import { copied, inSandbox, type Tensor, tensor } from "@cordon/cordon/plugin";
 *
 * export function snapshot(): Tensor {
 *   return copied(tensor([8]));
 * }
 * console.log(inSandbox());
 * ```
 */
export function copied<T extends Tensor>(value: T): T {
  return guest("copied").copied(value) as T;
}
