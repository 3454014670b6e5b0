/**
 * Failures inside a value that know where they happened.
 *
 * @module
 */

import { SerializationError } from "../errors.ts";

/** Thrown on the way into a value, collects its path on the way out. Never reaches user code. */
export class ValueFailure {
  /** What is wrong: the end of the message. */
  readonly reason: string;
  /** What to do about it. */
  readonly hint: string | undefined;
  readonly cause: unknown;
  /** Keys from the inside out. */
  readonly keys: (string | number)[] = [];
  /** Containers from the inside out; only collected when the value is too deep. */
  readonly ancestors: object[] | undefined;

  /**
   * @param reason `"<rule>: <state>"`.
   * @param options `isTooDeep` collects ancestors to tell a cycle from a deep value.
   */
  constructor(
    reason: string,
    options: { readonly hint?: string; readonly cause?: unknown; readonly isTooDeep?: boolean } = {},
  ) {
    this.reason = reason;
    this.hint = options.hint;
    this.cause = options.cause;
    this.ancestors = options.isTooDeep === true ? [] : undefined;
  }

  /**
   * The failure as an error for people.
   *
   * @param verb `"send"` or `"receive"`.
   * @param root What the value is called, such as `"$.args"`.
   * @returns An error whose `path` is where the failure happened.
   */
  toError(verb: "send" | "receive", root: string): SerializationError {
    const keys = this.keys.toReversed();
    const cycle = this.ancestors === undefined ? undefined : firstCycle(this.ancestors.toReversed());
    const path = root + pathText(cycle === undefined ? keys : keys.slice(0, cycle.end));
    const reason = cycle === undefined
      ? this.reason
      : `a value must not contain itself: it is ${root + pathText(keys.slice(0, cycle.start))}`;
    return new SerializationError(`Cannot ${verb} ${path} as ${reason}`, {
      path,
      hint: this.hint,
      ...(this.cause === undefined ? {} : { cause: this.cause }),
    });
  }
}

/**
 * Add a step to a failure that passes by, and keep throwing it.
 *
 * @param error What was caught.
 * @param key Key or index within `container`.
 * @param container What holds the failed value.
 */
export function rethrowAt(error: unknown, key: string | number, container: object): never {
  if (!(error instanceof ValueFailure)) throw error;
  error.keys.push(key);
  error.ancestors?.push(container);
  throw error;
}

/** Steps of a path, such as `[0].user["a b"]`. */
function pathText(keys: readonly (string | number)[]): string {
  return keys.map((key) => {
    if (typeof key === "number") return `[${key}]`;
    return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
  }).join("");
}

/** The first container that is met again; `start` and `end` count the keys before it, both times. */
function firstCycle(
  ancestors: readonly object[],
): { readonly start: number; readonly end: number } | undefined {
  const seen = new Map<object, number>();
  for (const [index, container] of ancestors.entries()) {
    const start = seen.get(container);
    if (start !== undefined) return { start, end: index };
    seen.set(container, index);
  }
  return undefined;
}
