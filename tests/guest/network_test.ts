/** Checks that every network API of a plugin works through the proxy for listed hosts, and only for them. */

import assert from "node:assert/strict";
import { startEgressProxy } from "../../src/network/egress_proxy.ts";
import type { EgressDecision } from "../../src/network/types.ts";

const FIXTURES = pathOf("../fixtures/network/");
const CASES = pathOf("./network_cases.ts");
const PUBLIC = "93.184.215.14";
const ALLOW = [
  "api.test:80",
  "api.test:443",
  "*.wild.test:443",
  "private.test:80",
  "gone.test:80",
  `${PUBLIC}:443`,
];

interface Outcome {
  readonly value?: unknown;
  readonly error?: string;
  readonly message?: string;
  readonly grant?: string;
}

const problem = await namespaceProblem();
const NOT_LISTED = (target: string): Outcome => ({
  error: "PermissionDeniedError",
  message:
    `Cannot connect to "${target}" as a plugin reaches only the hosts of its grant: it is not in the plugin's list`,
  grant: `permissions: { net: ["${target}"] }`,
});
const NOT_PUBLIC: Outcome = {
  error: "PermissionDeniedError",
  message: 'Cannot connect to "private.test:80" as a plugin reaches only the hosts of its grant: ' +
    "it leads to an address that is not public and not listed",
  grant: 'permissions: { net: ["private.test:80"] }',
};
const GONE: Outcome = {
  error: "ConnectionRefused",
  message: 'Cannot connect to "gone.test:80": its name has no address',
};

const EXPECTED: Readonly<Record<string, Outcome>> = {
  "fetch http": { value: "http api.test/a" },
  "fetch https": { value: "https api.test/a" },
  "fetch https by wildcard": { value: "https a.wild.test/a" },
  "fetch https by address": { value: `https ${PUBLIC}/a` },
  "fetch of another host": NOT_LISTED("nope.test:443"),
  "fetch of a redirect to another host": NOT_LISTED("nope.test:80"),
  "fetch of a private host": NOT_PUBLIC,
  "fetch of a host that is gone": GONE,
  "WebSocket ws": { value: "echo x" },
  "WebSocket wss": { value: "echo x" },
  "WebSocket to another host": NOT_LISTED("nope.test:80"),
  "Deno.connect": { value: "http api.test/plain" },
  "Deno.connect to another port": NOT_LISTED("api.test:22"),
  "Deno.connect to a private host": NOT_PUBLIC,
  "Deno.connect to a host that is gone": GONE,
  "Deno.connectTls": { value: "https api.test/plain" },
  "Deno.connectTls to another host": NOT_LISTED("nope.test:443"),
  "Deno.connectTls with the wrong name": {
    error: "InvalidData",
    message: "invalid peer certificate: certificate not valid for name",
  },
  "Deno.connectTls with a client certificate": {
    error: "TypeError",
    message:
      "Cannot use a client certificate in Deno.connectTls() as its tunnel cannot carry one: use node:tls for it",
  },
  "Deno.startTls": { value: "https api.test/plain" },
  "node:net": { value: "http api.test/plain" },
  "node:net Socket.connect": { value: "http api.test/plain" },
  "node:net to another host": NOT_LISTED("nope.test:80"),
  "node:net to a private host": NOT_PUBLIC,
  "node:tls": { value: "https api.test/plain" },
  "node:tls by address": { value: "https api.test/plain" },
  "node:http": { value: "http api.test/a" },
  "node:https": { value: "https api.test/a" },
  "node:https to another host": NOT_LISTED("nope.test:443"),
  "node:http2": { value: "https api.test/a" },
  "own loopback": { value: "connected" },
  "the host's loopback": { error: "ConnectionRefused", message: "Connection refused (os error 111)" },
  "the proxy's socket without the wrappers": { value: "denied it is not in the plugin's list\n" },
  "the SOCKS port without the wrappers": { value: "5 0 5 2 0 1 0 0 0 0 0 0" },
};

Deno.test({
  name: `installNetwork() makes every API reach listed hosts and only those${
    problem === null ? "" : ` [skipped: ${problem}]`
  }`,
  ignore: problem !== null,
  fn: async (t) => {
    const { outcomes, decisions } = await run();
    for (const [name, expected] of Object.entries(EXPECTED)) {
      await t.step(
        `${name} ${expected.error === undefined ? "works" : `fails with ${expected.error}`}`,
        () => {
          const { name: _, ...outcome } = outcomes.get(name) ?? { name, error: "did not run" };
          if (expected.message?.startsWith("invalid peer") === true) {
            assert.deepEqual(
              { ...outcome, message: outcome.message?.slice(0, expected.message.length) },
              expected,
            );
          } else assert.deepEqual(outcome, expected);
        },
      );
    }
    await t.step("no case ran that is not expected", () => {
      assert.deepEqual([...outcomes.keys()].filter((name) => !(name in EXPECTED)), []);
    });
    await t.step("the host's audit has what the proxy denied, and never a private address allowed", () => {
      const denied = decisions.filter(({ outcome }) => outcome === "denied").map(({ target }) => target);
      assert.deepEqual(new Set(denied), new Set(["private.test:80", "nope.test:443"]));
      const allowed = decisions.filter(({ outcome }) => outcome === "allowed");
      assert.deepEqual(new Set(allowed.map(({ address }) => address)), new Set([PUBLIC]));
    });
  },
});

/** Servers and proxy out here, the cases inside a network namespace of their own. */
async function run(): Promise<
  { outcomes: Map<string, Outcome & { name: string }>; decisions: EgressDecision[] }
> {
  const directory = await Deno.makeTempDir();
  await using plain = serve("http");
  await using secure = serve("https", {
    cert: Deno.readTextFileSync(`${FIXTURES}server.pem`),
    key: Deno.readTextFileSync(`${FIXTURES}server.key`),
  });
  const decisions: EgressDecision[] = [];
  const names: Readonly<Record<string, readonly string[]>> = {
    "private.test": ["10.0.0.1"],
    "gone.test": [],
  };
  const socketPath = `${directory}/net.sock`;
  await using _proxy = await startEgressProxy({
    socketPath,
    allow: ALLOW,
    audit: (decision) => decisions.push(decision),
    resolve: (host) => Promise.resolve(names[host] ?? [PUBLIC]),
    connect: (_address, port) =>
      Deno.connect({ hostname: "127.0.0.1", port: port === 443 ? secure.port : plain.port }),
  });
  const { stdout, stderr, code } = await inside(socketPath, String(plain.port));
  await Deno.remove(directory, { recursive: true });
  assert.equal(code, 0, stderr);
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line) as Outcome & { name: string });
  return { outcomes: new Map(lines.map((line) => [line.name, line])), decisions };
}

async function inside(
  socketPath: string,
  port: string,
): Promise<{ stdout: string; stderr: string; code: number }> {
  const net = [...ALLOW, "127.0.0.1", `unix:${socketPath}`].join(",");
  const output = await new Deno.Command("bwrap", {
    args: [
      ...[
        "--unshare-user",
        "--unshare-net",
        "--die-with-parent",
        "--bind",
        "/",
        "/",
        "--",
        Deno.execPath(),
        "run",
      ],
      ...["--no-prompt", "--cached-only", `--allow-net=${net}`, `--allow-read=${socketPath},${FIXTURES}`],
      ...[`--allow-write=${socketPath}`, CASES, socketPath, `${FIXTURES}authority.pem`, port],
    ],
    clearEnv: true,
    env: { ALL_PROXY: "socks5h://127.0.0.1:1080", NO_COLOR: "1", HOME: Deno.env.get("HOME") ?? "/" },
  }).output();
  const text = new TextDecoder();
  return { stdout: text.decode(output.stdout), stderr: text.decode(output.stderr), code: output.code };
}

function serve(
  scheme: string,
  tls?: { readonly cert: string; readonly key: string },
): AsyncDisposable & { readonly port: number } {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {}, ...tls }, (request) => {
    const { host, pathname } = new URL(request.url);
    if (pathname === "/redirect") return Response.redirect("http://nope.test/");
    if (request.headers.get("upgrade") !== "websocket") return new Response(`${scheme} ${host}${pathname}`);
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(`echo ${data}`);
    return response;
  });
  return { port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}

function pathOf(relative: string): string {
  return decodeURIComponent(new URL(relative, import.meta.url).pathname);
}

/** Why this machine cannot give a process its own network namespace; null if it can. */
async function namespaceProblem(): Promise<string | null> {
  try {
    const args = ["--unshare-user", "--unshare-net", "--bind", "/", "/", "--", "/bin/true"];
    const { success, stderr } = await new Deno.Command("bwrap", { args, clearEnv: true }).output();
    return success ? null : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "no bubblewrap";
    throw error;
  }
}
