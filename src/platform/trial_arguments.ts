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
