/**
 * Starts real sandboxes for tests and fails when one of them leaves something behind.
 *
 * @module
 */

import type { LoadConfig } from "../../src/config/types.ts";
import type { HostDirectory, LaunchedGuest, LaunchRequest } from "../../src/launcher/types.ts";
import type { PlatformFacts } from "../../src/platform/types.ts";
import type { SandboxPolicy } from "../../src/policy/types.ts";
import { deepEqual } from "node:assert/strict";
import { launch } from "../../src/launcher/launch.ts";
import { openHostDirectory } from "../../src/launcher/host_directory.ts";
import { probeBwrap } from "../../src/platform/bwrap.ts";
import { probeLandlock } from "../../src/platform/landlock.ts";
import { openLibc } from "../../src/platform/libc.ts";
import { probeDenoRuntime } from "../../src/platform/deno_runtime.ts";
import { sandboxPolicy } from "../../src/policy/sandbox_policy.ts";
import { fakeConfig, fakeFacts } from "../policy/fakes.ts";

/** Account under which a root host starts sandboxes. */
export const NOBODY = Object.freeze({ uid: 65534, gid: 65534 });

/** A guest that sends back what it gets and ends when the connection does. */
export const ECHO_GUEST = `
const connection = await Deno.connect({ transport: "unix", path: Deno.args[0].replace("boot.json", "rpc.sock") });
const buffer = new Uint8Array(65536);
for (let size; (size = await connection.read(buffer)) !== null;) await connection.write(buffer.subarray(0, size));
Deno.exit(0);
`;

/** What a test may change about the sandbox it starts. */
export interface HarnessOptions {
  readonly config?: Partial<LoadConfig>;
  readonly facts?: Partial<PlatformFacts>;
  readonly workingDirectory?: string;
  /** A guest that has it may use FFI. */
  readonly nativeLibrary?: string | null;
}

/** A host's directory, and guests that are started from it. */
export class SandboxHarness implements AsyncDisposable {
  readonly directory: HostDirectory;
  readonly runtimeDirectory: string;
  readonly policy: SandboxPolicy;
  readonly facts: PlatformFacts;
  readonly #guests: LaunchedGuest[] = [];

  private constructor(directory: HostDirectory, parent: string, policy: SandboxPolicy, facts: PlatformFacts) {
    this.directory = directory;
    this.runtimeDirectory = parent;
    this.policy = policy;
    this.facts = facts;
  }

  static async open(guestScript: string, options: HarnessOptions = {}): Promise<SandboxHarness> {
    const runtimeDirectory = await Deno.makeTempDir({ prefix: "cordon-" });
    await Deno.chmod(runtimeDirectory, 0o711);
    const facts = { ...await realFacts(), ...options.facts };
    const config = fakeConfig(options.config);
    const workingDirectory = options.workingDirectory ?? "/";
    const policy = sandboxPolicy(config, facts, { runAs: NOBODY, workingDirectory });
    const directory = await openHostDirectory({
      runtimeDirectory,
      runAs: policy.runAs,
      deno: facts.deno!,
      guestScript,
      nativeLibrary: options.nativeLibrary ?? null,
    });
    return new SandboxHarness(directory, runtimeDirectory, policy, facts);
  }

  /** Start a guest that the harness will end. */
  async launch(changes: Partial<LaunchRequest> = {}): Promise<LaunchedGuest> {
    const guest = await launch({
      policy: this.policy,
      runtime: { bwrap: this.facts.bwrap, deno: this.facts.deno! },
      files: this.directory.files,
      directory: changes.directory ?? this.directory.createSandboxDirectory(),
      args: [],
      stdio: "piped",
      ...changes,
    });
    this.#guests.push(guest);
    return guest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const guest of this.#guests) await guest[Symbol.asyncDispose]();
    const left = [...Deno.readDirSync(this.directory.path)].map((entry) => entry.name).sort();
    await this.directory[Symbol.asyncDispose]();
    const hosts = [...Deno.readDirSync(this.runtimeDirectory)].map((entry) => entry.name);
    await Deno.remove(this.runtimeDirectory, { recursive: true });
    deepEqual(left, ["lock", "shared"], "a guest left files in the host's directory");
    deepEqual(hosts, ["lock"], "the host left its directory");
  }
}

/** Text of everything that a connection sends until it ends. */
export async function readAll(connection: Deno.Conn): Promise<string> {
  return await new Response(connection.readable).text();
}

/** A signal that makes a test fail instead of hanging. */
export function deadline(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

/** Facts of this machine, as far as a start depends on them. */
export async function realFacts(): Promise<PlatformFacts> {
  const bwrap = (await probeBwrap(null)).fact;
  const deno = (await probeDenoRuntime(null)).fact;
  const landlockAbi = landlockOfKernel();
  return fakeFacts({ uid: Deno.uid()!, gid: Deno.gid()!, bwrap, deno, landlockAbi });
}

function landlockOfKernel(): number {
  const libc = openLibc();
  const { fact } = probeLandlock(libc);
  libc?.close();
  return fact;
}
