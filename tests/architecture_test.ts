/** Checks that modules import only what the architecture allows, without cycles, and that files stay small. */

import assert from "node:assert/strict";
import { fromFileUrl, relativeTo, walkTypeScript } from "./testing/files.ts";

const ROOT = fromFileUrl(new URL("../", import.meta.url));

/** Module → modules it may import besides `errors` and `util`; `type:` allows type-only imports. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  util: [],
  config: [],
  platform: ["type:native"],
  policy: ["config", "type:platform"],
  launcher: ["policy"],
  network: ["policy"],
  transport: [],
  rpc: ["transport"],
  proxy: ["rpc"],
  native: [],
  tensor: ["native", "rpc"],
  bundle: [],
  guest: ["transport", "rpc", "proxy", "native", "tensor"],
  observe: ["type:rpc"],
  supervisor: [
    "config",
    "platform",
    "policy",
    "launcher",
    "network",
    "transport",
    "rpc",
    "proxy",
    "native",
    "tensor",
    "bundle",
    "observe",
  ],
  cli: ["config", "platform", "supervisor", "observe"],
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isType: boolean;
}

Deno.test("every module of src/ is in the architecture's table and every module of the table exists", async () => {
  const found = new Set<string>();
  for await (const file of walkTypeScript(`${ROOT}src`)) found.add(moduleOf(relativeTo(ROOT, file)));
  const missing = Object.keys(ALLOWED).filter((name) => !found.has(name));
  assert.deepEqual({ unknown: [...found].filter((name) => !(name in ALLOWED)), missing }, {
    unknown: [],
    missing: [],
  });
});

Deno.test("every import in src/ goes the way that the architecture allows", async () => {
  const wrong = (await importsOfSource()).filter(isForbidden).map((i) => `${i.from} → ${i.to}`);
  assert.deepEqual(wrong, []);
});

Deno.test("isForbidden() refuses an import against the direction, so that the check can fail", () => {
  const upwards = { from: "src/rpc/session.ts", to: "src/supervisor/host.ts", isType: false };
  const downwards = { from: "src/proxy/remote.ts", to: "src/rpc/session.ts", isType: false };
  const typeOnly = { from: "src/platform/probe.ts", to: "src/native/native.ts", isType: true };
  assert.deepEqual([upwards, downwards, typeOnly].map(isForbidden), [true, false, false]);
});

Deno.test("modules have no import cycles between files", async () => {
  const edges = new Map<string, string[]>();
  for (const { from, to, isType } of await importsOfSource()) {
    if (!isType) edges.set(from, [...edges.get(from) ?? [], to]);
  }
  assert.deepEqual(cycleIn(edges), []);
});

Deno.test("no source file is longer than 400 lines, in TypeScript and in C", async () => {
  const long: string[] = [];
  for (const folder of ["src", "tests", "tools", "examples", "bench", "ffi"]) {
    for await (const file of walkTypeScript(`${ROOT}${folder}`, [".ts", ".c", ".h", ".py"])) {
      if (file.includes("/embedded/")) continue;
      const lines = (await Deno.readTextFile(file)).split("\n").length - 1;
      if (lines > 400) long.push(`${relativeTo(ROOT, file)}: ${lines}`);
    }
  }
  assert.deepEqual(long, []);
});

Deno.test("only one file says `new Proxy` and only output.ts prints", async () => {
  const proxies: string[] = [];
  const printers: string[] = [];
  for await (const file of walkTypeScript(`${ROOT}src`)) {
    if (file.includes("/embedded/")) continue;
    const code = withoutComments(await Deno.readTextFile(file));
    if (/\bnew Proxy\b/.test(code)) proxies.push(relativeTo(ROOT, file));
    if (/\bconsole\.\w+\(/.test(code)) printers.push(relativeTo(ROOT, file));
  }
  assert.equal(proxies.length, 1, `files with "new Proxy": ${proxies.join(", ")}`);
  assert.deepEqual(printers.filter((file) => file !== "src/cli/output.ts"), []);
});

function moduleOf(path: string): string {
  const parts = path.split("/");
  return parts.length === 2 ? parts[1]!.replace(/\.ts$/, "") : parts[1]!;
}

function isForbidden({ from, to, isType }: Import): boolean {
  const source = moduleOf(from), target = moduleOf(to);
  if (source === target || target === "errors" || target === "util") return false;
  const allowed = ALLOWED[source] ?? [];
  return !(allowed.includes(target) || (isType && allowed.includes(`type:${target}`)));
}

/** Every import between files of src/, as `deno info` resolves it. */
async function importsOfSource(): Promise<Import[]> {
  const imports: Import[] = [];
  const files: string[] = [];
  for await (const file of walkTypeScript(`${ROOT}src`)) files.push(file);
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      entry,
      files.map((file) => `import ${JSON.stringify(`file://${file}`)};`).join("\n"),
    );
    const { modules } = await moduleGraph(entry);
    for (const module of modules) {
      if (!module.specifier.startsWith(`file://${ROOT}src/`)) continue;
      for (const { code, type } of module.dependencies ?? []) {
        const target = code?.specifier ?? type?.specifier;
        if (target?.startsWith(`file://${ROOT}`) !== true) continue;
        imports.push({
          from: relativeTo(ROOT, module.specifier.slice(7)),
          to: relativeTo(ROOT, target.slice(7)),
          isType: code === undefined,
        });
      }
    }
  } finally {
    await Deno.remove(entry);
  }
  return imports;
}

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
}

async function moduleGraph(entry: string): Promise<Graph> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--config", `${ROOT}deno.json`, entry],
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(output.code, 0, new TextDecoder().decode(output.stderr));
  return JSON.parse(new TextDecoder().decode(output.stdout)) as Graph;
}

/** The first cycle found, as the list of its files; empty when there is none. */
function cycleIn(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const state = new Map<string, "open" | "done">();
  const visit = (node: string, path: readonly string[]): string[] => {
    if (state.get(node) === "done") return [];
    if (state.get(node) === "open") return [...path.slice(path.indexOf(node)), node];
    state.set(node, "open");
    for (const next of edges.get(node) ?? []) {
      const cycle = visit(next, [...path, node]);
      if (cycle.length > 0) return cycle;
    }
    state.set(node, "done");
    return [];
  };
  for (const node of edges.keys()) {
    const cycle = visit(node, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}
