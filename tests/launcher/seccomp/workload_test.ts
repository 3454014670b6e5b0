import assert from "node:assert/strict";
import { missingForWorkload, runWorkload } from "./sandboxed_workload.ts";
import { PROFILES } from "./snapshot.ts";

const EPERM = "Operation not permitted (os error 1)";
const NO_FAMILY = "Error: Address family not supported by protocol (os error 97)";
const REFUSED = "ConnectionRefused: Connection refused (os error 111)";

/** Steps that need a network. */
const NETWORK = {
  serveAndFetch: "ok hi",
  webSocket: "ok echo",
  nodeHttp: "ok node",
  nodeSocket: "ok 1",
  datagrams: "ok 3",
};

/** Steps that try what a plugin may not do; the filters decide what they print. */
const FORBIDDEN = [
  "childCommand",
  "childShell",
  "fetch",
  "connectTcp",
  "connectUnix",
  "listenTcp",
  "listenUnix",
]
  .concat(["setuidBit", "setuidCreate", "killSelf", "loadLibrary", ...Object.keys(NETWORK)]);

const missing = missingForWorkload();

function workloadTest(claim: string, body: () => Promise<void>): void {
  const name = missing === null ? claim : `${claim} [skipped: ${missing}]`;
  Deno.test({ name, ignore: missing !== null, fn: body });
}

function needed(results: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(results).filter(([step]) => !FORBIDDEN.includes(step)));
}

function forbidden(results: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(results).filter(([step]) => FORBIDDEN.includes(step)));
}

workloadTest("guestFilter() takes nothing away that a plugin's runtime needs", async () => {
  const free = await runWorkload("none", PROFILES.none!);
  assert.ok(Object.keys(needed(free)).length >= 30);
  for (const [step, outcome] of Object.entries(needed(free))) assert.match(outcome, /^ok /, step);
  for (const filters of ["first", "both"] as const) {
    assert.deepEqual(needed(await runWorkload(filters, PROFILES.none!)), needed(free));
  }
});

workloadTest("guestFilter() refuses processes, sockets, signals, setuid bits and native code", async () => {
  const free = forbidden(await runWorkload("none", PROFILES.none!));
  assert.deepEqual(
    { ...free, fetch: "" },
    {
      childCommand: "ok 0",
      childShell: "Error: spawn /bin/sh ENOENT",
      fetch: "",
      connectTcp: REFUSED,
      connectUnix: "NotFound: No such file or directory (os error 2)",
      listenTcp: "ok undefined",
      listenUnix: "ok undefined",
      setuidBit: "Error: Read-only file system (os error 30): chmod '/app/plugin/input.txt'",
      setuidCreate: "ok undefined",
      killSelf: "ok undefined",
      loadLibrary: "ok 1",
      ...NETWORK,
    },
  );
  assert.deepEqual(forbidden(await runWorkload("both", PROFILES.none!)), {
    childCommand: `PermissionDenied: Failed to spawn '/app/deno': ${EPERM}`,
    childShell: "Error: spawn /bin/sh EACCES",
    fetch: "TypeError: fetch failed",
    connectTcp: `PermissionDenied: ${EPERM}`,
    connectUnix: `PermissionDenied: ${EPERM}`,
    listenTcp: `PermissionDenied: ${EPERM}`,
    listenUnix: `PermissionDenied: ${EPERM}`,
    setuidBit: `PermissionDenied: ${EPERM}: chmod '/app/plugin/input.txt'`,
    setuidCreate: `PermissionDenied: ${EPERM}: writefile '/tmp/suid'`,
    killSelf: "PermissionDenied: EPERM: Operation not permitted",
    loadLibrary: "Error: Could not open library: Could not open library: /app/plugin/fresh.so: " +
      "failed to map segment from shared object",
    serveAndFetch: `PermissionDenied: ${EPERM}`,
    webSocket: `PermissionDenied: ${EPERM}`,
    nodeHttp: "Error: listen EACCES: permission denied 127.0.0.1",
    nodeSocket: "Error: listen EACCES: permission denied 127.0.0.1",
    datagrams: "Error: bind EPERM 127.0.0.1",
  });
});

workloadTest("guestFilter() opens exactly the socket families that the profile names", async () => {
  const network = await runWorkload("both", PROFILES.network!);
  assert.equal(network.connectTcp, REFUSED);
  for (const [step, outcome] of Object.entries(NETWORK)) assert.equal(network[step], outcome, step);
  assert.equal(network.listenTcp, "ok undefined");
  assert.equal(network.connectUnix, NO_FAMILY);
  const unix = await runWorkload("both", PROFILES.unix!);
  assert.equal(unix.connectUnix, "NotFound: No such file or directory (os error 2)");
  assert.equal(unix.connectTcp, NO_FAMILY);
  assert.equal(unix.listenUnix, `PermissionDenied: ${EPERM}`);
});
