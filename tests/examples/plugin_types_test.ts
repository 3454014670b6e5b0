/** `deno check` holds a plugin to the types of its services, and a host to those of its plugin. */

import assert from "node:assert/strict";
import { type Folder, folderWith } from "../testing/fixtures.ts";
import { REPOSITORY, runDeno } from "./run.ts";

const DATABASE = `export class Database {
  #rows = new Map([[1, "one"]]);
  lookup(id: number): string | undefined { return this.#rows.get(id); }
}
`;
const PLUGIN = `import { service } from "@cordon/cordon/plugin";
import type { Database } from "./database.ts";

const db = service<Database>("db");
export async function find(id: number): Promise<string> {
  return await db.lookup(id) ?? "nothing";
}
`;
const HOST = `import { createHost } from "@cordon/cordon";
import { Database } from "./database.ts";

await using host = await createHost({ services: { db: new Database() } });
await using plugin = await host.load<typeof import("./plugin.ts")>("./plugin.ts", { services: ["db"] });
const found: string = await plugin.api.find(1);
console.log(found);
`;

async function project(changes: Readonly<Record<string, string>> = {}): Promise<Folder> {
  const own = JSON.parse(await Deno.readTextFile(new URL("deno.json", REPOSITORY)));
  const imports = {
    ...own.imports,
    "@cordon/cordon": new URL("mod.ts", REPOSITORY).href,
    "@cordon/cordon/plugin": new URL("src/guest/mod.ts", REPOSITORY).href,
  };
  return await folderWith({
    "deno.json": JSON.stringify({ imports, compilerOptions: own.compilerOptions }),
    "database.ts": DATABASE,
    "plugin.ts": PLUGIN,
    "host.ts": HOST,
    ...changes,
  });
}

Deno.test("deno check names where a plugin and a host use each other as they are not, and nothing else", async () => {
  const wrong = `export const ways = [
  () => db.lookup("1"),
  () => db.remove(1),
  (): string => db.lookup(1),
];
`;
  await using folder = await project({
    "plugin.ts": PLUGIN + wrong,
    "host.ts": HOST.replace("find(1)", "find(true)"),
  });
  const { code, stderr } = await runDeno(["check", "host.ts", "plugin.ts"], folder.path);
  assert.equal(code, 1);
  const found = [...stderr.matchAll(/(TS\d+) \[ERROR\][^]*?\/(\w+\.ts):(\d+):/g)].map((match) =>
    match.slice(1).join(" ")
  );
  assert.deepEqual(found.sort(), [
    "TS2322 plugin.ts 11", // a promise is no string
    "TS2339 plugin.ts 10", // there is no such method
    "TS2345 host.ts 6", // the plugin's function takes a number
    "TS2345 plugin.ts 9", // so does the service's
  ], stderr);
});
