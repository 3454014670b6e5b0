import assert from "node:assert/strict";
import { createHost } from "../../mod.ts";

interface Fixture {
  run(name: string): Promise<unknown>;
}

/** What each package answers inside a sandbox that was granted nothing. */
const EXPECTED: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "text.ts": {
    "date-fns": 86_400_000,
    "dayjs": 28,
    "ejs": "1!",
    "handlebars": "1!",
    "highlight.js": '<span class="hljs-keyword">let</span> a',
    "iconv-lite": 1,
    "js-yaml": { a: [1, 2] },
    "lodash": [[1, 2], [3]],
    "lodash-es": "one-two",
    "marked": "<p><em>a</em></p>\n",
    "mime-types": "text/html",
    "moment": "1970",
    "ms": 3_600_000,
    "nanoid": 9,
    "papaparse": [["a", "b"], ["1", "2"]],
    "semver": true,
    "uuid": "4f3f2898-69e3-5a0d-820a-c4e87987dbce",
  },
  "code.tsx": {
    "@noble/hashes": 32,
    "@resvg/resvg-wasm": 3,
    "acorn": "Program",
    "ajv": false,
    "bcryptjs": true,
    "d3-array": [1, 3],
    "fast-xml-parser": { a: { b: 1 } },
    "immer": { a: 2 },
    "jsonwebtoken": "a",
    "jszip": ["a.txt"],
    "mathjs": 6,
    "p-limit": "done",
    "pdf-lib": 0,
    "react": "function",
    "rxjs": [2, 4],
    "sql.js": [[2]],
    "svelte": true,
    "vue": [1, 2],
    "zod": false,
  },
  "variables.ts": {
    "chalk": "a",
    "debug": undefined,
    "glob": "function",
    "winston": "info",
    "ws": "function",
    "yargs": 1,
  },
};

for (const [file, packages] of Object.entries(EXPECTED)) {
  Deno.test(`${Object.keys(packages).length} popular npm packages work inside a sandbox (${file})`, async (test) => {
    await using host = await createHost();
    await using plugin = await host.load<Fixture>(new URL(`../fixtures/popular/${file}`, import.meta.url));
    for (const [name, expected] of Object.entries(packages)) {
      await test.step(name, async () => assert.deepEqual(await plugin.api.run(name), expected));
    }
  });
}

/** Packages that need what no sandbox gives, or what no bundle has, and what says so. */
const CANNOT: readonly { readonly file: string; readonly bundle: boolean; readonly why: RegExp }[] = [
  {
    file: "popular/native_sqlite.ts",
    bundle: true,
    why: /"better-sqlite3@11\.10\.0" has a native add-on, which cannot run in a sandbox/,
  },
  {
    file: "popular/native_sharp.ts",
    bundle: false,
    why: /"@img\/sharp-linux-\w+@[\d.]+" has a native add-on, which cannot run in a sandbox/,
  },
  {
    file: "unbundled/native.ts",
    bundle: true,
    why: /if a package asks for it, load the plugin with bundle: false/,
  },
  { file: "unbundled/rules.ts", bundle: true, why: /^Load it with bundle: false/ },
];

Deno.test("popular npm packages that cannot work inside a sandbox say why", async (test) => {
  await using host = await createHost();
  for (const { file, bundle, why } of CANNOT) {
    await test.step(file, async () => {
      const reasons: string[] = [];
      using _listener = host.on("warning", ({ text }) => reasons.push(text));
      const load = host.load<{ run(): unknown }>(new URL(`../fixtures/${file}`, import.meta.url), {
        bundle,
        permissions: { sys: ["cpus", "networkInterfaces"] },
      });
      await load.then(
        async (plugin) => {
          await assert.rejects(async () => await plugin.api.run());
          await plugin.stop();
        },
        ({ hint }) => reasons.push(hint ?? ""),
      );
      assert.ok(reasons.some((reason) => why.test(reason)), reasons.join("\n"));
    });
  }
});
