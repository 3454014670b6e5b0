/**
 * Parses which services of the host a plugin sees.
 *
 * @module
 */

import { quote } from "../util/quote.ts";
import { entries, invalid, list, type Parser, unknownName } from "./parse.ts";

/** Names a peer can never call, whatever a grant says. */
const neverCallable = new Set(["constructor", "then", "toString", "toJSON", "valueOf", "hasOwnProperty"]);

/**
 * A parser of a plugin's services: a list of names, or an object of name → methods.
 *
 * @param offered The host's services.
 */
export function services(
  offered: Readonly<Record<string, object>>,
): Parser<Readonly<Record<string, readonly string[] | "all">>> {
  return (value, at) => {
    const granted = Array.isArray(value)
      ? list((name, one) => wholeService(name, one, offered))(value, at).map((name) => [name, "all"] as const)
      : entries(value, at, "a list of names, or an object of name → methods").map(([name, methods]) => {
        const service = offered[serviceName(name, `${at}.${name}`, offered)] ?? {};
        const parsed = list((method, one) => methodName(method, one, service))(methods, `${at}.${name}`);
        return [name, parsed] as const;
      });
    return Object.freeze(Object.fromEntries(granted));
  };
}

/** A class stands for its one instance. */
function members(service: object): object {
  return typeof service === "function" ? (service as { readonly prototype: object }).prototype : service;
}

function serviceName(value: unknown, at: string, offered: object): string {
  if (typeof value !== "string") throw invalid(at, "the name of a service", `it is ${quote(value)}`);
  if (Object.hasOwn(offered, value)) return value;
  throw unknownName(at, value, "a service of the host", Object.keys(offered));
}

/** All methods of a service: granting none of them is a mistake. */
function wholeService(value: unknown, at: string, offered: Readonly<Record<string, object>>): string {
  const name = serviceName(value, at, offered);
  if (hasMethods(offered[name] ?? {})) return name;
  throw invalid(
    at,
    "a service with methods",
    `"${name}" has none`,
    "Methods are functions of the object or of its class; fields and accessors are never called",
  );
}

/** Nested singletons go with their parent, which may have nothing else. */
function hasMethods(service: object): boolean {
  const own = members(service);
  return methodNames(own).some((name) => isMethod(own, name)) ||
    Object.values(nestedOf(service)).some(hasMethods);
}

function isMethod(service: object, name: string): boolean {
  for (let one: object | null = service; one !== null; one = Object.getPrototypeOf(one)) {
    const property = Object.getOwnPropertyDescriptor(one, name);
    if (property !== undefined) return typeof property.value === "function";
  }
  return false;
}

function methodName(value: unknown, at: string, service: object): string {
  if (typeof value !== "string") throw invalid(at, "the name of a method", `it is ${quote(value)}`);
  const [first, ...rest] = value.split(".");
  const nested = rest.length > 0 ? nestedSingleton(service, first!) : undefined;
  if (nested !== undefined) return `${first}.${methodName(rest.join("."), at, nested)}`;
  if (value.startsWith("_") || neverCallable.has(value)) {
    throw invalid(at, "the name of a method", `${quote(value)} can never be called from outside`);
  }
  const own = members(service);
  // `in` looks a name up without running a getter.
  if (value in own) return value;
  throw unknownName(at, value, "a method of the service", methodNames(own));
}

/** A class of singletons that goes with another, by the name under which it does. */
function nestedSingleton(service: object, name: string): object | undefined {
  const nested = nestedOf(service);
  return Object.hasOwn(nested, name) ? nested[name] : undefined;
}

function nestedOf(service: object): Readonly<Record<string, object>> {
  if (typeof service !== "function") return {};
  return (service as { readonly nested?: Readonly<Record<string, object>> }).nested ?? {};
}

function methodNames(service: object): string[] {
  const names = new Set<string>();
  for (
    let one: object | null = service;
    one !== null && one !== Object.prototype;
    one = Object.getPrototypeOf(one)
  ) {
    for (const name of Object.getOwnPropertyNames(one)) names.add(name);
  }
  return [...names].filter((name) => !name.startsWith("_") && !neverCallable.has(name));
}
