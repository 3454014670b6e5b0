/**
 * Starts a real plugin that tries to get out, and reports how each attempt ended.
 *
 * @module
 */

import { hostConfig, loadConfig } from "../config/mod.ts";
import type { HostOptions } from "../config/types.ts";
import type { Finding } from "../errors.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import { PLUGIN_TARGET } from "../proxy/mod.ts";
import { type ConfinementBait, confinementBait } from "./confinement_bait.ts";
import { openHostContext } from "./host_context.ts";
import type { HostContext } from "./host_context.ts";
import { loadGeneration } from "./load_generation.ts";
import { pluginPolicy } from "./plugin_policy.ts";

/** Longest time for one attempt; none of them waits for anything. */
const ATTEMPT_TIMEOUT_MS = 5_000;

/** Source of the plugin. It reports the error that stopped it, or null when nothing did. */
const PROBE = `
type Kind = "read" | "write" | "unix" | "tcp" | "run" | "ffi" | "env";
const attempts: Record<Kind, (target: string) => unknown> = {
  read: (target) => Deno.readTextFile(target),
  write: (target) => Deno.writeTextFile(target, "x"),
  unix: async (target) => (await Deno.connect({ transport: "unix", path: target })).close(),
  tcp: async (target) => (await Deno.connect({ hostname: "127.0.0.1", port: Number(target) })).close(),
  run: (target) => new Deno.Command(target).output(),
  ffi: (target) => Deno.dlopen(target, {}).close(),
  env: (target) => {
    if (Deno.env.get(target) === undefined) throw new Deno.errors.NotFound("there is no such variable");
  },
};
export async function attempt(kind: Kind, target: string): Promise<string | null> {
  try {
    await attempts[kind](target);
    return null;
  } catch (error) {
    return error instanceof Error ? error.name + ": " + error.message : String(error);
  }
}
`;

interface Attempt {
  readonly id: string;
  readonly claim: string;
  readonly kind: "read" | "write" | "unix" | "tcp" | "run" | "ffi" | "env";
  readonly target: string;
}

/** Deno's own refusal; variables are not refused, but not there. */
const REFUSED_BY_DENO = /^NotCapable: |^NotFound: there is no such variable$/;
/** The kernel's: no such file, not permitted, read-only, no such address family. */
const REFUSED_BY_KERNEL = /^(NotFound|PermissionDenied|NotADirectory): |os error (1|2|13|30|97)\)/;

/**
 * Prove, by trying, that a plugin is confined on this machine: once behind every layer, and once with Deno's
 * permissions opened for every attempt, so that the kernel's layers stand alone.
 *
 * @param options As for `createHost()`.
 * @returns One finding for each attempt: `ok` if it was stopped by the layer that had to, otherwise `fail`.
 * @throws {SandboxUnavailableError} If no plugin can be started at all.
 * @throws {LaunchError} If the sandbox does not come up.
 */
export async function proveConfinement(options: HostOptions = {}): Promise<readonly Finding[]> {
  await using bait = await confinementBait();
  const entry = `${bait.path}/probe.ts`;
  await Deno.writeTextFile(entry, PROBE);
  await using context = await openHostContext(hostConfig(options), new Map());
  const [all, kernel] = await Promise.all([
    tryAll(context, entry, allLayers(bait), (policy) => policy, REFUSED_BY_DENO),
    tryAll(context, entry, kernelLayers(bait), (policy) => withOpenDeno(policy, bait), REFUSED_BY_KERNEL),
  ]);
  return [...all, ...kernel, ...(bait.port === null ? [NO_NETWORK] : [])];
}

const NO_NETWORK: Finding = {
  id: "no-network",
  level: "skip",
  summary: "Connecting to the host's own network was not tried, as the host cannot do it either",
  evidence: "127.0.0.1 is unreachable: the interface lo is down",
};

function allLayers(bait: ConfinementBait): readonly Attempt[] {
  return [
    ...kernelLayers(bait).map((attempt) => ({ ...attempt, id: attempt.id.replace("kernel-", "all-") })),
    { id: "all-run", claim: "start a program", kind: "run", target: "/app/deno" },
    { id: "all-ffi", claim: "load native code", kind: "ffi", target: "/app/libcordon.so" },
    { id: "all-env", claim: "read the host's variables", kind: "env", target: bait.variable },
  ];
}

function kernelLayers(bait: ConfinementBait): readonly Attempt[] {
  return [
    { id: "kernel-read-passwd", claim: "read /etc/passwd", kind: "read", target: "/etc/passwd" },
    { id: "kernel-read", claim: "read a file that everybody may read", kind: "read", target: bait.file },
    {
      id: "kernel-write",
      claim: "write where everybody may write",
      kind: "write",
      target: `${bait.openDirectory}/x`,
    },
    { id: "kernel-write-root", claim: "write beside its own files", kind: "write", target: "/app/x" },
    { id: "kernel-unix", claim: "connect to a Unix socket of the host", kind: "unix", target: bait.socket },
    ...(bait.port === null ? [] : [
      {
        id: "kernel-tcp",
        claim: "connect to the host's own network",
        kind: "tcp",
        target: String(bait.port),
      } as const,
    ]),
  ];
}

/** Deno lets every attempt of the list through; nothing else changes. */
function withOpenDeno(policy: SandboxPolicy, bait: ConfinementBait): SandboxPolicy {
  const files = ["/etc/passwd", bait.file, bait.openDirectory, bait.socket, "/app/x"];
  const net = [...(bait.port === null ? [] : [`127.0.0.1:${bait.port}`]), `unix:${bait.socket}`];
  return { ...policy, deno: { ...policy.deno, read: files, write: files, net } };
}

async function tryAll(
  context: HostContext,
  entry: string,
  attempts: readonly Attempt[],
  changed: (policy: SandboxPolicy) => SandboxPolicy,
  expected: RegExp,
): Promise<readonly Finding[]> {
  const config = loadConfig(entry, { name: "doctor" }, context.config);
  const policy = changed(await pluginPolicy(context, config, "/"));
  await using generation = await loadGeneration({ context, config, policy, args: [], isScript: false });
  const { session } = generation.sandbox;
  const who = expected === REFUSED_BY_DENO ? "A plugin" : "With Deno's permissions open, a plugin";
  const findings: Finding[] = [];
  for (const { id, claim, kind, target } of attempts) {
    const options = { timeoutMs: ATTEMPT_TIMEOUT_MS };
    const refusal = await session.call(PLUGIN_TARGET, "attempt", [kind, target], options) as string | null;
    findings.push(finding(id, `${who} cannot ${claim}`, `${who} can ${claim}`, refusal, expected));
  }
  return findings;
}

function finding(
  id: string,
  holds: string,
  broken: string,
  refusal: string | null,
  expected: RegExp,
): Finding {
  if (refusal === null) return { id, level: "fail", summary: broken, evidence: "the attempt succeeded" };
  const isExpected = expected.test(refusal);
  return {
    id,
    level: isExpected ? "ok" : "fail",
    summary: isExpected ? holds : `${holds}, but not for the reason that was expected`,
    evidence: refusal.slice(0, 200),
  };
}
