import { deepEqual, equal, rejects } from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { PermissionConfig } from "../../src/config/types.ts";
import { ConfigError, PermissionDeniedError } from "../../src/errors.ts";
import { type GrantContext, resolveGrants } from "../../src/policy/resolve_grants.ts";
import { NO_PERMISSIONS } from "./fakes.ts";

const SELF = { uid: Deno.uid()!, gid: Deno.gid()! };
const isRoot = Deno.uid() === 0;
const needsRoot = isRoot ? "" : " [skipped: needs a root host]";

class Scratch implements AsyncDisposable {
  readonly context: GrantContext;
  private constructor(readonly path: string) {
    this.context = {
      runtimeDirectory: join(path, "run"),
      cacheDirectory: join(path, "cache"),
      account: SELF,
    };
  }
  static async make(): Promise<Scratch> {
    const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "cordon-grants-" }));
    for (const name of ["run", "cache", "data"]) await Deno.mkdir(join(path, name));
    return new Scratch(path);
  }
  at(...names: string[]): string {
    return join(this.path, ...names);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

function read(...paths: string[]): PermissionConfig {
  return { ...NO_PERMISSIONS, read: paths.map((path) => ({ source: path, target: path })) };
}

function write(...paths: string[]): PermissionConfig {
  return { ...NO_PERMISSIONS, write: paths.map((path) => ({ source: path, target: path })) };
}

Deno.test("resolveGrants() replaces a link by what it leads to and keeps the target", async () => {
  await using scratch = await Scratch.make();
  await Deno.symlink(scratch.at("data"), scratch.at("link"));
  const { read: grants } = await resolveGrants(read(scratch.at("link")), scratch.context);
  deepEqual(grants, [{ source: scratch.at("data"), target: scratch.at("link") }]);
});

for (
  const path of [
    "/",
    "/etc",
    "/usr",
    "/var",
    "/run",
    "/home",
    "/root",
    "/boot",
    "/proc",
    "/proc/self",
    "/sys",
    "/dev",
  ]
) {
  const isMissing = !existsSync(path);
  Deno.test({
    name: `resolveGrants() refuses ${path}${isMissing ? " [skipped: there is none here]" : ""}`,
    ignore: isMissing,
    fn: async () => {
      await using scratch = await Scratch.make();
      const named = (error: Error) =>
        error instanceof PermissionDeniedError && error.message.includes(`"${path}`);
      await rejects(resolveGrants(read(path), scratch.context), named);
    },
  });
}

Deno.test("resolveGrants() accepts a directory below a forbidden one", async () => {
  await using scratch = await Scratch.make();
  const { read: grants } = await resolveGrants(read("/usr/share"), scratch.context);
  equal(grants[0]?.source, "/usr/share");
});

Deno.test("resolveGrants() refuses a link to a forbidden path and names both", async () => {
  await using scratch = await Scratch.make();
  await Deno.symlink("/etc", scratch.at("link"));
  await rejects(
    resolveGrants(read(scratch.at("link")), scratch.context),
    (error: Error) =>
      error instanceof PermissionDeniedError && error.message.includes(`link" (it leads to "/etc")`),
  );
});

Deno.test("resolveGrants() refuses the runtime directory, what contains it and what lies in it", async () => {
  await using scratch = await Scratch.make();
  await Deno.mkdir(scratch.at("run", "inner"));
  for (const path of [scratch.path, scratch.at("run"), scratch.at("run", "inner")]) {
    await rejects(resolveGrants(read(path), scratch.context), PermissionDeniedError);
  }
});

Deno.test("resolveGrants() lets the cache be read, never written", async () => {
  await using scratch = await Scratch.make();
  equal((await resolveGrants(read(scratch.at("cache")), scratch.context)).read.length, 1);
  await rejects(resolveGrants(write(scratch.at("cache")), scratch.context), PermissionDeniedError);
});

Deno.test("resolveGrants() knows the runtime directory and the cache by what their names lead to", async () => {
  await using scratch = await Scratch.make();
  for (const name of ["run", "cache"]) await Deno.symlink(scratch.at(name), scratch.at(`${name}-link`));
  const context = {
    ...scratch.context,
    runtimeDirectory: scratch.at("run-link"),
    cacheDirectory: scratch.at("cache-link"),
  };
  equal((await resolveGrants(write(scratch.at("data")), context)).write.length, 1);
  for (const name of ["run", "run-link", "cache", "cache-link"]) {
    await rejects(resolveGrants(write(scratch.at(name)), context), PermissionDeniedError, name);
  }
});

Deno.test("resolveGrants() refuses a path that does not exist and names it", async () => {
  await using scratch = await Scratch.make();
  await rejects(
    resolveGrants(write(scratch.at("absent")), scratch.context),
    (error: Error) =>
      error instanceof ConfigError && error.path === "permissions.write" && error.message.includes("absent"),
  );
});

Deno.test("resolveGrants() refuses the socket of a container engine wherever it lies", async () => {
  await using scratch = await Scratch.make();
  using _listener = Deno.listen({ transport: "unix", path: scratch.at("data", "docker.sock") });
  const permissions = { ...NO_PERMISSIONS, unix: [scratch.at("data", "docker.sock")] };
  await rejects(
    resolveGrants(permissions, scratch.context),
    (error: Error) => error instanceof PermissionDeniedError && error.message.includes("container engine"),
  );
});

Deno.test("resolveGrants() accepts a socket and refuses another kind of file as one", async () => {
  await using scratch = await Scratch.make();
  using _listener = Deno.listen({ transport: "unix", path: scratch.at("data", "app.sock") });
  const unix = [scratch.at("data", "app.sock")];
  deepEqual((await resolveGrants({ ...NO_PERMISSIONS, unix }, scratch.context)).unix, unix);
  await rejects(
    resolveGrants({ ...NO_PERMISSIONS, unix: [scratch.at("data")] }, scratch.context),
    ConfigError,
  );
});

Deno.test("resolveGrants() refuses a socket under a name that leads to it, and says the real one", async () => {
  await using scratch = await Scratch.make();
  const socket = scratch.at("data", "app.sock");
  using _listener = Deno.listen({ transport: "unix", path: socket });
  await Deno.symlink(socket, scratch.at("link"));
  await rejects(
    resolveGrants({ ...NO_PERMISSIONS, unix: [scratch.at("link")] }, scratch.context),
    (error: Error) => error instanceof ConfigError && error.hint === `Grant "${socket}" and connect to that`,
  );
  deepEqual((await resolveGrants({ ...NO_PERMISSIONS, unix: [socket] }, scratch.context)).unix, [socket]);
});

Deno.test({
  name:
    `resolveGrants() refuses a socket that the sandbox's account may not connect to, with the fix${needsRoot}`,
  ignore: !isRoot,
  fn: async () => {
    await using scratch = await Scratch.make();
    await Deno.chmod(scratch.path, 0o755);
    const socket = scratch.at("data", "app.sock");
    using _listener = Deno.listen({ transport: "unix", path: socket });
    await Deno.chmod(socket, 0o755);
    const context = { ...scratch.context, account: { uid: 65534, gid: 65534 } };
    const permissions = { ...NO_PERMISSIONS, unix: [socket] };
    await rejects(
      resolveGrants(permissions, context),
      (error: Error) => error instanceof ConfigError && error.message.includes(`has no "w" on "${socket}"`),
    );
    await Deno.chmod(socket, 0o777);
    deepEqual((await resolveGrants(permissions, context)).unix, [socket]);
  },
});

Deno.test({
  name: `resolveGrants() leaves it to the kernel what the host's own account may do${
    isRoot ? " [skipped: needs an ordinary account]" : ""
  }`,
  ignore: isRoot,
  fn: async () => {
    await using scratch = await Scratch.make();
    // Its mode says no; a further group or a list of accounts may say yes.
    await Deno.chmod(scratch.at("data"), 0o000);
    equal((await resolveGrants(read(scratch.at("data")), scratch.context)).read.length, 1);
    await Deno.chmod(scratch.at("data"), 0o700);
  },
});

Deno.test({
  name: `resolveGrants() refuses what the sandbox's account cannot reach, with the fix${needsRoot}`,
  ignore: !isRoot,
  fn: async () => {
    await using scratch = await Scratch.make();
    const context = { ...scratch.context, account: { uid: 65534, gid: 65534 } };
    await rejects(
      resolveGrants(read(scratch.at("data")), context),
      (error: Error) =>
        error instanceof ConfigError && error.hint?.startsWith(`chmod o+x "${scratch.path}"`) === true,
    );
    await Deno.chmod(scratch.path, 0o755);
    equal((await resolveGrants(read(scratch.at("data")), context)).read.length, 1);
  },
});

Deno.test({
  name: `resolveGrants() refuses to grant writing where the account cannot write, with the fix${needsRoot}`,
  ignore: !isRoot,
  fn: async () => {
    await using scratch = await Scratch.make();
    await Deno.chmod(scratch.path, 0o755);
    const context = { ...scratch.context, account: { uid: 65534, gid: 65534 } };
    await rejects(
      resolveGrants(write(scratch.at("data")), context),
      (error: Error) => error instanceof ConfigError && error.hint?.startsWith("chown 65534:65534") === true,
    );
    await Deno.chown(scratch.at("data"), 65534, 65534);
    equal((await resolveGrants(write(scratch.at("data")), context)).write.length, 1);
  },
});
