import assert from "node:assert/strict";
import { probePlatform } from "../../src/platform/probe_platform.ts";
import { testHost } from "../testing/fixtures.ts";
import { ACCOUNT } from "./world.ts";

const { facts } = await probePlatform({ runAs: ACCOUNT });
const why = facts.namespacesWork ? null : "no user namespaces or no bubblewrap";
const claim = "every thread of a plugin runs behind both filters, without capabilities or new privileges";

Deno.test({
  name: why === null ? claim : `${claim} [skipped: ${why}]`,
  ignore: why !== null,
  fn: async () => {
    await using test = await testHost();
    const path = await test.plugin(`export function turn() { return 1; }`);
    await using plugin = await test.host.load<{ turn(): number }>(path);
    assert.equal(await plugin.api.turn(), 1);
    const guests = processes().filter((pid) =>
      commandLine(pid)[0] === "/app/deno" && descendsFrom(pid, Deno.pid)
    );
    assert.equal(guests.length, 1);
    const threads = [...Deno.readDirSync(`/proc/${guests[0]}/task`)].map(({ name }) =>
      status(guests[0]!, name)
    );
    assert.ok(threads.length > 1);
    const walls = {
      seccomp: "2",
      filters: "2",
      noNewPrivileges: "1",
      effective: 0n,
      permitted: 0n,
      bounding: 0n,
    };
    for (const thread of threads) assert.deepEqual(thread, walls);
    assert.notDeepEqual(status(Deno.pid, String(Deno.pid)), walls);
  },
});

function processes(): readonly number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
}

/** Empty for a process that has ended meanwhile. */
function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound || (error instanceof Error && /os error 3/.test(error.message))
    ) return "";
    throw error;
  }
}

function commandLine(pid: number): readonly string[] {
  return read(`/proc/${pid}/cmdline`).split("\0");
}

function descendsFrom(pid: number, ancestor: number): boolean {
  if (pid === ancestor) return true;
  const parent = Number(field(read(`/proc/${pid}/status`), "PPid"));
  return parent > 0 && descendsFrom(parent, ancestor);
}

function status(pid: number, thread: string): Record<string, unknown> {
  const text = Deno.readTextFileSync(`/proc/${pid}/task/${thread}/status`);
  const capabilities = (name: string) => BigInt(`0x${field(text, name)}`);
  return {
    seccomp: field(text, "Seccomp"),
    filters: field(text, "Seccomp_filters"),
    noNewPrivileges: field(text, "NoNewPrivs"),
    effective: capabilities("CapEff"),
    permitted: capabilities("CapPrm"),
    bounding: capabilities("CapBnd"),
  };
}

function field(text: string, name: string): string {
  return text.match(new RegExp(`^${name}:\\s*(\\w+)`, "m"))?.[1] ?? "0";
}
