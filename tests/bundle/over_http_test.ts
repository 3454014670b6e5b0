import assert from "node:assert/strict";
import { TestProject } from "./project.ts";

Deno.test("bundlePlugin() works when no file of the package is on disk", async () => {
  const requests: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    requests.push(pathname);
    if (!/^\/src\/[\w/.]+\.ts$/.test(pathname)) return new Response("not found", { status: 404 });
    const text = await Deno.readTextFile(new URL(`../..${pathname}`, import.meta.url));
    return new Response(text, { headers: { "content-type": "text/typescript" } });
  });
  const host = `127.0.0.1:${server.addr.port}`;
  await using project = await TestProject.create({
    // A published package has this written into its code.
    "deno.json": { imports: { esbuild: "npm:esbuild@0.28.2" } },
    "plugin.ts":
      `import { inSandbox } from "@cordon/cordon/plugin"; console.log("in a sandbox:", inSandbox());`,
    "consumer.ts": `
      import { bundlePlugin } from "http://${host}/src/bundle/bundle_plugin.ts";
      const [entry, cacheDirectory] = Deno.args;
      const { files } = await bundlePlugin({ entry, cacheDirectory, deno: Deno.execPath() });
      await Deno.stdout.write(files.get("main.js"));`,
  });
  const { entry, cacheDirectory } = project.request("plugin.ts");
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-lock",
      project.path("consumer.ts"),
      entry,
      cacheDirectory,
    ],
    cwd: project.directory,
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  await project.write("main.js", stdout);
  const again = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", project.path("main.js")],
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(new TextDecoder().decode(again.stdout), "in a sandbox: false\n");
  assert.ok(requests.includes("/src/bundle/embedded/plugin_module.ts"));
  assert.ok(!requests.includes("/src/guest/mod.ts"), "the plugin's module is embedded, not fetched");
});
