/** What the layers add to the start of a bare `deno run`, one after another, each beside it in one run. */

import { launch } from "../src/launcher/launch.ts";
import { openHostDirectory } from "../src/launcher/host_directory.ts";
import { guestFilter } from "../src/launcher/seccomp/mod.ts";
import type { LaunchRequest } from "../src/launcher/types.ts";
import { hostConfig, loadConfig } from "../src/config/mod.ts";
import { nativeLibraryPath } from "../src/native/mod.ts";
import { probePlatform } from "../src/platform/mod.ts";
import type { PlatformFacts } from "../src/platform/mod.ts";
import { sandboxPolicy } from "../src/policy/sandbox_policy.ts";
import { median } from "./median.ts";

const ROUNDS = 25;
const BUDGET_MS = 25;

/** Prints a byte; with a second argument, narrows its system calls before. */
const SCRIPT = `
const [, filter, library] = Deno.args;
if (filter !== undefined) {
  const program = Deno.readFileSync(filter);
  const parameters = ["buffer", "u32"];
  const native = Deno.dlopen(library, { cordon_seccomp: { parameters, result: "i32" } });
  if (native.symbols.cordon_seccomp(program, program.byteLength) !== 0) throw new Error("Cannot install the filter");
}
if ((await Deno.permissions.revoke({ name: "ffi" })).state === "granted") throw new Error("Cannot give up FFI");
Deno.stdout.writeSync(new Uint8Array([49]));
`;

/** Some of the layers, the ones before it included. */
interface Stage {
  readonly name: string;
  readonly facts: (facts: PlatformFacts) => PlatformFacts;
  readonly sandbox: "required" | "best-effort" | "permissions-only";
  readonly isNarrowed: boolean;
}

const STAGES: readonly Stage[] = [
  { name: "Deno permissions", facts: (facts) => facts, sandbox: "permissions-only", isNarrowed: false },
  {
    name: "rlimits, Landlock, filter",
    facts: (facts) => ({ ...facts, namespacesWork: false }),
    sandbox: "best-effort",
    isNarrowed: false,
  },
  {
    name: "the same and bubblewrap",
    facts: (facts) => ({ ...facts, cgroup: null }),
    sandbox: "required",
    isNarrowed: false,
  },
  {
    name: "the same and second filter",
    facts: (facts) => ({ ...facts, cgroup: null }),
    sandbox: "required",
    isNarrowed: true,
  },
  { name: "all, with a control group", facts: (facts) => facts, sandbox: "required", isNarrowed: true },
];

/** Measure and print: from the spawn to the first byte that the script prints. */
export async function layersBench(): Promise<void> {
  const { facts } = await probePlatform();
  const folder = await Deno.makeTempDir({ prefix: "cordon-bench-" });
  await Deno.chmod(folder, 0o755);
  await Deno.writeTextFile(`${folder}/script.js`, SCRIPT);
  const host = hostConfig({ runtimeDirectory: `${folder}/run` });
  const runAs = facts.uid === 0 ? host.runAs : null;
  await using directory = await openHostDirectory({
    runtimeDirectory: host.runtimeDirectory,
    runAs,
    deno: facts.deno!,
    guestScript: SCRIPT,
    nativeLibrary: await nativeLibraryPath(`${folder}/cache`),
  });
  const stages = STAGES.map((stage) => {
    const config = loadConfig(`${folder}/script.js`, { sandbox: stage.sandbox }, host);
    const policy = sandboxPolicy(config, stage.facts(facts), { runAs: host.runAs, workingDirectory: "/" });
    return { ...stage, policy, times: [] as number[] };
  }).filter(({ isNarrowed, policy }) => !isNarrowed || policy.seccomp !== null);
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await bareStart(`${folder}/script.js`));
    for (const { policy, isNarrowed, times } of stages) {
      const own = await directory.createSandboxDirectory();
      const inside = policy.tier === "landlock" ? own.plugin : "/app/plugin";
      if (isNarrowed) await own.write(`${own.plugin}/guest.bpf`, guestFilter(policy.seccomp!, policy.arch!));
      times.push(
        await timedStart({
          policy,
          runtime: { bwrap: facts.bwrap, deno: facts.deno! },
          files: directory.files,
          directory: own,
          args: isNarrowed ? [`${inside}/guest.bpf`, "/app/libcordon.so"] : [],
          stdio: "piped",
        }),
      );
    }
  }
  await Deno.remove(folder, { recursive: true });
  print(bare, stages);
}

async function bareStart(script: string): Promise<number> {
  const start = performance.now();
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", script],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const ms = performance.now() - start;
  await reader.cancel();
  return ms;
}

async function timedStart(request: LaunchRequest): Promise<number> {
  const printed = Promise.withResolvers<number>();
  const start = performance.now();
  const onOutput = (stream: string): void => {
    if (stream === "stdout") printed.resolve(performance.now() - start);
  };
  await using guest = await launch({ ...request, onOutput });
  guest.exited.then(({ stderrTail }) => printed.reject(new Error(stderrTail)));
  return await printed.promise;
}

function print(
  bare: readonly number[],
  stages: readonly {
    readonly name: string;
    readonly times: readonly number[];
    readonly policy: { tier: string };
  }[],
): void {
  // On a busy machine the fastest of many says what the work costs, the median what it costs there.
  const rows = stages.map(({ name, times, policy }) => row(name, bare, times, policy.tier));
  // deno-lint-ignore no-console -- a benchmark prints
  console.log([
    `\nlayers: medians and fastest of ${ROUNDS}; all of them may add ${BUDGET_MS} ms`,
    row("bare `deno run`", bare, bare, "none"),
    ...rows,
  ].join("\n"));
}

function row(name: string, bare: readonly number[], times: readonly number[], tier: string): string {
  const cells = [median, (values: readonly number[]) => Math.min(...values)].map((kind) => {
    const ms = kind(times);
    return `${ms.toFixed(1).padStart(7)} ms (+ ${(ms - kind(bare)).toFixed(1).padStart(4)})`;
  });
  return `  ${name.padEnd(28)} ${cells.join("  ")}   ${tier}`;
}
