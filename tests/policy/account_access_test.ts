import { deepEqual } from "node:assert/strict";
import { type Access, accessObstacle } from "../../src/policy/account_access.ts";

const isRoot = Deno.uid() === 0;
const needsRoot = isRoot ? "" : " [skipped: needs a root host]";
const NOBODY = { uid: 65534, gid: 65534 };

/** Owner, mode, whether it is a directory, what is asked; what is missing. */
const CASES: readonly [owner: string, mode: number, isDirectory: boolean, access: Access, missing: string][] =
  [
    ["others", 0o004, false, "read", ""],
    ["others", 0o770, false, "read", "r"],
    ["others", 0o004, true, "read", "x"],
    ["others", 0o005, true, "read", ""],
    ["others", 0o006, true, "write", "x"],
    ["others", 0o005, true, "write", "w"],
    ["others", 0o000, true, "reach", ""],
    ["others", 0o004, false, "execute", "x"],
    // Of three classes the first that fits counts, even if it has less.
    ["owner", 0o077, false, "read", "r"],
    ["owner", 0o400, false, "read", ""],
    ["group", 0o707, false, "read", "r"],
    ["group", 0o040, false, "read", ""],
  ];

for (const [owner, mode, isDirectory, access, missing] of CASES) {
  const what = `${isDirectory ? "a directory" : "a file"} of mode ${
    mode.toString(8).padStart(3, "0")
  } to ${owner}`;
  Deno.test({
    name: `accessObstacle() finds "${missing}" missing to ${access} ${what}${needsRoot}`,
    ignore: !isRoot,
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "cordon-access-" });
      try {
        await Deno.chmod(folder, 0o711);
        const path = `${folder}/it`;
        if (isDirectory) await Deno.mkdir(path);
        else await Deno.writeTextFile(path, "");
        await Deno.chown(path, owner === "owner" ? 65534 : 0, owner === "group" ? 65534 : 0);
        await Deno.chmod(path, mode);
        deepEqual(await accessObstacle(path, NOBODY, access), missing === "" ? null : { path, missing });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
