/**
 * Stands in for the guest: takes its privileges, gives them up as the guest does, then lets the attacks run.
 *
 * Arguments: boot path, filter path or "-", library path or "-", "drop" or "keep", attack module, targets as JSON.
 */

const [, filter, library, permissions, attacks, targets] = Deno.args;

if (filter !== "-") {
  const program = Deno.readFileSync(filter);
  const native = Deno.dlopen(library, { cordon_seccomp: { parameters: ["buffer", "u32"], result: "i32" } });
  const result = native.symbols.cordon_seccomp(program, program.byteLength);
  if (result !== 0) throw new Error(`Cannot install the filter: ${result}`);
}
if (permissions === "drop") {
  const { state } = Deno.permissions.revokeSync({ name: "ffi" });
  if (state === "granted") throw new Error("FFI is still granted");
}
const { run } = await import(attacks);
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(await run(JSON.parse(targets)))));
Deno.exit(0);
