/**
 * Errors ⇄ their parts. Only classes listed here are ever constructed for a peer.
 *
 * @module
 */

import {
  CallTimeoutError,
  CordonError,
  CudaError,
  DisposedError,
  LimitExceededError,
  MemoryPressureError,
  NativeError,
  PermissionDeniedError,
  RemoteError,
  SerializationError,
} from "../errors.ts";
import { cleanText } from "../util/clean_text.ts";

/** An error taken apart. */
export interface ErrorFields {
  /** Allow-listed class, or `""`. */
  readonly kind: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** Cause, errors of an AggregateError, and own primitive properties. */
  readonly more: Readonly<Record<string, unknown>>;
}

type ErrorMaker = (message: string, more: Readonly<Record<string, unknown>>, name: string) => Error;

const MAX_OWN_PROPERTIES = 16;
/** Characters. A plugin can write any line there: it is shown to people, never obeyed. */
const MAX_SUGGESTION = 1_024;
/** Characters: the name of a function or of its answer. */
const MAX_NAME = 100;
const RESERVED = new Set([
  "name",
  "message",
  "stack",
  "cause",
  "errors",
  "constructor",
  "__proto__",
  "then",
  "toString",
]);

/** What says of an error that was relayed where it came from: its stack does not go on with it. */
const RELAYED = new Set(["remoteName", "remoteStack"]);

const builtIn = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
} as const;

const makers: ReadonlyMap<string, ErrorMaker> = new Map<string, ErrorMaker>([
  ...Object.entries(builtIn).map(([kind, constructor]): [string, ErrorMaker] => [
    kind,
    (message) => new constructor(message),
  ]),
  [
    "AggregateError",
    (message, more) => new AggregateError(Array.isArray(more.errors) ? more.errors : [], message),
  ],
  ["DOMException", (message, _more, name) => new DOMException(message, name)],
  ...Object.entries(Deno.errors).map(([kind, constructor]): [string, ErrorMaker] => [
    `Deno.${kind}`,
    (message) => new (constructor as ErrorConstructor)(message),
  ]),
  [
    "CallTimeoutError",
    (message, more) => new CallTimeoutError(message, { timeoutMs: Number(more.timeoutMs) }),
  ],
  ["DisposedError", (message) => new DisposedError(message)],
  ["SerializationError", (message, more) => new SerializationError(message, { path: String(more.path) })],
  ["LimitExceededError", (message, more) =>
    new LimitExceededError(message, {
      limit: String(more.limit),
      asked: Number(more.asked),
      allowed: Number(more.allowed),
    })],
  ["MemoryPressureError", (message, more) =>
    new MemoryPressureError(message, {
      limit: String(more.limit),
      asked: Number(more.asked),
      allowed: Number(more.allowed),
      free: Number(more.free),
    })],
  [
    "NativeError",
    (message, more) => new NativeError(message, { call: nameIn(more.call), errno: nameIn(more.errno) }),
  ],
  [
    "CudaError",
    (message, more) => new CudaError(message, { call: nameIn(more.call), result: nameIn(more.result) }),
  ],
  [
    "PermissionDeniedError",
    (message, more) =>
      new PermissionDeniedError(message, { suggestion: cleanText(String(more.suggestion), MAX_SUGGESTION) }),
  ],
]);

const kindOfClass: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ...Object.entries(builtIn).map(([kind, constructor]): [unknown, string] => [constructor, kind]),
  [AggregateError, "AggregateError"],
  [DOMException, "DOMException"],
  ...Object.entries(Deno.errors).map((
    [kind, constructor],
  ): [unknown, string] => [constructor, `Deno.${kind}`]),
  [CallTimeoutError, "CallTimeoutError"],
  [DisposedError, "DisposedError"],
  [SerializationError, "SerializationError"],
  [LimitExceededError, "LimitExceededError"],
  [MemoryPressureError, "MemoryPressureError"],
  [PermissionDeniedError, "PermissionDeniedError"],
  [NativeError, "NativeError"],
  [CudaError, "CudaError"],
]);

/**
 * Take an error apart.
 *
 * @param error Any error.
 * @param withStack Its stack crosses too.
 * @returns What of it crosses.
 */
export function errorFields(error: Error, withStack: boolean): ErrorFields {
  const more: Record<string, unknown> = {};
  if (Object.hasOwn(error, "cause")) more.cause = error.cause;
  if (error instanceof AggregateError) more.errors = error.errors;
  const isRelayed = error instanceof RemoteError;
  let room = MAX_OWN_PROPERTIES;
  for (const [key, value] of Object.entries(error)) {
    if (RESERVED.has(key) || !isPrimitive(value) || isRelayed && RELAYED.has(key) || room-- <= 0) continue;
    more[key] = value;
  }
  // Reading a stack formats it, which costs more than the rest of a call.
  const stack = withStack && typeof error.stack === "string" ? error.stack : "";
  const kind = kindOfClass.get(error.constructor) ?? "";
  return { kind, name: String(nameOf(error, kind)), message: String(error.message), stack, more };
}

function nameOf(error: Error, kind: string): string {
  // What came from a third process goes on under the name that it has there.
  if (error instanceof RemoteError) return error.remoteName;
  return kind === "" && error.name === "Error" ? error.constructor?.name ?? "Error" : error.name;
}

/**
 * Put an error together.
 *
 * @param fields What a peer sent, its types checked.
 * @returns An error of the allow-listed class, else a `RemoteError`.
 */
export function errorFromFields(fields: ErrorFields): Error {
  const make = makers.get(fields.kind);
  const error = make === undefined
    ? new RemoteError(fields.message, { remoteName: fields.name, remoteStack: fields.stack })
    : make(fields.message, fields.more, fields.name);
  const summary = `${make === undefined ? `RemoteError (${fields.name})` : fields.name}: ${fields.message}`;
  define(error, "stack", fields.stack === "" ? `${summary}\n    at <the other process>` : fields.stack);
  if (make !== undefined && error.name !== fields.name) define(error, "name", fields.name);
  if (error instanceof CordonError && typeof fields.more.hint === "string") {
    Object.assign(error, { hint: cleanText(fields.more.hint, MAX_SUGGESTION) });
  }
  if (Object.hasOwn(fields.more, "cause")) define(error, "cause", fields.more.cause);
  for (const [key, value] of Object.entries(fields.more)) {
    if (RESERVED.has(key) || key in error || !isPrimitive(value)) continue;
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: true });
  }
  return error;
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false });
}

function nameIn(value: unknown): string {
  return cleanText(String(value), MAX_NAME);
}

function isPrimitive(value: unknown): boolean {
  return value === null ||
    (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol");
}
