import assert from "node:assert/strict";
import { bundlePlugin } from "../../src/bundle/bundle_plugin.ts";
import { unbundledPlugin } from "../../src/bundle/unbundled_plugin.ts";
import { TestProject } from "./project.ts";

/** Serves modules on loopback; the number of the port makes every server a new origin. */
class ModuleServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly requests: string[] = [];

  constructor(files: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const { pathname } = new URL(request.url);
      this.requests.push(pathname);
      const body = files[pathname];
      const type = pathname.endsWith(".ts")
        ? "text/typescript"
        : pathname.endsWith(".json")
        ? "application/json"
        : "application/wasm";
      return body === undefined
        ? new Response("not found", { status: 404 })
        : new Response(body, { headers: { "content-type": type } });
    });
  }

  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

const MODULES = {
  "/mod.ts": `
    import { twice } from "./twice.ts";
    import ms from "npm:ms@2.1.3";
    import settings from "./settings.json" with { type: "json" };
    import { basename } from "node:path";
    export const result: unknown[] = [twice(4), ms("1s"), settings.x, basename("/a/b"), import.meta.main];`,
  "/twice.ts": `export const twice = (n: number): number => n * 2;`,
  "/settings.json": `{ "x": "y" }`,
};

Deno.test("bundlePlugin() bundles https: modules with what they import", async () => {
  await using server = new ModuleServer(MODULES);
  await using project = await TestProject.create({
    "main.ts": `import { result } from "http://${server.host}/mod.ts"; console.log(result.join(" "));`,
  });
  const bundle = await project.bundle("main.ts", { allowImport: [server.host], isMain: true });
  assert.equal(await project.run(bundle), "8 1000 y b false");
  assert.deepEqual(bundle.packages, ["ms@2.1.3"]);
  assert.ok(JSON.parse(bundle.sourceMap).sources.includes(`http://${server.host}/twice.ts`));
});

Deno.test("bundlePlugin() bundles a plugin that is itself remote", async () => {
  await using server = new ModuleServer({
    ...MODULES,
    "/run.ts": `import { result } from "./mod.ts"; console.log(result[0]);`,
  });
  await using project = await TestProject.create({});
  const bundle = await bundlePlugin({
    ...project.request("x.ts"),
    entry: `http://${server.host}/run.ts`,
    allowImport: [server.host],
  });
  assert.equal(await project.run(bundle), "8");
  assert.deepEqual(bundle.inputs, []);
});

Deno.test("a plugin cannot make the host fetch from a host that was not allowed", async () => {
  await using server = new ModuleServer(MODULES);
  await using project = await TestProject.create({ "main.ts": `import "http://${server.host}/mod.ts";` });
  await assert.rejects(project.bundle("main.ts"), {
    name: "BundleError",
    message: /^Cannot resolve "http:.*import/,
  });
  assert.deepEqual(server.requests, []);
});

Deno.test("remote code cannot import files of the host", async () => {
  await using project = await TestProject.create({ "secret.ts": "export const x = 1;" });
  await using server = new ModuleServer({
    "/mod.ts": `import { x } from "file://${project.path("secret.ts")}"; console.log(x);`,
  });
  await project.write("main.ts", `import "http://${server.host}/mod.ts";`);
  await assert.rejects(project.bundle("main.ts", { allowImport: [server.host] }), { name: "BundleError" });
});

Deno.test("bundlePlugin() names a remote module that does not exist, and who imports it", async () => {
  await using server = new ModuleServer({});
  await using project = await TestProject.create({ "main.ts": `import "http://${server.host}/none.ts";` });
  await assert.rejects(project.bundle("main.ts", { allowImport: [server.host] }), {
    name: "BundleError",
    message: new RegExp(
      `^Cannot resolve "http://${server.host}/none.ts" imported by "${
        project.path("main.ts")
      }" as Module not found`,
    ),
    location: { file: project.path("main.ts"), line: 1, column: 8 },
  });
});

Deno.test("unbundledPlugin() keeps remote modules beside the plugin, and names their hosts", async () => {
  await using server = new ModuleServer(MODULES);
  await using project = await TestProject.create({
    "deno.json": { imports: { "remote": `http://${server.host}/mod.ts` } },
    "main.ts": `import { result } from "remote"; console.log(result.join(" "));`,
  });
  const bundle = await unbundledPlugin(project.request("main.ts", { allowImport: [server.host] }));
  const { directory, hosts } = bundle.dependencies!;
  assert.deepEqual([[...bundle.files.keys()], hosts], [["main.ts"], [server.host]]);
  const asked = server.requests.length;
  // As in a sandbox, where the plugin's files lie elsewhere and nothing can be downloaded.
  const entry = project.path("elsewhere.ts");
  await Deno.writeFile(entry, bundle.files.get("main.ts")!);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      `--config=${directory}/deno.json`,
      `--lock=${directory}/deno.lock`,
      "--frozen",
      "--cached-only",
      "--node-modules-dir=none",
      `--allow-import=${hosts.join()}`,
      entry,
    ],
    env: { DENO_DIR: `${directory}/deno`, NO_COLOR: "1" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.equal(new TextDecoder().decode(stdout), "8 1000 y b false\n");
  assert.equal(server.requests.length, asked);
});
