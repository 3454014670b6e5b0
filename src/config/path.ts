/**
 * Parsers of paths and entry modules: everything absolute, nothing that only looks like a path.
 *
 * @module
 */

import { isAbsolute, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { quote } from "../util/quote.ts";
import type { PathGrant } from "./types.ts";
import { entries, invalid, list, type Parser } from "./parse.ts";

/**
 * A parser of paths, made absolute and normalised. Symbolic links are not followed here.
 *
 * @param cwd Absolute directory that relative paths start from.
 */
export function path(cwd: () => string): Parser<string> {
  return (value, at) => {
    if (typeof value !== "string" || value === "") throw invalid(at, "a path", `it is ${quote(value)}`);
    if (value.includes("\0")) throw invalid(at, "a path", `${quote(value)} contains a NUL character`);
    if (/^~(?:\/|$)/.test(value)) {
      throw invalid(
        at,
        "a path",
        `${quote(value)} begins with "~"`,
        "Only a shell knows the home directory: write it out",
      );
    }
    if (/^file:/i.test(value)) return filePath(value, at);
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(value)) throw invalid(at, "a path", `${quote(value)} is a URL`);
    return isAbsolute(value) ? resolve(value) : resolve(cwd(), value);
  };
}

/** Reads an absolute path as the plugin will see it. */
function insidePath(value: unknown, at: string): string {
  const rule = "an absolute path inside the sandbox";
  if (typeof value !== "string" || !value.startsWith("/") || value.includes("\0")) {
    throw invalid(at, rule, `it is ${quote(value)}`);
  }
  if (resolve(value) !== value) {
    throw invalid(at, rule, `${quote(value)} is not normalised`, `Write ${quote(resolve(value))}`);
  }
  return value;
}

/**
 * A parser of granted paths: a list, or an object of host path → path inside.
 *
 * @param cwd Absolute directory that relative paths start from.
 */
export function grants(cwd: () => string): Parser<readonly PathGrant[]> {
  const source = path(cwd);
  return (value, at) => {
    const found = Array.isArray(value)
      ? list(source)(value, at).map((one) => ({ source: one, target: one }))
      : entries(value, at, "a list of paths, or an object of host path → path inside").map(([from, to]) => ({
        source: source(from, `${at}[${quote(from)}]`),
        target: insidePath(to, `${at}[${quote(from)}]`),
      }));
    const byTarget = new Map<string, string>();
    for (const grant of found) {
      const other = byTarget.get(grant.target);
      if (other !== undefined && other !== grant.source) {
        throw invalid(
          at,
          "paths",
          `${quote(other)} and ${quote(grant.source)} would both be at ${quote(grant.target)}`,
        );
      }
      byTarget.set(grant.target, grant.source);
    }
    return Object.freeze(found.map((grant) => Object.freeze(grant)));
  };
}

/**
 * The entry module of a plugin as a URL or specifier.
 *
 * @param entry Path (absolute or relative to `cwd`), `file:` URL, or `https:`, `jsr:` or `npm:` specifier.
 * @param cwd Absolute directory that relative paths start from.
 * @returns `file:` URL for everything local, the specifier itself otherwise.
 * @throws {ConfigError} If it is none of these.
 */
export function entryUrl(entry: string | URL, cwd: () => string): string {
  const written = entry instanceof URL ? entry.href : entry;
  const scheme = typeof written === "string"
    ? /^([a-z][a-z0-9+.-]+):/i.exec(written)?.[1]?.toLowerCase()
    : undefined;
  if (scheme === undefined || scheme === "file") return pathToFileURL(path(cwd)(written, "entry")).href;
  if (scheme === "jsr" || scheme === "npm" || (scheme === "https" && URL.canParse(written))) return written;
  const hint = scheme === "http" ? "Anybody on the way could change it: use https:" : undefined;
  throw invalid(
    "entry",
    "a path, a file: URL, or an https:, jsr: or npm: specifier",
    `it is ${quote(written)}`,
    hint,
  );
}

function filePath(url: string, at: string): string {
  const isLocal = /^file:\/\/\//i.test(url) && URL.canParse(url) && !/%2f|%00/i.test(url);
  if (!isLocal) throw invalid(at, "a path", `${quote(url)} is not a file: URL of this machine`);
  return fileURLToPath(url);
}
