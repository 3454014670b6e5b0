/**
 * Puts an attacker where a plugin would be: into the launcher's sandbox, in a tier of one's choice.
 *
 * @module
 */

import type { ExitReport, HostDirectory, LaunchedGuest } from "../../src/launcher/types.ts";
import type { PlatformFacts } from "../../src/platform/types.ts";
import type { SandboxPolicy, Tier } from "../../src/policy/types.ts";
import { launch } from "../../src/launcher/launch.ts";
import { openHostDirectory } from "../../src/launcher/host_directory.ts";
import { sandboxPaths } from "../../src/launcher/sandbox_paths.ts";
import { guestFilter } from "../../src/launcher/seccomp/mod.ts";
import { nativeLibraryPath } from "../../src/native/mod.ts";
import { probePlatform } from "../../src/platform/probe_platform.ts";
import { sandboxPolicy } from "../../src/policy/sandbox_policy.ts";
import { fakeConfig } from "../policy/fakes.ts";
import { ACCOUNT, type World } from "./world.ts";

/** A tier that the suite can put an attacker into. */
export type SuiteTier = Tier;

/** What an attacker printed, and how it ended. */
export interface Attack {
  readonly output: string;
  readonly report: ExitReport;
}

/** How one attacker is started. */
export interface AttackOptions {
  /** Runs in place of Deno, given what Deno would get. */
  readonly program?: string;
  /** Arguments, once the plugin's directory and the filter's path inside are known. */
  readonly args: (plugin: string, filter: string) => readonly string[];
  /** More flags of Deno. */
  readonly denoFlags?: readonly string[];
  /** Files beside the plugin: path below its directory to content. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A host's directory for attackers of one tier. */
export class Sandbox implements AsyncDisposable {
  readonly policy: SandboxPolicy;
  /** The native library, on the host. */
  readonly library: string;
  readonly #directory: HostDirectory;
  readonly #facts: PlatformFacts;
  readonly #world: World;
  readonly #runtimeDirectory: string;

  private constructor(parts: {
    policy: SandboxPolicy;
    directory: HostDirectory;
    facts: PlatformFacts;
    world: World;
    runtimeDirectory: string;
  }) {
    this.policy = parts.policy;
    this.library = parts.directory.files.library ?? "-";
    this.#directory = parts.directory;
    this.#facts = parts.facts;
    this.#world = parts.world;
    this.#runtimeDirectory = parts.runtimeDirectory;
  }

  static async open(
    world: World,
    tier: SuiteTier,
    guestScript = "",
    change: (policy: SandboxPolicy) => SandboxPolicy = (policy) => policy,
  ): Promise<Sandbox> {
    const facts = factsFor(tier, (await probePlatform({ runAs: ACCOUNT })).facts);
    const modes = {
      full: "required",
      namespaces: "required",
      landlock: "best-effort",
      "permissions-only": "permissions-only",
    } as const;
    const config = fakeConfig({ sandbox: modes[tier] });
    const policy = change(sandboxPolicy(config, facts, { runAs: ACCOUNT, workingDirectory: "/" }));
    const runtimeDirectory = await Deno.makeTempDir({ prefix: "cordon-escape-run-" });
    await Deno.chmod(runtimeDirectory, 0o711);
    const nativeLibrary = await nativeLibraryPath(runtimeDirectory + "/native");
    const { runAs } = policy;
    const directory = await openHostDirectory({
      runtimeDirectory,
      runAs,
      deno: facts.deno!,
      guestScript,
      nativeLibrary,
    });
    return new Sandbox({ policy, directory, facts, world, runtimeDirectory });
  }

  /** Lets an attacker run to its end. */
  async attack(options: AttackOptions): Promise<Attack> {
    const directory = this.#directory.createSandboxDirectory();
    const files = { ...this.#directory.files, ...(options.program ? { deno: options.program } : {}) };
    const { plugin } = sandboxPaths(this.policy, directory, files);
    const filter = this.policy.seccomp === null ? null : guestFilter(this.policy.seccomp, Deno.build.arch);
    if (filter !== null) directory.write(`${directory.plugin}/guest.bpf`, filter);
    directory.write(`${directory.plugin}/code`, "code");
    await Deno.symlink(this.#world.secret, `${directory.plugin}/link`);
    for (const [path, content] of Object.entries(options.files ?? {})) {
      directory.write(`${directory.plugin}/${path}`, content);
    }
    const output: Uint8Array[] = [];
    await using guest: LaunchedGuest = await launch({
      policy: this.policy,
      runtime: { bwrap: this.#facts.bwrap, deno: this.#facts.deno! },
      files,
      directory,
      args: options.args(plugin, filter === null ? "-" : `${plugin}/guest.bpf`),
      stdio: "piped",
      onOutput: (stream, chunk) => void (stream === "stdout" && output.push(chunk.slice())),
      ...(options.denoFlags ? { denoFlags: options.denoFlags } : {}),
    });
    const report = await guest.exited;
    return { output: await new Blob(output as BlobPart[]).text(), report };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
    await Deno.remove(this.#runtimeDirectory, { recursive: true });
  }
}

/** Facts of this machine; for the Landlock tier those of one that forbids user namespaces. */
function factsFor(tier: SuiteTier, facts: PlatformFacts): PlatformFacts {
  // A control group stops no technique: without it the layers that do stand alone, on every machine alike.
  if (tier === "namespaces") return { ...facts, cgroup: null };
  return tier === "landlock" ? { ...facts, namespacesWork: false } : facts;
}
