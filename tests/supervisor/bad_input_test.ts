/** Everything that can be wrong with a load: each a distinct typed error, at once, and nothing is left behind. */

import assert from "node:assert/strict";
import { BundleError, ConfigError, LaunchError, SandboxUnavailableError } from "../../src/errors.ts";
import { folderWith, namesIn, testHost } from "../testing/fixtures.ts";
import type { TestHost } from "../testing/fixtures.ts";

const TRIVIAL = `export const one = (): number => 1;`;

/** Descriptors of this process: /proc/self/fd. */
async function descriptors(): Promise<number> {
  return (await namesIn("/proc/self/fd")).length;
}

/** The rejection, after which the host is as it was. */
async function rejection(test: TestHost, load: () => Promise<unknown>): Promise<Error> {
  const [filesBefore, descriptorsBefore] = [await sandboxes(test), await descriptors()];
  const error = await load().then(() => undefined, (reason: unknown) => reason);
  assert.ok(error instanceof Error, "the load succeeded");
  assert.deepEqual(test.host.plugins, []);
  assert.deepEqual(await sandboxes(test), filesBefore);
  // Ends of pipes are closed a moment after their process has ended.
  for (const deadline = Date.now() + 30_000; await descriptors() > descriptorsBefore;) {
    assert.ok(Date.now() < deadline, "a descriptor is left");
  }
  return error;
}

/** Names below the directory of the one host in a runtime directory. */
async function sandboxes({ runtimeDirectory }: TestHost): Promise<string[]> {
  const [host] = (await namesIn(runtimeDirectory)).filter((name) => name !== "lock");
  return host === undefined ? [] : await namesIn(`${runtimeDirectory}/${host}`);
}

/** A host that has loaded something once, so that what is opened once is open. */
async function warmedHost(options: Parameters<typeof testHost>[0] = {}): Promise<TestHost> {
  const test = await testHost(options);
  const plugin = await test.host.load(await test.plugin(TRIVIAL));
  await plugin.stop();
  return test;
}

Deno.test("Host.load() rejects with BundleError that names a file which is not there", async () => {
  await using test = await warmedHost();
  const error = await rejection(test, () => test.host.load("/nonexistent/plugin.ts"));
  assert.ok(error instanceof BundleError);
  assert.match(error.message, /"\/nonexistent\/plugin\.ts"/);
});

Deno.test("Host.load() rejects with BundleError at the file, line and column of a syntax error", async () => {
  await using test = await warmedHost();
  const path = await test.plugin(`const fine = 1;\nexport const broken = (;\n`, "broken.ts");
  const error = await rejection(test, () => test.host.load(path));
  assert.ok(error instanceof BundleError);
  assert.deepEqual(error.location, { file: path, line: 2, column: 24 });
});

Deno.test("a call of an export that is not there says so", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<{ one(): number }>(await test.plugin(TRIVIAL));
  const api = plugin.api as unknown as Record<string, unknown>;
  assert.equal(api.two, undefined);
  assert.throws(() => (api.two as () => void)(), TypeError);
});

Deno.test("Host.load() rejects with ConfigError that names an unknown option and the nearest valid one", async () => {
  await using test = await warmedHost();
  const path = await test.plugin(TRIVIAL);
  const error = await rejection(test, () => test.host.load(path, { permisions: {} } as never));
  assert.ok(error instanceof ConfigError);
  assert.equal(error.path, "permisions");
  assert.match(`${error.message} ${error.hint}`, /"permissions"/);
});

Deno.test("Host.pool(), run() and prewarm() know their own options when they name the nearest valid one", async () => {
  await using test = await warmedHost();
  const path = await test.plugin(TRIVIAL);
  const nearest = async (work: () => Promise<unknown>) => (await rejection(test, work) as ConfigError).hint;
  assert.equal(await nearest(() => test.host.pool(path, { sizes: 1 } as never)), 'Did you mean "size"?');
  assert.equal(await nearest(() => test.host.run(path, { arg: ["a"] } as never)), 'Did you mean "args"?');
  assert.equal(await nearest(() => test.host.prewarm(path, { counts: 2 } as never)), 'Did you mean "count"?');
  const nothing = await rejection(test, () => test.host.prewarm(path, null as never));
  assert.equal(nothing.message, 'Cannot use "options" as an object of options: it is null');
});

Deno.test("Host.loadDirectory() says of what is no directory what it is", async () => {
  await using test = await warmedHost();
  const path = await test.plugin(TRIVIAL);
  const message = async (directory: unknown) =>
    (await rejection(test, () => test.host.loadDirectory(directory as string))).message;
  assert.equal(await message(3), 'Cannot use "directory" as a path: it is 3');
  assert.equal(await message(path), `Cannot use "directory" as a directory of plugins: "${path}" is a file`);
  assert.match(
    await message(`${path}.none`),
    /^Cannot use "directory" as a directory of plugins: ".*" does not exist$/,
  );
});

Deno.test("Host.pool() and Host.run() refuse supervision that nothing would heed there", async () => {
  await using test = await warmedHost();
  const path = await test.plugin(TRIVIAL);
  const pool = await rejection(test, () => test.host.pool(path, { watch: true } as never));
  assert.equal(pool.message, 'Cannot use "watch" as an option of a pool: nothing would heed it');
  for (const option of ["restart", "watch"]) {
    const script = await rejection(test, () => test.host.run(path, { [option]: true }));
    assert.ok(script instanceof ConfigError);
    assert.equal(script.path, option);
  }
});

Deno.test("Host.load(), Host.pool() and Host.run() reject with ConfigError that names what is no option at all", async () => {
  await using test = await warmedHost();
  const path = await test.plugin(TRIVIAL);
  const loads = [test.host.load, test.host.pool, test.host.run].map((load) => load.bind(test.host));
  for (const load of loads) {
    for (const [options, name] of [[null, "options"], [[], "options"], [{ signal: {} }, "signal"]] as const) {
      const error = await rejection(test, () => load(path, options as never));
      assert.ok(error instanceof ConfigError, `${error}`);
      assert.equal(error.path, name);
    }
  }
  const error = await rejection(test, () => test.host.run(path, { args: [5] } as never));
  assert.equal(error.message, 'Cannot use "args[0]" as an argument: it is 5');
});

Deno.test("Host.load() rejects with SandboxUnavailableError and a fix when bwrap is missing", async () => {
  await using test = await testHost({ bwrap: "/nonexistent/bwrap" });
  const path = await test.plugin(TRIVIAL);
  const error = await rejection(test, () => test.host.load(path));
  assert.ok(error instanceof SandboxUnavailableError);
  const finding = error.findings.find(({ id }) => id === "bwrap");
  assert.equal(finding?.level, "fail");
  assert.ok((finding?.fix ?? []).length > 0, "no fix is given");
});

Deno.test("Host.load() rejects with SandboxUnavailableError that quotes a bwrap which fails", async () => {
  await using folder = await folderWith({
    bwrap:
      `#!/bin/sh\ncase "$*" in *--help*) exec /usr/bin/bwrap --help;; *--version*) exec /usr/bin/bwrap --version;; esac
echo "bwrap: No permissions to create new namespace" >&2; exit 1\n`,
  });
  await Deno.chmod(`${folder.path}/bwrap`, 0o755);
  await using test = await testHost({ bwrap: `${folder.path}/bwrap` });
  const path = await test.plugin(TRIVIAL);
  const error = await rejection(test, () => test.host.load(path));
  assert.ok(error instanceof SandboxUnavailableError);
  assert.ok(
    error.findings.some(({ level, evidence }) => level === "fail" && /No permissions/.test(evidence ?? "")),
  );
});

Deno.test("Host.load() rejects with LaunchError when the runtime never answers its handshake", async () => {
  await using test = await warmedHost();
  // A signal that the plugin's own code cannot send: the process is stopped before it connects.
  const path = await test.plugin(TRIVIAL);
  const loading = rejection(test, () => test.host.load(path, { startupTimeoutMs: 1 }));
  const error = await loading;
  assert.ok(error instanceof LaunchError);
  assert.equal(error.stage, "handshake");
  assert.match(error.message, /no handshake within 1 ms/);
});

Deno.test("Host.load() rejects with the reason of its signal", async () => {
  await using test = await warmedHost();
  const path = await test.plugin(`await new Promise(() => setInterval(() => {}, 1000));`);
  const abort = new AbortController();
  setTimeout(() => abort.abort(new RangeError("changed my mind")), 150);
  const error = await rejection(test, () => test.host.load(path, { signal: abort.signal }));
  assert.ok(error instanceof RangeError);
});
