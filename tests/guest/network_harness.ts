/** Servers, a proxy and what the cases must come to, for tests of the guest's network. */

import assert from "node:assert/strict";
import { startEgressProxy } from "../../src/network/egress_proxy.ts";
import type { EgressDecision, EgressProxyOptions } from "../../src/network/types.ts";

const FIXTURES = pathOf("../fixtures/network/");
const PUBLIC = "93.184.215.14";
export const ALLOW = [
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

/** What a run of the cases is given. */
export interface CaseArguments {
  /** PEM of the authority that signed the servers' certificate. */
  readonly authority: string;
  /** A port of the host's loopback on which something listens. */
  readonly hostPort: string;
}

/**
 * Start servers and a proxy, have the cases run, and compare what came of them.
 *
 * @param t Gets one step for each case.
 * @param proxy Where the proxy listens, and for whom.
 * @param runCases Runs network_cases.ts somewhere; returns what it printed.
 */
export async function checkCases(
  t: Deno.TestContext,
  proxy: Pick<EgressProxyOptions, "socketPath" | "owner">,
  runCases: (given: CaseArguments) => Promise<string>,
): Promise<void> {
  const { outcomes, decisions } = await run(proxy, runCases);
  for (const [name, expected] of Object.entries(EXPECTED)) {
    await t.step(`${name} ${expected.error === undefined ? "works" : `fails with ${expected.error}`}`, () => {
      const { name: _, ...outcome } = outcomes.get(name) ?? { name, error: "did not run" };
      if (expected.message?.startsWith("invalid peer") === true) {
        assert.deepEqual(
          { ...outcome, message: outcome.message?.slice(0, expected.message.length) },
          expected,
        );
      } else assert.deepEqual(outcome, expected);
    });
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
}

/** Servers and proxy out here, the cases inside a network namespace of their own. */
async function run(
  proxy: Pick<EgressProxyOptions, "socketPath" | "owner">,
  runCases: (given: CaseArguments) => Promise<string>,
): Promise<{ outcomes: Map<string, Outcome & { name: string }>; decisions: EgressDecision[] }> {
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
  await using _proxy = await startEgressProxy({
    ...proxy,
    allow: ALLOW,
    audit: (decision) => decisions.push(decision),
    resolve: (host) => Promise.resolve(names[host] ?? [PUBLIC]),
    connect: (_address, port) =>
      Deno.connect({ hostname: "127.0.0.1", port: port === 443 ? secure.port : plain.port }),
  });
  const stdout = await runCases({
    authority: Deno.readTextFileSync(`${FIXTURES}authority.pem`),
    hostPort: String(plain.port),
  });
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line) as Outcome & { name: string });
  return { outcomes: new Map(lines.map((line) => [line.name, line])), decisions };
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
