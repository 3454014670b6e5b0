/** A registry with one package, on loopback, that asks for a token. */

import { createHash } from "node:crypto";

/** A running registry. */
export interface PackageRegistry extends AsyncDisposable {
  readonly origin: string;
}

/**
 * Serves a package whose only module exports a sentence.
 *
 * @param name Name of the package; its version is 1.0.0.
 * @param scripts Lifecycle scripts.
 * @returns The registry.
 */
export async function packageRegistry(
  name: string,
  scripts: Readonly<Record<string, string>>,
): Promise<PackageRegistry> {
  const manifest = { name, version: "1.0.0", main: "index.js", scripts };
  const archive = await packed(manifest);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { origin, pathname } = new URL(request.url);
    if (request.headers.get("authorization") !== "Bearer secret") return new Response(null, { status: 401 });
    if (pathname.endsWith(".tgz")) return new Response(archive);
    if (pathname !== `/${name}`) return new Response(null, { status: 404 });
    const integrity = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
    const dist = { tarball: `${origin}/${name}.tgz`, integrity };
    const version = { ...manifest, dist, hasInstallScript: true };
    return Response.json({ name, "dist-tags": { latest: "1.0.0" }, versions: { "1.0.0": version } });
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function packed(manifest: object): Promise<Uint8Array<ArrayBuffer>> {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${directory}/package`);
    await Deno.writeTextFile(`${directory}/package/package.json`, JSON.stringify(manifest));
    await Deno.writeTextFile(`${directory}/package/index.js`, `module.exports = "from the registry";\n`);
    const { code, stdout } = await new Deno.Command("tar", {
      args: ["-czf", "-", "-C", directory, "package"],
      stderr: "inherit",
    }).output();
    if (code !== 0) throw new Error("Cannot pack the package: tar failed");
    return stdout;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
