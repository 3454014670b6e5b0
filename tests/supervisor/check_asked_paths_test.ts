import assert from "node:assert/strict";
import { checkAskedPaths } from "../../src/supervisor/check_asked_paths.ts";
import { NO_PERMISSIONS } from "../policy/fakes.ts";

type Access = "read" | "write";

/** Whether a plugin whose manifest asks may have it, of a host that allows. */
function mayHave(asks: readonly [Access, string], allows: readonly [Access, string]): boolean {
  const granting = ([access, path]: readonly [Access, string]) => {
    return { ...NO_PERMISSIONS, [access]: [{ source: path, target: path }] };
  };
  try {
    checkAskedPaths("resize", granting(allows), granting(asks));
    return true;
  } catch (error) {
    assert.equal((error as Error).name, "PermissionDeniedError");
    assert.match((error as Error).message, /it leads to "[^"]+", which the host does not allow$/);
    return false;
  }
}

const CASES: readonly [asks: [Access, string], allows: [Access, string], isAllowed: boolean][] = [
  [["read", "/srv/data"], ["read", "/srv/data"], true],
  [["read", "/srv/data/in/side"], ["read", "/srv/data"], true],
  [["read", "/srv/data/..hidden"], ["read", "/srv/data"], true],
  [["read", "/srv"], ["read", "/srv/data"], false],
  [["read", "/"], ["read", "/srv/data"], false],
  [["read", "/srv/database"], ["read", "/srv/data"], false],
  [["read", "/etc"], ["read", "/srv/data"], false],
  [["read", "/srv/data"], ["write", "/srv/data"], true],
  [["write", "/srv/data"], ["write", "/srv"], true],
  [["write", "/srv/data"], ["read", "/srv/data"], false],
];

for (const [asks, allows, isAllowed] of CASES) {
  Deno.test(`checkAskedPaths() ${isAllowed ? "allows" : "refuses"} to ${asks.join(" ")} where one may ${allows.join(" ")}`, () => {
    assert.equal(mayHave(asks, allows), isAllowed);
  });
}
