import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { cordonExecBinary, cordonGuardArguments, type GuardPlan } from "../../src/launcher/exec/mod.ts";
import { eventually, pidsWith, readProc } from "../launcher/processes.ts";

const binary = Deno.build.os === "linux" ? cordonExecBinary(Deno.build.arch) : null;
const OWN: GuardPlan = { parentPid: Deno.pid };

function guardTest(claim: string, body: (guard: string, directory: string) => Promise<void>) {
  Deno.test({
    name: binary === null ? `${claim} [skipped: no cordon-exec for this machine]` : claim,
    ignore: binary === null,
    fn: async () => {
      const directory = await Deno.makeTempDir({ prefix: "cordon-guard-test-" });
      try {
        await Deno.writeFile(`${directory}/cordon-exec`, binary!, { mode: 0o755 });
        await body(`${directory}/cordon-exec`, directory);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
}

async function outcome(child: ChildProcess): Promise<Outcome> {
  const closed = once(child, "close") as Promise<[number | null, string | null]>;
  const [stdout, stderr] = await Promise.all([text(child.stdio[1]), text(child.stdio[2])]);
  const [code, signal] = await closed;
  return { code, signal, output: stdout + stderr };
}

async function text(stream: unknown): Promise<string> {
  const chunks: BlobPart[] = [];
  for await (const chunk of stream as AsyncIterable<BlobPart>) chunks.push(chunk);
  return await new Blob(chunks).text();
}

function guarded(
  guard: string,
  script: string,
  plan = OWN,
  stdio: ("ignore" | "pipe" | number)[] = [],
): ChildProcess {
  const args = cordonGuardArguments(plan, ["/bin/sh", "-c", script]);
  return spawn(guard, args, { stdio: ["ignore", "pipe", "pipe", ...stdio] });
}

guardTest("cordon-exec --guard ends with the code of its program", async (guard) => {
  for (const code of [0, 1, 71, 137, 255]) {
    const expected = { code, signal: null, output: "out\n" };
    assert.deepEqual(await outcome(guarded(guard, `echo out; exit ${code}`)), expected);
  }
});

guardTest("cordon-exec --guard ends by the signal of its program", async (guard) => {
  for (
    const signal of ["SIGKILL", "SIGTERM", "SIGINT", "SIGSEGV", "SIGABRT", "SIGTRAP", "SIGSYS", "SIGXCPU"]
  ) {
    const number = constants.signals[signal as keyof typeof constants.signals];
    const { output: _, ...end } = await outcome(guarded(guard, `kill -${number} $$`));
    assert.deepEqual(end, { code: null, signal });
  }
});

guardTest("cordon-exec --guard says what it could not start", async (guard) => {
  const child = spawn(guard, cordonGuardArguments(OWN, ["/nonexistent/program"]), {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = "cordon-exec: /nonexistent/program: ENOENT\n";
  assert.deepEqual(await outcome(child), { code: 71, signal: null, output });
});

guardTest("cordon-exec --guard refuses to start for a parent that is gone", async (guard) => {
  const output = "cordon-exec: pdeathsig: ESRCH\n";
  const child = guarded(guard, "echo started", { parentPid: 1 + Deno.pid });
  assert.deepEqual(await outcome(child), { code: 65, signal: null, output });
});

guardTest(
  "cordon-exec --guard ends what its program leaves behind, also in other sessions",
  async (guard) => {
    const marker = `9${Math.floor(Math.random() * 1e8)}`;
    const script = `setsid sleep ${marker} & sleep ${marker} & sleep 0.05; kill -9 $$`;
    const child = guarded(guard, script);
    await eventually("both run", () => pidsWith(`sleep\0${marker}`).length === 2);
    assert.equal((await outcome(child)).signal, "SIGKILL");
    assert.deepEqual(pidsWith(marker), [], "nothing outlives the guard");
  },
);

guardTest("cordon-exec --guard takes its program with it when it is killed itself", async (guard) => {
  const marker = `9${Math.floor(Math.random() * 1e8)}`;
  const child = guarded(guard, `exec sleep ${marker}`);
  await eventually("it runs", () => pidsWith(`sleep\0${marker}`).length === 1);
  Deno.kill(child.pid!, "SIGKILL");
  assert.equal((await outcome(child)).signal, "SIGKILL");
  await eventually("it is gone", () => pidsWith(marker).length === 0);
});

guardTest("cordon-exec --guard ends everything when it is told to", async (guard) => {
  const marker = `9${Math.floor(Math.random() * 1e8)}`;
  const child = guarded(guard, `setsid setsid sleep ${marker} & exec sleep ${marker}`);
  await eventually("both run", () => pidsWith(`sleep\0${marker}`).length === 2);
  Deno.kill(child.pid!, "SIGTERM");
  assert.equal((await outcome(child)).signal, "SIGKILL");
  assert.deepEqual(pidsWith(marker), []);
});

guardTest("cordon-exec --guard holds no descriptor and keeps a terminal's signals away", async (guard) => {
  const child = guarded(guard, "echo started; exec sleep 1000");
  await once(child.stdout!, "data");
  await eventually("it has closed all", () => [...Deno.readDirSync(`/proc/${child.pid}/fd`)].length === 0);
  const group = (pid: number) => readProc(pid, "stat")!.split(") ").at(-1)!.split(" ")[2];
  let program: number | undefined;
  await eventually("the shell has become its program", () => {
    program = pidsWith("sleep\x001000").find((pid) =>
      readProc(pid, "stat")?.includes(`) S ${child.pid} `) === true
    );
    return program !== undefined;
  });
  assert.notEqual(group(program!), group(Deno.pid));
  Deno.kill(child.pid!, "SIGINT");
  Deno.kill(child.pid!, "SIGTERM");
  assert.equal((await outcome(child)).signal, "SIGKILL", "SIGINT alone would have ended it otherwise");
});
