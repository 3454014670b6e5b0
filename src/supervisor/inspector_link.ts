/**
 * Hands the messages of debuggers to a sandbox and back.
 *
 * @module
 */

import type { GuestSocket } from "../launcher/guest_socket.ts";
import { InspectorFrames } from "./inspector_frames.ts";

/** What every debugger says when it has set its breakpoints. */
const READY = '"Runtime.runIfWaitingForDebugger"';

/** Ids of our own questions; debuggers count upwards from 1. */
const OWN_ID = 2_000_000_000;
const OWN_ANSWER = '{"id":2';

const MAX_BUFFERED_BYTES = 2 ** 28;

/** Lets the plugin run on when its debugger is gone. */
const FAREWELL = ["Debugger.disable", "Runtime.disable", "Profiler.disable", "HeapProfiler.disable"];

/** One sandbox and at most one debugger at a time: a second takes the place of the first. */
export class InspectorLink implements Disposable {
  /** Resolves when a debugger is attached and has said what it wants to know. */
  readonly attached: Promise<void>;
  readonly #attach = Promise.withResolvers<void>();
  readonly #socket: GuestSocket;
  readonly #maps = new Map<string, string>();
  readonly #abort = new AbortController();
  readonly #frames = Promise.withResolvers<InspectorFrames>();
  #debugger: WebSocket | null = null;

  /** @param socket Where the sandbox connects. Owned from now on. */
  constructor(socket: GuestSocket) {
    this.attached = this.#attach.promise;
    this.#socket = socket;
    void this.#serve();
  }

  /** Talks to a debugger from now on. */
  attach(socket: WebSocket): void {
    this.#debugger?.close();
    this.#debugger = socket;
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string" || this.#debugger !== socket) return;
      this.#send(data);
      if (data.includes(READY)) this.#attach.resolve();
    };
    // What follows an error is a close.
    socket.onerror = () => {};
    socket.onclose = () => {
      if (this.#debugger !== socket) return;
      this.#debugger = null;
      FAREWELL.forEach((method, index) => this.#send(JSON.stringify({ id: OWN_ID + index, method })));
    };
  }

  /** See `Inspector.mapScript()`. */
  mapScript(url: string, sourceMap: string): void {
    const bytes = new TextEncoder().encode(sourceMap);
    this.#maps.set(url, `data:application/json;base64,${bytes.toBase64()}`);
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
    this.#debugger?.close();
    this.#debugger = null;
    this.#socket[Symbol.dispose]();
    this.#frames.promise.then((frames) => frames[Symbol.dispose](), () => {});
  }

  #send(message: string): void {
    void this.#frames.promise.then((frames) => frames.send(message), () => {});
  }

  async #serve(): Promise<void> {
    try {
      const connection = await this.#socket.accept(new Promise<never>(() => {}), this.#abort.signal);
      this.#socket[Symbol.dispose]();
      using frames = new InspectorFrames(connection);
      this.#frames.resolve(frames);
      for await (const message of frames) this.#tell(message);
    } catch (error) {
      // The sandbox is gone or said something else than it should: there is nobody left to debug.
      this.#frames.reject(error);
      this.#debugger?.close();
    }
  }

  #tell(message: string): void {
    const socket = this.#debugger;
    if (socket === null || socket.readyState !== WebSocket.OPEN) return;
    if (message.startsWith(OWN_ANSWER) && isOwn(message)) return;
    // Who does not read is told no more, before the host holds it all.
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) return socket.close();
    socket.send(this.#maps.size > 0 ? this.#mapped(message) : message);
  }

  /** The bundle itself carries no paths of this machine, so its source map is put in here. */
  #mapped(message: string): string {
    if (!message.startsWith('{"method":"Debugger.scriptParsed"')) return message;
    const event: { params?: { url?: string; sourceMapURL?: string } } = JSON.parse(message);
    const map = this.#maps.get(event.params?.url ?? "");
    if (map === undefined || event.params === undefined) return message;
    event.params.sourceMapURL = map;
    return JSON.stringify(event);
  }
}

/** Answers to our own questions. */
function isOwn(message: string): boolean {
  const { id } = JSON.parse(message) as { readonly id?: number };
  return id !== undefined && id >= OWN_ID;
}
