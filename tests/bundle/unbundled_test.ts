/** Plugins whose modules stay as they are, in real sandboxes. */

import assert from "node:assert/strict";
import { createHost, type Host, type LoadOptions, type Plugin } from "../../mod.ts";
import { LaunchError, SandboxUnavailableError } from "../../src/errors.ts";
import { sandboxSkip } from "../cli/cordon.ts";
import { packageRegistry } from "./package_registry.ts";
import { TestProject } from "./project.ts";

const skip = await sandboxSkip();
const fixture = (name: string): URL => new URL(`../fixtures/unbundled/${name}`, import.meta.url);

// deno-lint-ignore no-explicit-any -- what the plugins of these tests export is written in each test
type Api = Record<string, (...args: any[]) => any>;

/** A test that needs a sandbox with mounts. */
function sandboxed(name: string, fn: (test: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name: `${name}${skip}`, ignore: skip !== "", fn });
}

async function load(host: Host, entry: string | URL, options: LoadOptions = {}): Promise<Plugin<Api>> {
  return await host.load<Api>(entry, { bundle: false, startupTimeoutMs: 60_000, ...options });
}

/** Sandboxes of a root host must be able to reach the cache. */
async function reachable(project: TestProject): Promise<{ cacheDirectory: string }> {
  await Deno.mkdir(project.cacheDirectory, { mode: 0o711 });
  for (const path of [project.directory.replace(/\/[^/]*$/, ""), project.cacheDirectory]) {
    await Deno.chmod(path, 0o711);
  }
  return { cacheDirectory: project.cacheDirectory };
}

sandboxed("LoadOptions.bundle false runs packages that cannot be bundled", async (test) => {
  await using host = await createHost();
  await test.step("pdfkit reads files beside its own modules", async () => {
    {
      await using bundled = await host.load<Api>(fixture("pages.ts"));
      await assert.rejects(async () => await bundled.api.bytes?.("hello"), { message: /ENOENT.*\.afm/ });
    }
    await using plugin = await load(host, fixture("pages.ts"));
    assert.ok(await plugin.api.bytes?.("hello") as number > 500);
  });
  await test.step("eslint resolves and requires its parts by name", async () => {
    await assert.rejects(host.load<Api>(fixture("rules.ts")), { name: "LaunchError", hint: /bundle: false/ });
    await using plugin = await load(host, fixture("rules.ts"));
    assert.deepEqual(await plugin.api.broken?.("if (a == 1) b();;"), ["eqeqeq", "no-extra-semi"]);
  });
});

sandboxed("LoadOptions.bundle false cannot run native add-ons, and the error says why", async () => {
  await using host = await createHost();
  const warnings: string[] = [];
  host.on("warning", ({ text }) => warnings.push(text));
  const sys = ["cpus", "hostname", "homedir", "osRelease", "networkInterfaces"];
  const error = await load(host, fixture("native.ts"), { permissions: { sys } }).then(
    () => assert.fail("it was loaded"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LaunchError);
  assert.equal(error.stage, "import");
  assert.match(
    error.hint ?? "",
    /^The package "bcrypt@5\.1\.1" has a native add-on, which cannot run in a sandbox, bundled or not/,
  );
  assert.ok(warnings.includes(error.hint ?? ""), warnings.join("\n"));
});

sandboxed("LoadOptions.bundle false resolves imports, requires and workers at run time", async () => {
  await using project = await TestProject.create({
    "deno.json": { imports: { ms: "npm:ms@2.1.3", "@/": "./lib/" } },
    "package.json": { type: "module", dependencies: { inherits: "2.0.4" } },
    "main.ts": `
      import { createRequire } from "node:module";
      import inherits from "inherits";
      import { greet } from "@/greet.ts";
      import table from "./lib/table.json" with { type: "json" };
      import { progress } from "@cordon/cordon/plugin";
      export const greeting = (): string => { progress(1); return greet("you") + table.mark + typeof inherits; };
      export const imported = async (name: string): Promise<string> => typeof (await import(name)).default;
      export const required = (name: string): string => typeof createRequire(import.meta.url)(name);
      export const read = (): string => Deno.readTextFileSync(new URL("./lib/words.txt", import.meta.url));
      export const worker = (): Promise<string> => {
        const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
        const { promise, resolve, reject } = Promise.withResolvers<string>();
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => { event.preventDefault(); reject(new Error(event.message)); };
        return promise.finally(() => worker.terminate());
      };`,
    "lib/greet.ts": `export const greet = (name: string): string => "hello " + name;`,
    "lib/table.json": { mark: "!" },
    "lib/words.txt": "words",
    "lib/secret.txt": "not named by any module",
    "worker.ts":
      `import ms from "ms"; import { greet } from "./lib/greet.ts"; self.postMessage(greet(ms(60_000)));`,
  });
  await using host = await createHost(await reachable(project));
  // Every worker reserves 512 MiB of addresses for its code, which the memory limit counts.
  await using plugin = await load(host, project.path("main.ts"), { limits: { memory: "2GiB" } });
  const { api } = plugin;
  assert.equal(await api.greeting?.(), "hello you!function");
  assert.equal(await api.imported?.("npm:ms@2.1.3"), "function");
  assert.equal(await api.required?.("inherits"), "function");
  assert.equal(await api.read?.(), "words");
  assert.equal(await api.worker?.(), "hello 1m");
});

sandboxed("an unbundled plugin reaches nothing but its own files and dependencies", async () => {
  await using project = await TestProject.create({
    "a/deno.json": { imports: { ms: "npm:ms@2.1.3" } },
    "a/main.ts": `
      import "ms";
      export const imported = async (name: string): Promise<string> => typeof (await import(name)).default;
      export const names = (path: string): string[] => [...Deno.readDirSync(path)].map(({ name }) => name).sort();
      export const write = (path: string): void => Deno.writeTextFileSync(path, "x");
      export const open = (path: string): void => Deno.dlopen(path, {}).close();`,
    "a/secret.json": { key: 1 },
    "a/.npmrc": "//registry.example.com/:_authToken=secret\n",
    "b/deno.json": { imports: { inherits: "npm:inherits@2.0.4" } },
    "b/main.ts": `import inherits from "inherits"; export const kind = (): string => typeof inherits;`,
  });
  await using host = await createHost(await reachable(project));
  await using b = await load(host, project.path("b/main.ts"));
  assert.equal(await b.api.kind?.(), "function");
  await using a = await load(host, project.path("a/main.ts"));
  const { api } = a;
  assert.deepEqual(await api.names?.("/app/plugin"), ["main.ts"]);
  assert.deepEqual(await api.names?.("/app/deps"), [".npmrc", "deno", "deno.json", "deno.lock"]);
  assert.deepEqual(await api.names?.("/app/deps/deno"), ["npm"]);
  assert.deepEqual((await api.names?.("/app/deps/deno/npm") as string[]).length, 1);
  await assert.rejects(async () => await api.imported?.("npm:inherits@2.0.4"), {
    message: /npm package not found in cache: "inherits", --cached-only is specified/,
  });
  await assert.rejects(async () => await api.imported?.("https://example.com/a.ts"), {
    message: /^Requires import access to "example\.com:443"/,
  });
  await assert.rejects(async () => await api.write?.("/app/deps/deno.json"), {
    name: "NotCapable",
    message: /^Requires write access to "\/app\/deps\/deno\.json"/,
  });
  await assert.rejects(async () => await api.open?.("/app/libcordon.so"), {
    name: "NotCapable",
    message: /^Requires ffi access/,
  });
  const npmrc = await Array.fromAsync(Deno.readDir(`${project.cacheDirectory}/unbundled`));
  assert.equal(npmrc.length, 2);
  for (const { name } of npmrc) {
    const text = await Deno.readTextFile(`${project.cacheDirectory}/unbundled/${name}/.npmrc`);
    assert.match(text, /^\n?registry=/);
    assert.equal(text.includes("secret"), false);
  }
});

sandboxed(
  "an unbundled plugin's packages come with the registry's credentials, which stay on the host, and run no scripts",
  async () => {
    await using folder = await TestProject.create({ "started.txt": "" });
    const marker = folder.path("script_ran");
    await using registry = await packageRegistry("with-script", { postinstall: `touch ${marker}` });
    const { origin } = registry;
    await using project = await TestProject.create({
      ".npmrc": `registry=${origin}/\n${origin.replace("http:", "")}/:_authToken=secret\n`,
      "deno.json": { imports: { "with-script": "npm:with-script@1.0.0" } },
      "main.ts": `
      import value from "with-script";
      export const get = (): string => value;
      export const rc = (): string => Deno.readTextFileSync("/app/deps/.npmrc");`,
    });
    await using host = await createHost(await reachable(project));
    await using plugin = await load(host, project.path("main.ts"));
    assert.equal(await plugin.api.get?.(), "from the registry");
    assert.equal(String(await plugin.api.rc?.()).trim(), `registry=${origin}/`);
    await assert.rejects(Deno.stat(marker), Deno.errors.NotFound);
    // The script is there, and runs where scripts are allowed.
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["cache", "--quiet", "--node-modules-dir=auto", "--allow-scripts=npm:with-script", "main.ts"],
      cwd: project.directory,
    }).output();
    assert.ok(success);
    assert.ok((await Deno.stat(marker)).isFile);
  },
);

sandboxed("an error of an unbundled plugin names the original file and line", async () => {
  await using project = await TestProject.create({
    "deno.json": {},
    "main.ts":
      `interface Gone {}\n\nexport function run(): never {\n  throw new RangeError("on purpose");\n}\n`,
  });
  await using host = await createHost(await reachable(project));
  await using plugin = await load(host, project.path("main.ts"));
  const error: Error = await Promise.resolve(plugin.api.run?.()).then(
    () => assert.fail(),
    (reason) => reason,
  );
  assert.ok(error.stack?.includes(`${project.path("main.ts")}:4:9`), error.stack);
});

sandboxed(
  "LoadOptions.bundle false may come from the manifest, and the host's word counts more",
  async () => {
    await using project = await TestProject.create({
      "deno.json": {
        cordon: { name: "kept", version: "1.0.0", entry: "./main.ts", bundle: false },
      },
      "main.ts": `export const where = (): string => import.meta.url;`,
    });
    await using host = await createHost(await reachable(project));
    await using asked = await host.load<Api>(project.path("main.ts"));
    assert.equal(await asked.api.where?.(), "file:///app/plugin/main.ts");
    await using told = await host.load<Api>(project.path("main.ts"), { bundle: true });
    assert.equal(await told.api.where?.(), "file:///app/plugin/main.js");
  },
);

Deno.test("LoadOptions.bundle false is refused where there are no mounts", async () => {
  await using project = await TestProject.create({ "deno.json": {}, "main.ts": "export {};" });
  await using host = await createHost(await reachable(project));
  const error = await load(host, project.path("main.ts"), { sandbox: "permissions-only" }).then(
    () => assert.fail("it was loaded"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SandboxUnavailableError);
  assert.match(error.message, /unbundled as its dependencies are mounted, and the tier "permissions-only"/);
});
