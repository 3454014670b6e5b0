/** A debugger of a few lines, as the tests need it. */

import { originalPosition, parseSourceMap, type SourceMap } from "../../src/util/source_map.ts";

interface Message {
  readonly id?: number;
  readonly method?: string;
  // deno-lint-ignore no-explicit-any -- the protocol of debuggers has hundreds of shapes
  readonly params?: any;
  // deno-lint-ignore no-explicit-any -- as above
  readonly result?: any;
  readonly error?: { readonly message: string };
}

/** A connection to the inspector of a plugin. */
export class Debugger implements Disposable {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, PromiseWithResolvers<Message["result"]>>();
  readonly #events: Message[] = [];
  readonly #waiting: {
    readonly method: string;
    readonly test: (params: unknown) => boolean;
    tell(m: Message): void;
  }[] = [];
  #count = 0;
  readonly closed: Promise<void>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    socket.onclose = () => closed.resolve();
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
  }

  static async connect(url: string): Promise<Debugger> {
    const socket = new WebSocket(url);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error(`Cannot connect to ${url}`));
    await promise;
    return new Debugger(socket);
  }

  async send(method: string, params: object = {}): Promise<Message["result"]> {
    const id = ++this.#count;
    const answer = Promise.withResolvers<Message["result"]>();
    this.#answers.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return await answer.promise;
  }

  /** The first event that was not waited for yet, or the next. */
  async event(
    method: string,
    test: (params: Message["params"]) => boolean = () => true,
  ): Promise<Message["params"]> {
    const index = this.#events.findIndex((one) => one.method === method && test(one.params));
    if (index >= 0) return this.#events.splice(index, 1)[0]!.params;
    const { promise, resolve } = Promise.withResolvers<Message>();
    this.#waiting.push({ method, test, tell: resolve });
    return (await promise).params;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #take(message: Message): void {
    if (message.id !== undefined) {
      const answer = this.#answers.get(message.id);
      this.#answers.delete(message.id);
      if (message.error === undefined) answer?.resolve(message.result);
      else answer?.reject(new Error(message.error.message));
      return;
    }
    const index = this.#waiting.findIndex(({ method, test }) =>
      method === message.method && test(message.params)
    );
    if (index >= 0) this.#waiting.splice(index, 1)[0]!.tell(message);
    else this.#events.push(message);
  }
}

/** The source map that a script came with. */
export function inlineMap(sourceMapURL: string): SourceMap {
  const base64 = sourceMapURL.slice("data:application/json;base64,".length);
  return parseSourceMap(new TextDecoder().decode(Uint8Array.fromBase64(base64)));
}

/** Where a line of a source lies in the generated script; both count from 0. */
export function generatedPlace(
  map: SourceMap,
  script: string,
  source: string,
  line: number,
): { lineNumber: number; columnNumber: number } {
  for (const [lineNumber, text] of script.split("\n").entries()) {
    for (let columnNumber = 0; columnNumber < text.length; columnNumber++) {
      const place = originalPosition(map, lineNumber + 1, columnNumber + 1);
      if (place?.source === source && place.line === line) return { lineNumber, columnNumber };
    }
  }
  throw new Error(`Cannot find line ${line} of ${source}`);
}
