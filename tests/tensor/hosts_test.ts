/** Hosts that may or may not share memory: started for real, with the permissions that they say. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { cordonExecBinary } from "../../src/launcher/exec/mod.ts";
import { probePlatform } from "../../src/platform/mod.ts";
import { sharedFiles } from "./shared_files.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const FIXTURES = `${ROOT}tests/fixtures/tensor`;
const SOME = ["--allow-read", "--allow-write", "--allow-run", "--allow-env", "--allow-net", "--allow-sys"];
const MEMFD_CREATE = { x86_64: 319, aarch64: 279 }[Deno.build.arch];
const ENOSYS = 38;

interface HostCase {
  readonly claim: string;
  readonly permissions: readonly string[];
  readonly kind: "shared" | "copy";
  readonly notice: RegExp | null;
  /** It may look at /proc and control groups. */
  readonly seesKernel: boolean;
  /** The kernel refuses to make memory files. */
  readonly hasNoMemfd?: boolean;
}

const CASES: readonly HostCase[] = [
  {
    claim: "a host without FFI, which Deno keeps from /proc too, confines and copies",
    permissions: SOME,
    kind: "copy",
    notice:
      /^cordon: Tensors are copied into messages, as this process may not use FFI; --allow-ffi permits it$/,
    seesKernel: false,
  },
  {
    claim: "a host that is denied FFI among all permissions confines and copies",
    permissions: ["--allow-all", "--deny-ffi"],
    kind: "copy",
    notice:
      /^cordon: Tensors are copied into messages, as this process may not use FFI; --allow-ffi permits it$/,
    seesKernel: false,
  },
  {
    claim: "a host with FFI that Deno keeps from /proc confines and shares memory",
    permissions: [...SOME, "--allow-ffi"],
    kind: "shared",
    notice: null,
    seesKernel: false,
  },
  {
    claim: "a host whose kernel makes no memory files confines and copies",
    permissions: ["--allow-all"],
    kind: "copy",
    notice:
      /^cordon: Tensors are copied into messages, as the kernel makes no memory files \(memfd_create is refused\)$/,
    seesKernel: true,
    hasNoMemfd: true,
  },
];

interface Report {
  readonly kind: string;
  readonly tier: string;
  readonly memory: { readonly mechanism: string; readonly hard: boolean };
  readonly results: unknown;
  readonly filters: readonly string[];
  readonly large: unknown;
  readonly filled: unknown;
  readonly notices: readonly string[];
}

const { facts } = await probePlatform();
const SKIP = facts.namespacesWork ? "" : " [skipped: no user namespaces or no bubblewrap]";

for (const { claim, permissions, kind, notice, seesKernel, hasNoMemfd = false } of CASES) {
  Deno.test({
    name: `${claim}, with the same results${SKIP}`,
    ignore: SKIP !== "",
    async fn() {
      const usual = await report(["--allow-all"], false);
      assert.deepEqual([usual.kind, usual.notices], ["shared", []]);
      const { tier, memory, filters, large, filled, notices, ...rest } = await report(
        permissions,
        hasNoMemfd,
      );
      assert.deepEqual(rest, { kind, results: usual.results });
      assert.equal(tier, seesKernel ? usual.tier : "namespaces");
      assert.deepEqual(memory, seesKernel ? usual.memory : { mechanism: "rlimit", hard: true });
      // The same walls, however the host knows of them.
      assert.deepEqual(filters, usual.filters.map((count) => String(Number(count) + (hasNoMemfd ? 1 : 0))));
      assert(typeof filled !== "number" || filled < 300, `${filled} MiB`);
      assert.equal(notices.length, notice === null ? 0 : 1, notices.join("\n"));
      if (notice !== null) assert.match(notices[0] ?? "", notice);
      assert.deepEqual(
        large,
        kind === "shared" ? 0 : {
          name: "LimitExceededError",
          message:
            `Cannot copy 20971520 bytes into a message as "maxFrameBytes" is 16777216: no memory is shared`,
          hint:
            'Run the host with --allow-ffi, so that memory is shared, or load the plugin with maxFrame: "32MiB"',
        },
      );
    },
  });
}

Deno.test({
  name: `a host that is killed while it shares memory both ways leaves none of it${SKIP}`,
  ignore: SKIP !== "",
  async fn() {
    const child = spawn(Deno.execPath(), ["run", "--allow-all", `${FIXTURES}/doomed_host.ts`], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const gone = once(child, "close");
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value } = await lines.next();
    assert.equal(value, String(2 ** 28 + 2));
    const files = [...sharedFiles(child.pid!)];
    assert(files.reduce((sum, [, bytes]) => sum + bytes, 0) >= 2 ** 28);
    const guests = guestsOf(child.pid!);
    assert.equal(guests.length, 1);
    assert.deepEqual(new Set(holders(files.map(([file]) => file))), new Set([child.pid!, ...guests]));
    child.kill("SIGKILL");
    assert.equal((await lines.next()).done, true);
    await gone;
    const left = () => [
      ...holders(files.map(([file]) => file)),
      ...guests.filter((pid) => field(pid, "Pid") !== ""),
    ];
    for (const end = Date.now() + 10_000; left().length > 0 && Date.now() < end;) await turn();
    assert.deepEqual(left(), []);
  },
});

/** Processes that have one of these memory files open or mapped: nobody else keeps it. */
function holders(files: readonly number[]): readonly number[] {
  const all = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
  return all.filter((pid) => {
    const held = sharedFiles(pid);
    return files.some((file) => held.has(file));
  });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

/** Run the host program to its end. */
async function report(permissions: readonly string[], hasNoMemfd: boolean): Promise<Report> {
  const directory = await Deno.makeTempDir({ prefix: "cordon-hosts-" });
  try {
    await Deno.chmod(directory, 0o755);
    await Deno.writeTextFile(`${directory}/granted`, "seen\n");
    return await watched(directory, permissions, hasNoMemfd);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function watched(
  directory: string,
  permissions: readonly string[],
  hasNoMemfd: boolean,
): Promise<Report> {
  const deno = [
    Deno.execPath(),
    "run",
    "--no-prompt",
    ...permissions,
    `${FIXTURES}/host_program.ts`,
    directory,
  ];
  const filter = hasNoMemfd ? withoutMemfd(directory) : null;
  const command = filter === null
    ? deno
    : [`${directory}/cordon-exec`, "--no-new-privs", "--seccomp-fd=3", "--", ...deno];
  const child = spawn(command[0]!, command.slice(1), {
    cwd: ROOT,
    stdio: ["pipe", "pipe", "pipe", ...filter === null ? [] : [filter]],
    env: { ...Deno.env.toObject(), NO_COLOR: "1" },
  });
  if (filter !== null) closeSync(filter);
  const [stdin, stdout, stderr] = child.stdio as unknown as [Writable, Readable, Readable];
  const complaints = text(stderr);
  const gone = once(child, "close");
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done === true) throw new Error(await complaints);
  const filters = guestsOf(child.pid!).map((pid) => field(pid, "Seccomp_filters"));
  stdin.end("\n");
  const second = await lines.next();
  const { done: isOver } = await lines.next();
  await gone;
  // The runtime itself says when it fetches packages.
  const notices = (await complaints).split("\n").filter((line) => /^cordon: |rror/.test(line));
  assert(!second.done && isOver === true, notices.join("\n"));
  return { ...JSON.parse(first.value), ...JSON.parse(second.value), filters, notices };
}

/** A filter under which memfd_create(2) does not exist; open for reading. */
function withoutMemfd(directory: string): number {
  Deno.writeFileSync(`${directory}/cordon-exec`, cordonExecBinary(Deno.build.arch)!, { mode: 0o755 });
  const view = new DataView(new ArrayBuffer(32));
  const instructions = [
    [0x20, 0, 0, 0],
    [0x15, 0, 1, MEMFD_CREATE],
    [0x06, 0, 0, 0x0005_0000 | ENOSYS],
    [0x06, 0, 0, 0x7fff_0000],
  ] as const;
  for (const [index, [code, isTrue, isFalse, operand]] of instructions.entries()) {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, isTrue);
    view.setUint8(index * 8 + 3, isFalse);
    view.setUint32(index * 8 + 4, operand, true);
  }
  Deno.writeFileSync(`${directory}/filter`, new Uint8Array(view.buffer));
  return openSync(`${directory}/filter`, "r");
}

/** Pids of guests below a process, as this one sees them. */
function guestsOf(ancestor: number): readonly number[] {
  const all = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
  return all.filter((pid) =>
    descends(pid, ancestor) && read(`/proc/${pid}/cmdline`).startsWith("/app/deno\0")
  );
}

function descends(pid: number, ancestor: number): boolean {
  const parent = Number(field(pid, "PPid"));
  return parent === ancestor || (parent > 1 && descends(parent, ancestor));
}

function field(pid: number, name: string): string {
  return new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(read(`/proc/${pid}/status`))?.[1] ?? "";
}

/** Empty for a process that has ended meanwhile. */
function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Error && /os error [23]\)/.test(error.message)) return "";
    throw error;
  }
}

async function text(stream: Readable): Promise<string> {
  let all = "";
  for await (const chunk of stream) all += chunk;
  return all;
}
