/**
 * What a hostile plugin tries against the guest that it runs in, besides what any script tries.
 */

import { run as runScript, tryAll } from "./attacks.js";

/** Tries everything against the host, but what takes files that a bundle does not have. */
export async function run(targets) {
  const outcomes = await runScript(targets);
  return Object.fromEntries(
    Object.entries(outcomes).filter(([name]) => !/^(6[12]|66 load|4 read it through a symbolic)/.test(name)),
  );
}

/** Tries everything against the guest, whose files are named. */
export function runInside({ boot, socket, guest }) {
  const symbol = Symbol.for("cordon.guest");
  return tryAll({
    "read the boot record": () => Deno.readTextFileSync(boot),
    "connect to the host again": async () =>
      (await Deno.connect({ transport: "unix", path: socket })).close(),
    "find exports of the guest": async () => something(Object.keys(await import(guest))),
    "find more arguments than its own": () => something(Deno.args),
    "replace the guest's interface": () => void (globalThis[symbol] = {}),
    "add to the guest's interface": () => void (globalThis[symbol].service = () => "mine"),
    "make a pointer through an internal operation": () =>
      Deno[Deno.internal].core.ops.op_ffi_ptr_create(4096n),
    "ask for every permission": async () => {
      // Variables are not among them: any may be asked for, and only granted ones are there.
      const names = ["read", "write", "net", "sys", "run", "ffi", "import"];
      const states = await Promise.all(names.map((name) => Deno.permissions.request({ name })));
      something(names.filter((_, index) => states[index].state === "granted"));
    },
  });
}

function something(list) {
  if (list.length === 0) throw new RangeError("nothing");
}

if (import.meta.main) {
  const outcomes = await runInside(JSON.parse(Deno.args[0]));
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(outcomes)));
}
