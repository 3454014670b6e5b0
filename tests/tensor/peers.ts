/** A host and a guest that exchange values, the guest in a thread of its own. */

import { DisposedError, type ProtocolError } from "../../src/errors.ts";
import type { Native } from "../../src/native/mod.ts";
import {
  createHostTensors,
  type HostTensorLink,
  type HostTensors,
  type TensorLimits,
} from "../../src/tensor/mod.ts";
import { testNative, testNativePath } from "../native/test_native.ts";
import { WireTypes } from "./wire.ts";

/** What a guest threw. */
export class GuestError extends Error {
  readonly fields: Readonly<Record<string, unknown>>;

  constructor({ name, message, fields }: { name: string; message: string; fields: Record<string, unknown> }) {
    super(message);
    this.name = name;
    this.fields = fields;
  }
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { name: string; message: string; fields: Record<string, unknown> };
}

/** One guest of a host. */
export class GuestPeer implements AsyncDisposable {
  readonly types = new WireTypes();
  readonly violations: ProtocolError[] = [];
  readonly #worker: Worker;
  readonly #link: HostTensorLink;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  private constructor(worker: Worker, host: HostTensors, fd: number | null) {
    this.#worker = worker;
    this.#link = host.connect({ fd, plugin: "guest", onViolation: (error) => this.violations.push(error) });
    this.#link.register(this.types);
  }

  static async start(
    host: HostTensors,
    native: Native | null,
    limits: Partial<TensorLimits> = {},
  ): Promise<GuestPeer> {
    const [here, there] = native === null ? [null, null] : native.socketPair();
    const worker = new Worker(new URL("../fixtures/tensor/guest_worker.ts", import.meta.url), {
      type: "module",
    });
    const peer = new GuestPeer(worker, host, here);
    const ready = Promise.withResolvers<void>();
    worker.onmessage = () => ready.resolve();
    worker.onerror = (event) => ready.reject(new Error(event.message));
    worker.postMessage({ library: native === null ? null : await testNativePath(), fd: there, limits });
    await ready.promise;
    worker.onmessage = ({ data }: MessageEvent<Answer>) => peer.#settle(data);
    return peer;
  }

  /** Call a method of the guest. Values cross as in a session. */
  async call<T>(method: string, ...args: readonly unknown[]): Promise<T> {
    const id = ++this.#lastId;
    const written = args.map((value) => this.types.write(value));
    const answer = Promise.withResolvers<unknown>();
    this.#pending.set(id, answer);
    this.#worker.postMessage({ id, method, args: written });
    return this.types.read(await answer.promise) as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker.terminate();
    await this.#link[Symbol.asyncDispose]();
    for (const { reject } of this.#pending.values()) {
      reject(new DisposedError("Cannot wait as the guest is gone"));
    }
  }

  #settle({ id, result, error }: Answer): void {
    const answer = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) answer?.resolve(result);
    else answer?.reject(new GuestError(error));
  }
}

/** A host with one guest, and everything that was made for them. */
export interface Pair extends AsyncDisposable {
  readonly native: Native | null;
  readonly host: HostTensors;
  readonly guest: GuestPeer;
}

/** Start a host and a guest. */
export async function startPair(
  kind: "shared" | "copy" = "shared",
  limits: Partial<TensorLimits> = {},
): Promise<Pair> {
  await using stack = new AsyncDisposableStack();
  const native = kind === "shared" ? stack.use(await testNative()) : null;
  const host = stack.use(createHostTensors({ native, limits }));
  const guest = stack.use(await GuestPeer.start(host, native, limits));
  const owned = stack.move();
  return { native, host, guest, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Wait for a claim to become true; fails after some seconds with what it still was. */
export async function eventually(
  claim: () => boolean,
  state: () => unknown,
  guest?: GuestPeer,
): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!claim()) {
    collectGarbage();
    await guest?.call("collectGarbage");
    if (Date.now() > deadline) throw new Error(`Not true in time: ${JSON.stringify(state())}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Make the collector run: it goes by how much memory is allocated. */
export function collectGarbage(): void {
  for (let round = 0; round < 4; round++) new ArrayBuffer(64 * 2 ** 20);
}
