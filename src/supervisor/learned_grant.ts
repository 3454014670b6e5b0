/**
 * Remembers what a script asked for, and writes it down as the smallest grant.
 *
 * @module
 */

import { cleanText } from "../util/clean_text.ts";
import type { LearnedGrant, PermissionKind } from "./broker_types.ts";

type Question = { readonly permission: PermissionKind; readonly value: string | null };

const MAX_REMEMBERED = 10_000;
const NEVER_GRANTED: ReadonlySet<PermissionKind> = new Set<PermissionKind>(["run", "ffi", "import"]);

/** Remembers questions. */
export class GrantLearner {
  readonly #asked = new Map<string, Question>();

  /**
   * Remember one.
   *
   * @param question What was asked; paths are absolute.
   */
  note(question: Question): void {
    if (this.#asked.size < MAX_REMEMBERED) {
      this.#asked.set(JSON.stringify([question.permission, question.value]), question);
    }
  }

  /**
   * What was noted so far.
   *
   * @returns A grant in which no entry covers another.
   */
  grant(): LearnedGrant {
    const values = (kind: PermissionKind) =>
      [...this.#asked.values()].flatMap(({ permission, value }) =>
        permission === kind && value !== null ? [value] : []
      )
        .sort();
    const unix = values("net").filter((value) => value.startsWith("unix:")).map((value) => value.slice(5));
    const isNotSocket = (path: string) => !unix.includes(path);
    const write = withoutCovered(values("write").filter(isNotSocket));
    const read = withoutCovered(values("read").filter(isNotSocket)).filter((path) => !isCovered(path, write));
    // Before it asks for one program or library the runtime asks for all of them: only the one is worth a word.
    const refused = [...this.#asked.values()].filter(({ permission, value }) =>
      NEVER_GRANTED.has(permission) ? value !== null || values(permission).length === 0 : value === null
    );
    const net = values("net").filter((value) => !value.startsWith("unix:"));
    return Object.freeze({ read, write, net, env: values("env"), sys: values("sys"), unix, refused });
  }
}

/**
 * Write a grant as it stands in the options of `host.load()`.
 *
 * @param grant What was learned.
 * @returns Lines of text; a comment for each thing that no grant gives.
 *
 * @example
 * ```ts
 * import { grantText } from "./learned_grant.ts";
 * import { equal } from "node:assert/strict";
 *
 * const nothing = { read: [], write: [], net: [], env: [], sys: [], unix: [], refused: [] };
 * equal(grantText({ ...nothing, read: ["/data"] }), 'permissions: {\n  read: ["/data"],\n}');
 * ```
 */
export function grantText({ refused, ...granted }: LearnedGrant): string {
  const lines = Object.entries(granted).filter(([, values]) => values.length > 0)
    .map(([kind, values]) => `  ${kind}: [${values.map((value) => shown(value)).join(", ")}],`);
  const comments = refused.map(({ permission, value }) =>
    `  // refused: ${permission} ${value === null ? "(everything)" : shown(value)}`
  );
  const body = [...lines, ...comments];
  return body.length === 0 ? "permissions: {}" : ["permissions: {", ...body, "}"].join("\n");
}

function shown(value: string): string {
  return cleanText(JSON.stringify(value), Infinity);
}

function withoutCovered(paths: readonly string[]): string[] {
  return paths.filter((path) => !isCovered(path, paths.filter((other) => other !== path)));
}

function isCovered(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path === root || path.startsWith(root === "/" ? root : `${root}/`));
}
