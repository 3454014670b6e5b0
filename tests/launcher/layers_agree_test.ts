import { deepEqual } from "node:assert/strict";
import fc from "fast-check";
import type { PathGrant, PermissionConfig } from "../../src/config/types.ts";
import { bwrapArguments } from "../../src/launcher/bwrap_arguments.ts";
import { denoFlags } from "../../src/launcher/deno_flags.ts";
import { policyExecPlan } from "../../src/launcher/exec/mod.ts";
import { sandboxPaths } from "../../src/launcher/sandbox_paths.ts";
import { sandboxPolicy } from "../../src/policy/sandbox_policy.ts";
import { fakeConfig, fakeFacts, NO_PERMISSIONS } from "../policy/fakes.ts";

const FILES = { deno: "/h/deno", guest: "/h/guest.js", library: null, exec: "/h/cordon-exec" };
const DIRECTORY = { plugin: "/h/0/p", run: "/h/0/r", socket: "/h/0/r/rpc.sock", boot: "/h/0/r/boot.json" };
const CONTEXT = { runAs: { uid: 65534, gid: 65534 }, workingDirectory: "/nowhere" };

/** What each layer lets a plugin read and write, besides what every sandbox has. */
interface Layers {
  readonly deno: { readonly read: string[]; readonly write: string[] };
  readonly mounts: { readonly read: string[]; readonly write: string[] };
  readonly landlock: { readonly read: string[]; readonly write: string[] };
}

function layersOf(permissions: PermissionConfig): Layers {
  const facts = fakeFacts();
  const policy = sandboxPolicy(fakeConfig({ permissions }), facts, CONTEXT);
  const paths = sandboxPaths(policy, DIRECTORY, FILES);
  const flags = denoFlags(policy, paths);
  const layout = { runtime: facts.deno!, files: FILES, directory: DIRECTORY, pins: new Map(), variables: {} };
  const bwrap = bwrapArguments(policy, layout);
  const surroundings = { paths, runtime: facts.deno!, inheritedFds: 0, seccompFd: null, parentPid: null };
  const { landlock } = policyExecPlan(policy, surroundings);
  return {
    deno: { read: flagValues(flags, "read"), write: flagValues(flags, "write") },
    mounts: { read: targets(bwrap, ["--ro-bind", "--bind"]), write: targets(bwrap, ["--bind"]) },
    landlock: {
      read: granted([...landlock!.readOnly, ...landlock!.readWrite]),
      write: granted([...landlock!.readWrite]),
    },
  };
}

Deno.test("every layer shows a plugin the same paths for reading and for writing", () => {
  fc.assert(fc.property(grants("r"), grants("w"), grants("b"), (read, write, both) => {
    const layers = layersOf({ ...NO_PERMISSIONS, read: [...read, ...both], write: [...write, ...both] });
    const wanted = {
      read: sorted([...read, ...write, ...both].map((grant) => grant.target)),
      write: sorted([...write, ...both].map((grant) => grant.target)),
    };
    deepEqual(layers, { deno: wanted, mounts: wanted, landlock: wanted });
  }));
});

/** Grants whose targets begin with a name of their own, so that they never collide with those of another kind. */
function grants(prefix: string): fc.Arbitrary<PathGrant[]> {
  const name = fc.stringMatching(/^[a-z0-9 .=:-]{1,12}$/);
  return fc.uniqueArray(name, { maxLength: 5 }).map((names) =>
    names.map((one) => ({ source: `/srv/${one}`, target: `/g/${prefix}-${one}` }))
  );
}

function flagValues(flags: readonly string[], name: string): string[] {
  const start = `--allow-${name}=`;
  return granted(
    flags.filter((flag) => flag.startsWith(start)).flatMap((flag) => flag.slice(start.length).split(",")),
  );
}

function targets(options: readonly string[], kinds: readonly string[]): string[] {
  return granted(options.filter((_option, index) => kinds.includes(options[index - 2] ?? "")));
}

function granted(paths: readonly string[]): string[] {
  return sorted(paths.filter((path) => path.startsWith("/g/")));
}

function sorted(paths: readonly string[]): string[] {
  return [...new Set(paths)].sort();
}
