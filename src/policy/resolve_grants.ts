/**
 * Granted paths as they really are, checked against what is never granted.
 *
 * @module
 */

import type { PathGrant, PermissionConfig } from "../config/types.ts";
import type { Account } from "./types.ts";
import { ConfigError, PermissionDeniedError } from "../errors.ts";
import { type Access, accessObstacle } from "./account_access.ts";
import { forbiddenPathRule } from "./forbidden_paths.ts";

/** What a grant is checked against. */
export interface GrantContext {
  /** Absolute directory that holds the sockets of all sandboxes. It need not exist yet. */
  readonly runtimeDirectory: string;
  /** Absolute directory of bundles and dependencies, which no plugin may write to. It need not exist yet. */
  readonly cacheDirectory: string;
  /** Account that the sandbox runs under. */
  readonly account: Account;
}

/** The real paths of Cordon's own directories. */
interface OwnDirectories {
  readonly runtime: string;
  readonly cache: string;
}

/**
 * Resolve symbolic links in every granted path, then refuse what must never be granted, what does not exist and what
 * the sandbox's account could not use anyway.
 *
 * @param permissions Parsed permissions; targets stay as they were written.
 * @param context What they are checked against.
 * @returns The same permissions with real sources, frozen.
 * @throws {PermissionDeniedError} If a path is forbidden whoever asks for it.
 * @throws {ConfigError} If a path does not exist, is of the wrong kind, or is out of the account's reach.
 */
export async function resolveGrants(
  permissions: PermissionConfig,
  context: GrantContext,
): Promise<PermissionConfig> {
  const own: OwnDirectories = {
    runtime: await realPathOrSelf(context.runtimeDirectory),
    cache: await realPathOrSelf(context.cacheDirectory),
  };
  const resolve = (grants: readonly PathGrant[], access: "read" | "write") =>
    Promise.all(grants.map((grant) => resolveGrant(grant, access, own, context.account)));
  return Object.freeze({
    ...permissions,
    read: Object.freeze(await resolve(permissions.read, "read")),
    write: Object.freeze(await resolve(permissions.write, "write")),
    unix: Object.freeze(
      await Promise.all(permissions.unix.map((path) => resolveSocket(path, own, context.account))),
    ),
  });
}

async function resolveGrant(
  grant: PathGrant,
  access: "read" | "write",
  own: OwnDirectories,
  account: Account,
): Promise<PathGrant> {
  const source = await existingPath(grant.source, access);
  refuseForbidden(grant.source, source, access, own);
  await refuseUnreachable(grant.source, source, account, access);
  return Object.freeze({ source, target: grant.target });
}

async function resolveSocket(path: string, own: OwnDirectories, account: Account): Promise<string> {
  const real = await existingPath(path, "unix");
  refuseForbidden(path, real, "unix", own);
  const { isSocket } = await Deno.stat(real);
  if (isSocket !== true) {
    throw refused(path, "unix", "only a socket can be connected to: it is something else");
  }
  if (real !== path) {
    const hint = `Grant "${real}" and connect to that`;
    throw refused(path, "unix", `a socket is granted under its real path: that is "${real}"`, hint);
  }
  await refuseUnreachable(path, real, account, "write", "unix");
  return real;
}

async function existingPath(path: string, key: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw refused(path, key, "a granted path must exist: there is nothing", "Create it first", error);
    }
    const isUnreadable = error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.FilesystemLoop;
    if (isUnreadable) {
      throw refused(path, key, `the host must be able to resolve it: ${error.message}`, undefined, error);
    }
    throw error;
  }
}

function refuseForbidden(written: string, real: string, key: string, own: OwnDirectories): void {
  const rule = forbiddenPathRule(real, own.runtime) ??
    (key === "write" ? forbiddenPathRule(real, own.cache) : null);
  if (rule === null) return;
  const leads = real === written ? "" : ` (it leads to "${real}")`;
  throw new PermissionDeniedError(`Cannot grant "${written}"${leads} as ${rule}`, {
    suggestion: `permissions: { ${key}: ["<a narrower path than ${real}>"] }`,
    hint: "Grant exactly the files or directories that the plugin works with",
  });
}

/** Only a root host starts sandboxes under another account; everybody else has the rights of the sandbox anyway. */
async function refuseUnreachable(
  written: string,
  real: string,
  account: Account,
  access: Access,
  key: string = access,
): Promise<void> {
  if (account.uid === Deno.uid()) return;
  const obstacle = await accessObstacle(real, account, access);
  if (obstacle === null) return;
  const { path, missing } = obstacle;
  const rule = `sandboxes of a root host run as uid ${account.uid}: it has no "${missing}" on "${path}"`;
  const hint = path === real && access === "write"
    ? `chown ${account.uid}:${account.gid} "${path}", or name another account in the host's option \`runAs\``
    : `chmod o+${missing} "${path}", or move the data out of it, or name another account in the host's option \`runAs\``;
  throw refused(written, key, rule, hint);
}

function refused(path: string, key: string, rule: string, hint?: string, cause?: unknown): ConfigError {
  return new ConfigError(`Cannot grant "${path}" as ${rule}`, { path: `permissions.${key}`, hint, cause });
}

async function realPathOrSelf(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}
