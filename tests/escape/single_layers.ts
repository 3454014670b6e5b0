/**
 * Runs the native probe behind one kernel layer at a time.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import {
  cordonExecArguments,
  cordonExecBinary,
  type ExecPlan,
  LANDLOCK_ABI_KNOWN,
} from "../../src/launcher/exec/mod.ts";
import { bwrapFilter, guestFilter } from "../../src/launcher/seccomp/mod.ts";
import type { PlatformFacts } from "../../src/platform/types.ts";
import { DEADLY, type Outcomes, parseOutcomes } from "./native_probe.ts";
import { ACCOUNT, CANARY, isRoot, type World } from "./world.ts";

/** A kernel layer on its own. */
export type Layer = "bubblewrap" | "landlock" | "filters";

const PROFILE = { network: false, unix: false, gpu: false } as const;
const BARE: ExecPlan = {
  rlimits: {},
  landlock: null,
  parentPid: null,
  seccompFd: null,
  closeFrom: 3,
};

/** How one run of the probe is started. */
interface Start {
  readonly program: string;
  readonly args: readonly string[];
  /** Open for reading, on the descriptors from 3 on. */
  readonly files: readonly string[];
}

/**
 * Every technique behind one layer.
 *
 * @param world What is attacked.
 * @param facts What this machine has.
 * @param layer The layer.
 * @returns Outcomes by technique.
 */
export async function outcomesBehind(world: World, facts: PlatformFacts, layer: Layer): Promise<Outcomes> {
  const exec = `${world.directory}/cordon-exec`;
  await Deno.writeFile(exec, cordonExecBinary(Deno.build.arch)!);
  await Deno.chmod(exec, 0o755);
  await Deno.writeFile(`${world.directory}/start.bpf`, bwrapFilter(PROFILE, Deno.build.arch));
  await Deno.writeFile(`${world.directory}/open/guest.bpf`, guestFilter(PROFILE, Deno.build.arch));
  const starts = { bubblewrap: behindBubblewrap, landlock: behindLandlock, filters: behindFilters };
  const start = (names: readonly string[]) => starts[layer](world, facts, names);
  const outcomes: Record<string, string> = { ...(await run(start([]))).outcomes };
  for (const name of DEADLY) {
    const ended = await run(start([name]));
    outcomes[name] = ended.signal ?? ended.outcomes[name]!;
  }
  return outcomes;
}

/** All namespaces and an empty root, with the plugin's directory in it. */
function behindBubblewrap(world: World, facts: PlatformFacts, names: readonly string[]): Start {
  return {
    program: facts.bwrap!.path,
    args: [
      ...[
        "--unshare-user",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-uts",
        "--unshare-cgroup",
      ],
      ...["--disable-userns", "--uid", "65534", "--gid", "65534", "--hostname", "plugin"],
      ...["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"],
      ...["--ro-bind", world.probe, "/app/probe", "--ro-bind", `${world.directory}/open`, "/app/plugin"],
      ...["--dev-bind", "/dev/null", "/dev/null", "--remount-ro", "/", "--"],
      ...["/app/probe", ...world.probeArguments("fork", "-", "/app/plugin", names)],
    ],
    files: [],
  };
}

function behindLandlock(world: World, facts: PlatformFacts, names: readonly string[]): Start {
  const plugin = `${world.directory}/open`;
  const landlock = {
    abi: Math.min(facts.landlockAbi, LANDLOCK_ABI_KNOWN),
    readOnly: [plugin],
    executable: [world.probe],
    readWrite: [],
    devices: ["/dev/null"],
    tcpConnect: [],
    tcpBind: [],
    scope: true,
  };
  const command: [string, ...string[]] = [world.probe, ...world.probeArguments("fork", "-", plugin, names)];
  return {
    program: `${world.directory}/cordon-exec`,
    args: cordonExecArguments({ ...BARE, landlock }, command),
    files: [],
  };
}

function behindFilters(world: World, _facts: PlatformFacts, names: readonly string[]): Start {
  const plugin = `${world.directory}/open`;
  const probe = world.probeArguments("direct", `${plugin}/guest.bpf`, plugin, names);
  return {
    program: `${world.directory}/cordon-exec`,
    args: cordonExecArguments({ ...BARE, seccompFd: 3 }, [world.probe, ...probe]),
    files: [`${world.directory}/start.bpf`],
  };
}

async function run({ program, args, files }: Start): Promise<{ outcomes: Outcomes; signal: string | null }> {
  const descriptors = files.map((file) => openSync(file, "r"));
  const child: ChildProcess = spawn(program, [...args], {
    stdio: ["ignore", "pipe", "inherit", ...descriptors],
    env: CANARY,
    cwd: "/",
    ...(isRoot ? ACCOUNT : {}),
  });
  const exit = once(child, "close");
  const chunks: BlobPart[] = [];
  for await (const chunk of child.stdout as AsyncIterable<BlobPart>) chunks.push(chunk);
  const [, signal] = await exit as [number | null, string | null];
  descriptors.forEach((descriptor) => closeSync(descriptor));
  return { outcomes: parseOutcomes(await new Blob(chunks).text()), signal };
}
