/**
 * Objects whose members are calls to another process. The only file that makes a Proxy.
 *
 * @module
 */

import { PermissionDeniedError } from "../errors.ts";
import type { CallOptions, ExportDescription, RpcSession, ServiceDescription } from "../rpc/mod.ts";
import { quote } from "../util/quote.ts";
import type { Remote, RemoteSource } from "./types.ts";

type Descriptions = readonly ExportDescription[];

/** How the members of one level are found. */
interface Level {
  /** Undefined: nothing is known, every name is a function. */
  readonly members: () => Descriptions | undefined;
  /** `"parent."` or empty. */
  readonly prefix: string;
}

/**
 * What a plugin or service looks like to its users. Names that are not exported are undefined; `then`, symbols and
 * names that begin with `_` always are, so the object is no promise and keeps no secrets.
 *
 * @param source Where exports are found and calls go.
 * @param options Of every call made through it.
 * @returns An object with one async function for each export, which `Object.keys()` lists.
 *
 * @example
 * ```ts
 * import { memoryTransportPair } from "../transport/mod.ts";
 * import { RpcSession } from "../rpc/mod.ts";
 * import { exposeModule } from "./expose_module.ts";
 * import { remoteModule, sessionSource } from "./remote_module.ts";
 *
 * const plugin = { add: (a: number, b: number) => a + b };
 * const [left, right] = memoryTransportPair();
 * await using host = new RpcSession(left, { role: "host", token: "secret" });
 * await using guest = new RpcSession(right, { role: "guest", token: "secret" });
 * const exports = exposeModule(guest, "plugin", plugin);
 * await Promise.all([host.start(), guest.start()]);
 * const api = remoteModule<typeof plugin>(sessionSource(host, "plugin", exports));
 * await api.add(1, 2); // 3
 * ```
 */
export function remoteModule<T>(source: RemoteSource, options: CallOptions = {}): Remote<T> {
  return remoteLevel(source, options, { members: () => source.exports, prefix: "" }) as Remote<T>;
}

/**
 * A service of the other side.
 *
 * @param session Where it is.
 * @param name Its name.
 * @param description What it offers; undefined if it was not granted: then every call rejects with the line to add. The
 * other side refuses such calls, whatever is said here.
 * @returns An object with one async function for each method.
 */
export function remoteService<T>(
  session: RpcSession,
  name: string,
  description?: ServiceDescription,
): Remote<T> {
  if (description === undefined) {
    return remoteLevel(ungrantedSource(name), {}, { members: () => undefined, prefix: "" }) as Remote<T>;
  }
  return remoteModule<T>(sessionSource(session, description.target ?? name, description.members));
}

function ungrantedSource(name: string): RemoteSource {
  const refuse = (): never => {
    throw new PermissionDeniedError(
      `Cannot call service ${quote(name)} as a plugin reaches only those of its grant: it is not in its list`,
      { suggestion: `services: [${JSON.stringify(name)}]` },
    );
  };
  return { exports: [], call: async () => await refuse(), stream: refuse };
}

/**
 * A source that is one target of one session.
 *
 * @param session Where calls go.
 * @param target Name under which it was exposed there.
 * @param exports What it offers.
 * @returns The source.
 */
export function sessionSource(
  session: RpcSession,
  target: string,
  exports: readonly ExportDescription[],
): RemoteSource {
  return {
    exports,
    call: (method, args, options) => session.call(target, method, args, options),
    stream: (method, args, options) => session.stream(target, method, args, options),
  };
}

/** A function is made once for each name, so that `api.run === api.run`. */
function remoteLevel(source: RemoteSource, options: CallOptions, level: Level): object {
  const made = new Map<string, { readonly description: ExportDescription; readonly value: unknown }>();
  const describe = (name: string | symbol): ExportDescription | undefined => {
    if (typeof name !== "string" || name === "then" || name.startsWith("_")) return undefined;
    const members = level.members();
    if (members === undefined) return { name, kind: "function" };
    return members.find((member) => member.name === name);
  };
  const get = (name: string | symbol): unknown => {
    const description = describe(name);
    if (description === undefined) return undefined;
    const known = made.get(description.name);
    if (known?.description.kind === description.kind && description.kind !== "value") return known.value;
    const value = remoteMember(
      source,
      options,
      level.prefix,
      description,
      () => describe(name)?.members ?? [],
    );
    made.set(description.name, { description, value });
    return value;
  };
  const names = (): string[] =>
    (level.members() ?? []).map(({ name }) => name).filter((name) => describe(name) !== undefined);
  // Not frozen, as a Proxy may list only what a frozen target has; the traps keep it empty.
  return new Proxy(Object.create(null), {
    get: (_target, name) => get(name),
    has: (_target, name) => describe(name) !== undefined,
    ownKeys: names,
    getOwnPropertyDescriptor: (_target, name) =>
      describe(name) === undefined
        ? undefined
        : { value: get(name), enumerable: true, configurable: true, writable: false },
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
    preventExtensions: () => false,
    setPrototypeOf: () => false,
  });
}

function remoteMember(
  source: RemoteSource,
  options: CallOptions,
  prefix: string,
  description: ExportDescription,
  members: () => Descriptions,
): unknown {
  const method = prefix + description.name;
  switch (description.kind) {
    case "function":
      return (...args: unknown[]) => source.call(method, args, options);
    case "stream":
      return (...args: unknown[]) => source.stream(method, args, options);
    case "object":
      return remoteLevel(source, options, { members, prefix: `${method}.` });
    case "value":
      return description.value;
  }
}
