import assert from "node:assert/strict";
import { BundleError } from "../../src/errors.ts";
import type { Bundle } from "../../src/bundle/types.ts";
import { unbundledPlugin } from "../../src/bundle/unbundled_plugin.ts";
import { TestProject } from "./project.ts";

const SECRET = "the host's secret";

/** Each tries to carry a file of the host into the sandbox. */
const ATTACKS: Readonly<Record<string, (project: TestProject) => string>> = {
  "by an absolute path": (project) =>
    `import x from "${project.path("../secret.txt")}" with { type: "text" };`,
  "by a file URL": (project) =>
    `import x from "file://${project.path("../secret.txt")}" with { type: "text" };`,
  "by a relative path": () => `import x from "../secret.txt" with { type: "text" };`,
  "by a symbolic link": () => `import x from "./link.txt" with { type: "text" };`,
  "as bytes": () => `import x from "../secret.txt" with { type: "bytes" };`,
  "as JSON": () => `import x from "../secret.json" with { type: "json" };`,
  "as code": () => `import { x } from "../secret.ts";`,
  "as an asset": () => `const x = new URL("../secret.txt", import.meta.url);`,
  "as a linked asset": () => `const x = new URL("./link.txt", import.meta.url);`,
  "as a worker": () => `const x = new Worker(new URL("../secret.ts", import.meta.url), { type: "module" });`,
  "by the import map": () => `import x from "secret" with { type: "text" };`,
  "by a workspace member": () => `import x from "member" with { type: "text" };`,
  "from a hidden file": () => `import x from "./.env" with { type: "text" };`,
  "from a hidden directory": () => `import x from "./.git/config" with { type: "text" };`,
};

const MODES: Readonly<Record<string, (project: TestProject) => Promise<Bundle>>> = {
  bundled: (project) => project.bundle("main.ts"),
  unbundled: (project) => unbundledPlugin(project.request("main.ts")),
};

const attempts = Object.entries(ATTACKS).flatMap(([how, attack]) =>
  Object.entries(MODES).map(([mode, prepare]) => ({ how, attack, mode, prepare }))
);

for (const { how, attack, mode, prepare } of attempts) {
  Deno.test(`a plugin cannot carry a file of the host into its sandbox ${how}, ${mode}`, async () => {
    await using project = await TestProject.create({
      "../secret.txt": SECRET,
      "../secret.json": JSON.stringify(SECRET),
      "../secret.ts": `export const x = ${JSON.stringify(SECRET)};`,
      "../member/deno.json": { name: "member", exports: "../secret.txt" },
      ".env": SECRET,
      ".git/config": SECRET,
      "deno.json": {
        imports: { secret: "../secret.txt" },
        ...(how === "by a workspace member" ? { workspace: ["../member"] } : {}),
      },
    });
    await Deno.symlink(project.path("../secret.txt"), project.path("link.txt"));
    await project.write("main.ts", `${attack(project)}\nconsole.log(x);`);
    const error = await prepare(project).then(() => undefined, (reason) => reason);
    assert.ok(error instanceof BundleError, `a BundleError expected, got ${error}`);
    const expected = how === "by a workspace member"
      ? mode === "unbundled"
        ? /as Workspace member must be nested in a directory under the workspace/
        : /as no import map, workspace member or installed package has that name/
      : how.includes("hidden")
      ? /as data of hidden files stays on the host/
      : /as it lies outside the plugin's root/;
    assert.match(error.message, expected);
    assert.equal(JSON.stringify(error.message).includes(SECRET), false);
  });
}

Deno.test("a plugin can import the same kinds of files from its own root (positive control)", async () => {
  await using project = await TestProject.create({
    "deno.json": { imports: { mapped: "./shared/a.txt" } },
    "shared/a.txt": "shared",
    "shared/b.ts": `export const x = "code";`,
    "plugin/main.ts": `
      import a from "../shared/a.txt" with { type: "text" };
      import b from "mapped" with { type: "text" };
      import { x } from "../shared/b.ts";
      console.log(a, b, x, Deno.readTextFileSync(new URL("../shared/a.txt", import.meta.url)));`,
  });
  assert.equal(await project.run(await project.bundle("plugin/main.ts")), "shared shared code shared");
});

Deno.test("a plugin's import map file must lie in its root", async () => {
  await using project = await TestProject.create({
    "../map.json": { imports: {} },
    "deno.json": { importMap: "../map.json" },
    "main.ts": "export {};",
  });
  await assert.rejects(project.bundle("main.ts"), (error: Error) => {
    assert.ok(error instanceof BundleError);
    assert.match(error.message, /^Cannot use the import map "..\/map.json" .* as it must be a file inside/);
    return true;
  });
});

Deno.test("a plugin's lock file must lie in its root, and no more of it than a lock file's words reaches the plugin", async () => {
  await using project = await TestProject.create({
    "../secret.json": { version: "5", token: SECRET },
    "deno.json": { lock: "../secret.json" },
    "main.ts": "export {};",
  });
  for (const prepare of Object.values(MODES)) {
    await assert.rejects(prepare(project), (error: Error) => {
      assert.ok(error instanceof BundleError);
      assert.match(error.message, /^Cannot use the lock file ".*\/secret\.json" of .* as it must be inside/);
      return true;
    });
  }
  await project.write("deno.json", { lock: "own.json", imports: { ms: "npm:ms@2.1.3" } });
  await project.write("main.ts", `import "ms";`);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--quiet", "main.ts"],
    cwd: project.directory,
  }).output();
  assert.ok(success);
  const lock = JSON.parse(await Deno.readTextFile(project.path("own.json")));
  await project.write("own.json", { ...lock, token: SECRET });
  const { dependencies } = await unbundledPlugin(project.request("main.ts"));
  const text = await Deno.readTextFile(`${dependencies?.directory}/deno.lock`);
  assert.ok(text.includes("ms@2.1.3"));
  assert.equal(text.includes(SECRET), false);
});

Deno.test("a plugin cannot make the bundler read a device or a file outside by a source map comment", async () => {
  const map = JSON.stringify({ version: 3, sources: ["traced.ts"], names: [], mappings: "AAAA" });
  await using project = await TestProject.create({
    "../outside.map": map,
    "inside.map": map,
    "endless.js": `export const a = 1;\n//# sourceMappingURL=/dev/zero\n`,
    "outside.js": `export const b = 2;\n//# sourceMappingURL=../outside.map\n`,
    "inside.js": `export const c = 3;\n//# sourceMappingURL=inside.map\n`,
    "main.ts":
      `import { a } from "./endless.js"; import { b } from "./outside.js"; import { c } from "./inside.js"; console.log(a, b, c);`,
  });
  const bundle = await project.bundle("main.ts");
  assert.equal(await project.run(bundle), "1 2 3");
  const { sources } = JSON.parse(bundle.sourceMap);
  assert.ok(sources.includes(project.path("outside.js")), sources.join(" "));
  assert.ok(
    sources.includes(project.path("traced.ts")),
    `the map inside counts (positive control): ${sources.join(" ")}`,
  );
});

Deno.test("a plugin cannot have a directory of the host taken for an npm package", async () => {
  await using project = await TestProject.create({
    "../victim/package.json": { name: "ms", version: "2.1.3", exports: { "./*": "./*" } },
    "../victim/secret.txt": SECRET,
    "main.ts": `import x from "npm:ms@2.1.3/secret.txt" with { type: "text" }; console.log(x);`,
  });
  const graph = {
    modules: [
      {
        specifier: `file://${project.path("main.ts")}`,
        dependencies: [{
          specifier: "npm:ms@2.1.3/secret.txt",
          code: { specifier: "npm:/ms@2.1.3/secret.txt" },
        }],
      },
      { kind: "npm", specifier: "npm:/ms@2.1.3/secret.txt", npmPackage: "ms@2.1.3" },
    ],
    npmPackages: {
      "ms@2.1.3": { name: "ms", version: "2.1.3", dependencies: [], localPath: project.path("../victim") },
    },
  };
  const deno = project.path("resolver");
  await Deno.writeTextFile(deno, `#!/bin/sh\ncat <<'END'\n${JSON.stringify(graph)}\nEND\n`, { mode: 0o755 });
  await assert.rejects(project.bundle("main.ts", { deno }), {
    name: "BundleError",
    message: /^Cannot use the package "ms@2\.1\.3" as it lies outside of Deno's cache/,
  });
});

Deno.test("a plugin cannot make the host hold a huge file in memory", async () => {
  await using project = await TestProject.create({
    "main.ts": `import x from "./huge.bin" with { type: "bytes" }; console.log(x);`,
    "huge.bin": "",
  });
  await Deno.truncate(project.path("huge.bin"), 2 ** 40);
  await assert.rejects(project.bundle("main.ts"), {
    name: "BundleError",
    message: /as files of more than 67108864 bytes stay out: 1099511627776/,
  });
});
