/** What would be published works for somebody who has nothing but its URL. */

import assert from "node:assert/strict";
import { pack, publishedFiles, withoutBareImports } from "../../tools/pack.ts";
import { sandboxSkip } from "../cli/cordon.ts";
import { codeBlocks, namedFiles } from "../docs/code_blocks.ts";
import { TEMPLATE } from "../../src/cli/embedded/template.ts";
import { jsrRegistry } from "../testing/jsr_registry.ts";
import { type Folder, folderWith } from "../testing/fixtures.ts";

const skip = await sandboxSkip() || await registrySkip();

Deno.test("deno publish would publish the three entry points, and neither tests nor tools", async () => {
  const files = await publishedFiles();
  for (const name of ["mod.ts", "src/guest/mod.ts", "src/cli/main.ts", "README.md", "LICENSE"]) {
    assert.ok(files.includes(name), name);
  }
  assert.deepEqual(files.filter((name) => /^(tests|tools|examples|bench|dist)\//.test(name)), []);
});

Deno.test("withoutBareImports() replaces what deno.json maps, static and dynamic, and nothing else", () => {
  const code =
    `import { a } from "one";\nimport b from "./one.ts";\nawait import("one");\nconst c = "one";\n`;
  assert.equal(
    withoutBareImports(code, { one: "npm:one@1" }),
    `import { a } from "npm:one@1";\nimport b from "./one.ts";\nawait import("npm:one@1");\nconst c = "one";\n`,
  );
});

Deno.test({
  name:
    `the README's example runs in a project that imports the package over HTTP, from an empty cache${skip}`,
  ignore: skip !== "",
  async fn() {
    await using packed = await folderWith({});
    await pack(packed.path);
    const requests: string[] = [];
    await using server = serve(packed.path, requests);
    await using consumer = await readmeProject(server.addr.port);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--check", "host.ts"],
      cwd: consumer.path,
      env: {
        DENO_DIR: `${consumer.path}/cache/deno`,
        XDG_CACHE_HOME: `${consumer.path}/cache`,
        NO_COLOR: "1",
      },
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.equal(code, 0, err);
    assert.match(out!, /^image 7\n1\n2\n\{\s*state: "running"/);
    assert.ok(requests.includes("/mod.ts"), requests.join(" "));
  },
});

Deno.test({
  name: `the project of cordon init runs, untouched, with the package from JSR and an empty cache${skip}`,
  ignore: skip !== "",
  async fn() {
    await using packed = await folderWith({});
    const files = await pack(packed.path);
    const { name, version, exports } = JSON.parse(await Deno.readTextFile(`${packed.path}/deno.json`));
    const texts = files.map(async (file) => [`/${file}`, await Deno.readTextFile(`${packed.path}/${file}`)]);
    await using registry = jsrRegistry({
      name,
      version,
      exports,
      files: Object.fromEntries(await Promise.all(texts)),
    });
    await using project = await folderWith(TEMPLATE);
    await using cache = await folderWith({});
    const env = {
      JSR_URL: registry.url,
      DENO_DIR: `${cache.path}/deno`,
      XDG_CACHE_HOME: cache.path,
      NO_COLOR: "1",
    };
    for (
      const [task, expected] of [
        ["start", /^6 × the\n3 × wall\n2 × plugin\nThe plugin noted: counted 29 words\n$/],
        ["longest", /^knocked\n$/],
        ["check", /^$/],
        ["test", /1 passed/],
      ] as const
    ) {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["task", task],
        cwd: project.path,
        env,
      }).output();
      const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      assert.equal(code, 0, `${task}: ${err}`);
      assert.match(out!, expected);
    }
    assert.ok(
      registry.requests.includes(`/${name}/${version}/src/cli/main.ts`),
      "the command line was not fetched",
    );
  },
});

/** The README's files, in a project that has nothing else. */
async function readmeProject(port: number): Promise<Folder> {
  const files = namedFiles(await codeBlocks("README.md"));
  assert.deepEqual(Object.keys(files), ["host.ts", "resize.ts", "database.ts"]);
  const url = `http://127.0.0.1:${port}`;
  return await folderWith({
    ...files,
    "deno.json": JSON.stringify({
      imports: {
        "@cordon/cordon": `${url}/mod.ts`,
        "@cordon/cordon/plugin": `${url}/src/guest/mod.ts`,
      },
    }),
    "data/row.txt": "a row",
  });
}

function serve(folder: string, requests: string[]): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    requests.push(pathname);
    try {
      const text = await Deno.readTextFile(`${folder}${decodeURIComponent(pathname)}`);
      return new Response(text, { headers: { "content-type": "application/typescript" } });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new Response(null, { status: 404 });
      throw error;
    }
  });
}

/** Nobody can start from an empty cache where the npm packages cannot be had. */
async function registrySkip(): Promise<string> {
  await using cache = await folderWith({});
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--no-config", "npm:@msgpack/msgpack@3.1.3"],
    env: { DENO_DIR: cache.path },
    stdout: "null",
    stderr: "null",
  }).output();
  return success ? "" : " [skipped: no npm registry can be reached]";
}
