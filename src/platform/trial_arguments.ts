/**
 * The command line of the trial sandbox: the namespace options of a real one around the smallest program there is.
 *
 * @module
 */

/**
 * Namespaces and restrictions that every real sandbox starts with. None of them ends in `-try`: where one cannot be
 * had, the start has to fail.
 */
export const NAMESPACE_OPTIONS: readonly string[] = [
  "--unshare-user",
  "--unshare-ipc",
  "--unshare-pid",
  "--unshare-net",
  "--unshare-uts",
  "--unshare-cgroup",
  "--disable-userns",
  "--uid",
  "65534",
  "--gid",
  "65534",
  "--hostname",
  "plugin",
  "--die-with-parent",
  "--new-session",
  "--cap-drop",
  "ALL",
  "--as-pid-1",
  "--clearenv",
];

/**
 * Build the arguments of bubblewrap for a trial. The program inside is the dynamic loader verifying itself: it is
 * already on the machine, needs no library and ends at once.
 *
 * @param loader Real path of the dynamic loader on the host.
 * @returns Arguments after the name of the program; the status is written to standard output.
 */
export function trialArguments(loader: string): readonly string[] {
  return [
    ...NAMESPACE_OPTIONS,
    "--json-status-fd",
    "1",
    "--ro-bind",
    loader,
    "/loader",
    "--dir",
    "/proc/self",
    "--symlink",
    "/loader",
    "/proc/self/exe",
    "--dev-bind",
    "/dev/null",
    "/dev/null",
    "--dev-bind",
    "/dev/urandom",
    "/dev/urandom",
    "--remount-ro",
    "/",
    "--",
    "/loader",
    "--verify",
    "/loader",
  ];
}

/** A filter of the kind that real sandboxes get, as the kernel takes it: nothing that a program needs is refused. */
export const TRIAL_FILTER: Uint8Array = filterBytes([
  // Load the number of the call.
  [0x20, 0, 0, 0],
  // Numbers that no kernel has: one ends the process, the other fails with EPERM.
  [0x15, 0, 1, 0x7fff_fff0],
  [0x06, 0, 0, 0x8000_0000],
  [0x15, 0, 1, 0x7fff_fff1],
  [0x06, 0, 0, 0x0005_0001],
  [0x06, 0, 0, 0x7fff_0000],
]);

/**
 * Build the arguments of bubblewrap for a trial with a filter.
 *
 * @param loader Real path of the dynamic loader on the host.
 * @returns Arguments after the name of the program; it reads `TRIAL_FILTER` on standard input.
 */
export function filterTrialArguments(loader: string): readonly string[] {
  return ["--seccomp", "0", ...trialArguments(loader)];
}

/** struct sock_filter: code, two jumps, operand. */
function filterBytes(
  instructions: readonly (readonly [code: number, isTrue: number, isFalse: number, operand: number])[],
): Uint8Array {
  const view = new DataView(new ArrayBuffer(instructions.length * 8));
  for (const [index, [code, isTrue, isFalse, operand]] of instructions.entries()) {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, isTrue);
    view.setUint8(index * 8 + 3, isFalse);
    view.setUint32(index * 8 + 4, operand, true);
  }
  return new Uint8Array(view.buffer);
}
