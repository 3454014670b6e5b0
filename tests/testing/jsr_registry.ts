/** A registry with one package that serves it as JSR does, on loopback. */

import { createHash } from "node:crypto";

/** What it serves. */
export interface JsrPackage {
  /** Such as `@scope/name`. */
  readonly name: string;
  readonly version: string;
  /** Export key → path, such as `"."` → `"./mod.ts"`. */
  readonly exports: Readonly<Record<string, string>>;
  /** Path with a slash in front → text. */
  readonly files: Readonly<Record<string, string>>;
  /** The checksums are those of other files. @default false */
  readonly isTampered?: boolean;
}

/** A running registry. */
export interface JsrRegistry extends AsyncDisposable {
  /** Value for the variable JSR_URL. */
  readonly url: string;
  /** Paths that were asked for. */
  readonly requests: readonly string[];
}

export function jsrRegistry({ name, version, exports, files, isTampered = false }: JsrPackage): JsrRegistry {
  const manifest = Object.fromEntries(
    Object.entries(files).map(([path, text]) => {
      const bytes = new TextEncoder().encode(isTampered ? `${text} ` : text);
      const digest = createHash("sha256").update(bytes).digest("hex");
      return [path, { size: bytes.length, checksum: `sha256-${digest}` }];
    }),
  );
  const [scope, short] = name.slice(1).split("/");
  const answers: Readonly<Record<string, unknown>> = {
    [`/${name}/meta.json`]: { scope, name: short, latest: version, versions: { [version]: {} } },
    [`/${name}/${version}_meta.json`]: { manifest, exports },
  };
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    const { pathname } = new URL(url);
    requests.push(pathname);
    if (Object.hasOwn(answers, pathname)) return Response.json(answers[pathname]);
    const path = pathname.replace(`/${name}/${version}`, "");
    return Object.hasOwn(files, path)
      ? new Response(files[path], { headers: { "content-type": "application/typescript" } })
      : new Response(null, { status: 404 });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
