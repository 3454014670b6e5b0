/** Carries values through codecs as a session does, and nothing else. */

import type { ValueCodec, ValueContext, ValueTypes } from "../../src/tensor/mod.ts";

interface Tagged {
  readonly tag: string;
  readonly payload: unknown;
}

/** Registered types of one side. */
export class WireTypes implements ValueTypes {
  readonly #codecs = new Map<string, ValueCodec<unknown>>();

  register<T>(tag: string, codec: ValueCodec<T>): void {
    this.#codecs.set(tag, codec as ValueCodec<unknown>);
  }

  /** Value → what a message would carry. */
  write(value: unknown, undo: (() => void)[] = []): unknown {
    if (typeof value !== "object" || value === null) return { plain: value };
    for (const [tag, codec] of this.#codecs) {
      if (codec.test(value, context(undo))) {
        return { tag, payload: codec.encode(value, context(undo)) } satisfies Tagged;
      }
    }
    return { plain: value };
  }

  /** What a message carried → value. */
  read(written: unknown, undo: (() => void)[] = []): unknown {
    const { tag, payload, plain } = written as Partial<Tagged> & { readonly plain?: unknown };
    if (tag === undefined) return plain;
    const codec = this.#codecs.get(tag);
    if (codec === undefined) throw new TypeError(`Cannot read "${tag}" as it is not registered`);
    return codec.decode(payload, context(undo));
  }
}

/** Full messages: what may go another way does. */
function context(undo: (() => void)[]): ValueContext {
  return { frameRoom: 0, rollback: (step) => undo.push(step) };
}
