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
