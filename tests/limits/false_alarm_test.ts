/** Nobody is stopped who stays within the limits. */

import assert from "node:assert/strict";
import type { LimitOptions } from "../../src/config/types.ts";
import type { Plugin } from "../../src/supervisor/types.ts";
import { readProc } from "../launcher/processes.ts";
import type { Share } from "./fixtures/frugal.ts";
import { testHost } from "../testing/fixtures.ts";

type Frugal = typeof import("./fixtures/frugal.ts");

const FRUGAL = new URL("fixtures/frugal.ts", import.meta.url);
const MIB = 2 ** 20;
const CALLS = 1000;
const LIMITS = {
  memory: "256MiB",
  openFiles: 64,
  tmp: "4MiB",
  tmpInodes: 500,
  fileSize: "4MiB",
  output: "2MiB",
} as const;
const nineTenths = (limit: number) => Math.floor(limit * 9 / 10);

Deno.test("1,000 calls at nine tenths of memory, tmp, files, descriptors and output raise no false alarm", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Frugal>(FRUGAL, { limits: LIMITS });
  await plugin.api.settle(nineTenths(LIMITS.tmpInodes) - 1, 0);
  const share = {
    memoryBytes: nineTenths(256 * MIB),
    tmpBytes: nineTenths(4 * MIB),
    descriptors: nineTenths(await plugin.api.spareDescriptors()),
    outputBytes: Math.floor(nineTenths(2 * MIB) / CALLS),
  };
  assert.ok(share.descriptors > 10, `${share.descriptors} descriptors`);
  await callOften(plugin, share);
});

Deno.test("1,000 calls of a plugin with nine tenths of its threads raise no false alarm", async () => {
  await using test = await testHost();
  const workers = 8;
  const limits: LimitOptions = { ...LIMITS, workers, openFiles: 256 };
  const processes = Math.ceil(await threadsWith(workers, test.host.load<Frugal>(FRUGAL, { limits })) / 0.9);
  await using plugin = await test.host.load<Frugal>(FRUGAL, { limits: { ...limits, processes } });
  await plugin.api.settle(1, workers);
  await callOften(plugin, { memoryBytes: MIB, tmpBytes: 1, descriptors: 1, outputBytes: 1 });
});

async function callOften(plugin: Plugin<Frugal>, share: Share): Promise<void> {
  for (let call = 0; call < CALLS; call++) assert.equal(await plugin.api.use(share), share.descriptors);
  const { status } = plugin;
  assert.ok(status.state === "running");
  assert.equal(status.generation, 1);
}

/** Threads of a plugin that has started its workers. */
async function threadsWith(workers: number, loading: Promise<Plugin<Frugal>>): Promise<number> {
  await using plugin = await loading;
  await plugin.api.settle(1, workers);
  return Number(field(guestPid(), "Threads"));
}

function field(pid: number, name: string): string {
  return new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readProc(pid, "status") ?? "")?.[1] ?? "";
}

/** The only sandboxed runtime that descends from this process. */
function guestPid(): number {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
  const own = pids.filter((pid) =>
    readProc(pid, "cmdline")?.startsWith("/app/deno\0") && descendsFromThis(pid)
  );
  assert.equal(own.length, 1);
  return own[0]!;
}

function descendsFromThis(pid: number): boolean {
  if (pid === Deno.pid) return true;
  const parent = Number(field(pid, "PPid"));
  return parent > 1 && descendsFromThis(parent);
}
