/**
 * esbuild's complaints as errors for people.
 *
 * @module
 */

import type { BuildFailure, Message } from "esbuild";
import { isAbsolute, join } from "node:path";
import { BundleError, type CordonErrorOptions } from "../errors.ts";

/**
 * Makes an error that names the place in the original source.
 *
 * @param entry What was being bundled, for messages that say nothing about it.
 * @param failure What esbuild threw.
 * @returns The error to throw instead.
 */
export function bundleError(entry: string, failure: unknown): unknown {
  if (!isBuildFailure(failure)) return failure;
  const [first] = failure.errors;
  if (first === undefined) return failure;
  const { detail } = first;
  const location = originalLocation(first);
  const more = failure.errors.length > 1 ? ` (and ${failure.errors.length - 1} more)` : "";
  const options: CordonErrorOptions & { location: BundleError["location"] } = { cause: failure, location };
  if (detail instanceof BundleError) {
    const own = detail.location ?? location;
    return new BundleError(withPlace(detail.message, own) + more, {
      cause: detail.cause ?? failure,
      hint: detail.hint,
      location: own,
    });
  }
  if (detail instanceof Error) options.cause = detail;
  const text = withAbsolutePaths(first.text.charAt(0).toLowerCase() + first.text.slice(1));
  return new BundleError(withPlace(`Cannot bundle "${entry}" as ${text}`, location) + more, options);
}

/**
 * One sentence about a warning.
 *
 * @param message esbuild's warning.
 * @returns The sentence with its place.
 */
export function warningText(message: Message): string {
  return withPlace(message.text, originalLocation(message));
}

function originalLocation({ location }: Message): BundleError["location"] {
  if (location === null) return undefined;
  const { namespace, file, line, column } = location;
  const plain = file.startsWith(`${namespace}:`) ? file.slice(namespace.length + 1) : file;
  const isFilePath = namespace === "" || namespace === "file";
  return { file: isFilePath && !isAbsolute(plain) ? join("/", plain) : plain, line, column: column + 1 };
}

/** esbuild quotes modules relative to the root directory. */
function withAbsolutePaths(text: string): string {
  return text.replace(/ in "(?![a-z-]+:|\/)([^"]+\/)/g, ' in "/$1');
}

/**
 * Makes an error of what Deno's own parser says about a module.
 *
 * @param path Absolute path of the module.
 * @param text As `deno info --json` gives it: the complaint, the line, the place.
 * @returns The error to throw.
 */
export function moduleError(path: string, text: string): BundleError {
  const place = /^ *at file:\/\/\S+:(\d+):(\d+)$/m.exec(text);
  const location = place === null
    ? undefined
    : { file: path, line: Number(place[1]), column: Number(place[2]) };
  const complaint = text.split("\n")[0]!;
  return new BundleError(
    withPlace(`Cannot load "${path}" unbundled as it must be a module: ${complaint}`, location),
    {
      location,
    },
  );
}

function withPlace(text: string, location: BundleError["location"]): string {
  return location === undefined ? text : `${text} (${location.file}:${location.line}:${location.column})`;
}

function isBuildFailure(value: unknown): value is BuildFailure {
  return value instanceof Error && "errors" in value && Array.isArray(value.errors);
}
