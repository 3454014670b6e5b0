/** Debuggers, attached to plugins in real sandboxes. */

import assert from "node:assert/strict";
import {
  ConfigError,
  createHost,
  type Host,
  type LoadOptions,
  type Plugin,
  SandboxUnavailableError,
} from "../../mod.ts";
import { guestFilter } from "../../src/launcher/seccomp/mod.ts";
import { originalPosition } from "../../src/util/source_map.ts";
import { cordonCommand, sandboxSkip } from "../cli/cordon.ts";
import { type Folder, folderWith } from "../testing/fixtures.ts";
import { Debugger, generatedPlace, inlineMap } from "./debugger.ts";

const skip = await sandboxSkip();

const PLUGIN = `interface Gone { readonly a: string }

export function add(a: number, b: number): number {
  const sum = a + b;
  return sum;
}

export async function reached(): Promise<string[]> {
  const ways = [
    () => Deno.connect({ hostname: "127.0.0.1", port: 9229 }),
    () => Deno.connect({ transport: "unix", path: "/run/cordon/inspect.sock" }),
    () => new Promise((resolve, reject) => {
      const socket = new WebSocket("ws://127.0.0.1:9229/");
      socket.onopen = resolve;
      socket.onerror = (event) => reject((event as ErrorEvent).error ?? new Error("not connected"));
    }),
  ];
  return await Promise.all(ways.map((way) => Promise.resolve().then(way).then(() => "reached", (error) => error.name)));
}

export function burn(ms: number): number {
  let rounds = 0;
  for (const end = performance.now() + ms; performance.now() < end;) rounds++;
  return rounds;
}
`;

interface Api {
  add(a: number, b: number): number;
  reached(): Promise<string[]>;
  burn(ms: number): number;
}

/** A plugin that can be debugged, and where. */
async function inspected(
  host: Host,
  folder: Folder,
  options: LoadOptions = {},
): Promise<{ readonly loading: Promise<Plugin<Api>>; readonly url: string }> {
  const said = Promise.withResolvers<string>();
  using _listener = host.on("inspector", ({ url }) => said.resolve(url));
  const loading = host.load<Api>(`${folder.path}/main.ts`, {
    inspect: { port: 0 },
    output: "ignore",
    ...options,
  });
  // A load that fails says nothing.
  loading.catch(said.reject);
  return { loading, url: await said.promise };
}

function sandboxed(name: string, fn: (host: Host, folder: Folder) => Promise<void>): void {
  Deno.test({
    name: `${name}${skip}`,
    ignore: skip !== "",
    async fn() {
      await using folder = await folderWith({ "main.ts": PLUGIN });
      await using host = await createHost();
      await fn(host, folder);
    },
  });
}

sandboxed(
  "LoadOptions.inspect stops at a breakpoint in a line of the plugin's source",
  async (host, folder) => {
    const { loading, url } = await inspected(host, folder);
    await using plugin = await loading;
    using tool = await Debugger.connect(url);
    await tool.send("Debugger.enable");
    const script = await tool.event(
      "Debugger.scriptParsed",
      ({ url }) => url === "file:///app/plugin/main.js",
    );
    const map = inlineMap(script.sourceMapURL);
    const source = `${folder.path}/main.ts`;
    assert.deepEqual(map.sources, [source]);
    const { scriptSource } = await tool.send("Debugger.getScriptSource", { scriptId: script.scriptId });
    assert.equal(scriptSource.includes(folder.path), false, "the sandbox has paths of the host");
    const place = generatedPlace(map, scriptSource, source, 5);
    await tool.send("Debugger.setBreakpoint", { location: { scriptId: script.scriptId, ...place } });
    const call = plugin.api.add(40, 2);
    const { callFrames: [top] } = await tool.event("Debugger.paused");
    const { lineNumber, columnNumber } = top.location;
    assert.equal(top.functionName, "add");
    assert.equal(originalPosition(map, lineNumber + 1, columnNumber + 1)?.line, 5);
    const { result } = await tool.send("Debugger.evaluateOnCallFrame", {
      callFrameId: top.callFrameId,
      expression: "sum",
    });
    assert.equal(result.value, 42);
    await tool.send("Debugger.resume");
    assert.equal(await call, 42);
  },
);

sandboxed(
  "LoadOptions.inspect lets a debugger profile a plugin and see what is on its heap",
  async (host, folder) => {
    const { loading, url } = await inspected(host, folder);
    await using plugin = await loading;
    using tool = await Debugger.connect(url);
    await tool.send("Debugger.enable");
    const script = await tool.event(
      "Debugger.scriptParsed",
      ({ url }) => url === "file:///app/plugin/main.js",
    );
    await tool.send("Profiler.enable");
    await tool.send("Profiler.start");
    await plugin.api.burn(500);
    const { profile } = await tool.send("Profiler.stop");
    const frames: { functionName: string; scriptId: string; lineNumber: number; columnNumber: number }[] =
      profile.nodes.map(({ callFrame }: { callFrame: unknown }) => callFrame);
    const burn = frames.find(({ functionName }) => functionName === "burn");
    assert.equal(burn?.scriptId, script.scriptId);
    const place = originalPosition(
      inlineMap(script.sourceMapURL),
      burn!.lineNumber + 1,
      burn!.columnNumber + 1,
    );
    assert.equal(place?.line, PLUGIN.split("\n").findIndex((line) => line.includes("function burn")) + 1);
    await tool.send("HeapProfiler.takeHeapSnapshot");
    assert.match((await tool.event("HeapProfiler.addHeapSnapshotChunk")).chunk, /^\{"snapshot":/);
    assert.equal(await plugin.api.add(1, 2), 3);
  },
);

sandboxed("LoadOptions.inspect lets a plugin run on when its debugger goes away", async (host, folder) => {
  const { loading, url } = await inspected(host, folder);
  await using plugin = await loading;
  {
    using tool = await Debugger.connect(url);
    await tool.send("Debugger.enable");
    await tool.send("Debugger.pause");
    const call = plugin.api.add(1, 2);
    await tool.event("Debugger.paused");
    tool[Symbol.dispose]();
    assert.equal(await call, 3);
  }
  using next = await Debugger.connect(url);
  assert.equal((await next.send("Runtime.evaluate", { expression: "6 * 7" })).result.value, 42);
});

sandboxed(
  "LoadOptions.inspect.wait holds the plugin's code until a debugger is ready",
  async (host, folder) => {
    const { loading, url } = await inspected(host, folder, { inspect: { port: 0, wait: true } });
    using tool = await Debugger.connect(url);
    await tool.send("Debugger.enable");
    await tool.send("Debugger.setBreakpointByUrl", { url: "file:///app/plugin/main.js", lineNumber: 0 });
    await tool.send("Runtime.runIfWaitingForDebugger");
    await tool.event("Debugger.paused");
    await tool.send("Debugger.resume");
    await using plugin = await loading;
    assert.equal(await plugin.api.add(1, 1), 2);
  },
);

sandboxed(
  "LoadOptions.inspect leaves the plugin no way to its debugger, nor another socket",
  async (host, folder) => {
    const { loading } = await inspected(host, folder);
    await using plugin = await loading;
    assert.deepEqual(await plugin.api.reached(), ["NotCapable", "NotCapable", "NotCapable"]);
    const profile = { network: false, unix: false, gpu: false } as const;
    assert.deepEqual(guestFilter({ ...profile, inspector: true }, "x86_64"), guestFilter(profile, "x86_64"));
  },
);

sandboxed(
  "LoadOptions.inspect answers debuggers of this machine and no page of a browser",
  async (host, folder) => {
    const { loading, url } = await inspected(host, folder);
    await using _plugin = await loading;
    const origin = new URL(url.replace("ws:", "http:")).origin;
    const [target] = await (await fetch(`${origin}/json/list`)).json();
    assert.equal(target.webSocketDebuggerUrl, url);
    await assert.rejects(Debugger.connect(`${origin.replace("http:", "ws:")}/guess`));
    // A name that somebody else lets point to this machine.
    const { port } = new URL(origin);
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    await connection.write(
      new TextEncoder().encode("GET /json/list HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"),
    );
    const reply = await new Response(connection.readable).text();
    assert.match(reply, /^HTTP\/1\.1 403 /);
  },
);

sandboxed("LoadOptions.inspect leaves nothing when the plugin ends", async (host, folder) => {
  const { loading, url } = await inspected(host, folder);
  const plugin = await loading;
  using tool = await Debugger.connect(url);
  await tool.send("Runtime.enable");
  await plugin.stop();
  await tool.closed;
  await assert.rejects(Debugger.connect(url));
});

sandboxed("LoadOptions.inspect shows the sources of unbundled plugins", async (host, folder) => {
  const { loading, url } = await inspected(host, folder, { bundle: false });
  await using plugin = await loading;
  using tool = await Debugger.connect(url);
  await tool.send("Debugger.enable");
  const { sourceMapURL } = await tool.event(
    "Debugger.scriptParsed",
    ({ url }) => url === "file:///app/plugin/main.ts",
  );
  assert.deepEqual(inlineMap(sourceMapURL).sources, ["file:///app/plugin/main.ts"]);
  assert.equal(await plugin.api.add(1, 2), 3);
});

sandboxed(
  "LoadOptions.inspect is refused beside what would let the plugin reach it",
  async (host, folder) => {
    const entry = `${folder.path}/main.ts`;
    for (
      const [options, name] of [
        [{ permissions: { net: ["example.com"] } }, "permissions.net"],
        [{ permissions: { unix: ["/run/a.sock"] } }, "permissions.unix"],
        [{ onPermission: () => "deny" as const }, "onPermission"],
        [{ learn: true }, "learn"],
        [{ coverage: folder.path }, "coverage"],
      ] as const
    ) {
      const error = await host.load(entry, { inspect: true, ...options }).catch((reason: unknown) => reason);
      assert.ok(error instanceof ConfigError, String(error));
      assert.ok(error.message.includes(`"${name}" is set, too`), error.message);
    }
    await assert.rejects(
      host.load(entry, { inspect: true, sandbox: "permissions-only" }),
      (error) =>
        error instanceof SandboxUnavailableError && /the tier "permissions-only" has not/.test(error.message),
    );
  },
);

sandboxed("LoadOptions.inspect follows a plugin through restarts and reloads", async (host, folder) => {
  const urls: string[] = [];
  using _listener = host.on("inspector", ({ url }) => urls.push(url));
  await Deno.writeTextFile(
    `${folder.path}/mortal.ts`,
    "export const add = (a: number): number => a;\nexport const die = (): never => Deno.exit(3);\n",
  );
  await using plugin = await host.load<{ add(a: number): number; die(): void }>(`${folder.path}/mortal.ts`, {
    inspect: { port: 0 },
    output: "ignore",
    restart: { backoff: { initialMs: 1 } },
  });
  await assert.rejects(async () => await plugin.api.die());
  assert.equal(await plugin.api.add(1), 1);
  await plugin.reload();
  assert.equal(new Set(urls).size, 3);
  using tool = await Debugger.connect(urls.at(-1)!);
  assert.equal((await tool.send("Runtime.evaluate", { expression: "1 + 1" })).result.value, 2);
  await assert.rejects(Debugger.connect(urls[0]!));
});

sandboxed("LoadOptions.inspect says when its port is taken", async (host, folder) => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  await assert.rejects(
    host.load(`${folder.path}/main.ts`, { inspect: { port } }),
    (error) => error instanceof ConfigError && error.message.includes(`port ${port} as it is in use`),
  );
});

Deno.test({
  name: `cordon run --inspect-wait runs a script when a debugger is ready, and ends with it${skip}`,
  ignore: skip !== "",
  async fn() {
    const child = cordonCommand(["run", "--inspect-wait=0", "tests/fixtures/unbundled/where.ts"], {
      stdin: "null",
    }).spawn();
    const [forUrl, rest] = child.stderr.tee();
    const text = new Response(rest).text();
    let said = "";
    for await (const chunk of forUrl.pipeThrough(new TextDecoderStream())) {
      said += chunk;
      if (said.includes("\n")) break;
    }
    const [url] = /ws:\S+/.exec(said) ?? [];
    assert.ok(url !== undefined, said);
    using tool = await Debugger.connect(url);
    await tool.send("Runtime.enable");
    await tool.send("Runtime.runIfWaitingForDebugger");
    const { code } = await child.status;
    assert.equal(code, 0, await text);
    assert.equal(await new Response(child.stdout).text(), "file:///app/plugin/main.js \n");
    await text;
  },
});
