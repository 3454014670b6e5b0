/**
 * A plan as arguments of cordon-exec.
 *
 * @module
 */

import { type ExecPlan, LANDLOCK_ABI_KNOWN, type LandlockPlan, type RlimitValue } from "./exec_plan.ts";

/**
 * Compile a plan into the arguments of cordon-exec.
 *
 * @param plan What to take away.
 * @param command Absolute path of the program to become, and its arguments.
 * @returns Arguments after the program's own name.
 * @throws {TypeError} If a path is not absolute, or an argument contains NUL.
 * @throws {RangeError} If a number is not a whole one, or out of bounds.
 *
 * @example
 * ```ts
 * import { cordonExecArguments } from "./cordon_exec_arguments.ts";
 *
 * const plan = { rlimits: { core: 0 }, landlock: null, parentPid: null, seccompFd: null, closeFrom: 3 };
 * console.log(cordonExecArguments(plan, ["/app/deno", "run", "/app/guest.js"]));
 * // ["--rlimit=core:0:0", "--no-new-privs", "--close-fds-from=3", "--", "/app/deno", "run", "/app/guest.js"]
 * ```
 */
export function cordonExecArguments(plan: ExecPlan, command: readonly [string, ...string[]]): string[] {
  const limits = Object.entries(plan.rlimits).map(([name, value]) => `--rlimit=${name}:${bounds(value)}`);
  const options = [
    ...limits,
    "--no-new-privs",
    ...(plan.landlock === null ? [] : landlockOptions(plan.landlock)),
    ...numbered("--pdeathsig", plan.parentPid),
    ...numbered("--seccomp-fd", plan.seccompFd),
    ...numbered("--close-fds-from", plan.closeFrom),
  ];
  absolute(command[0]);
  const all = [...options, "--", ...command];
  const broken = all.find((argument) => argument.includes("\0"));
  if (broken !== undefined) {
    throw new TypeError(`Cannot pass ${JSON.stringify(broken)} to cordon-exec as it contains NUL`);
  }
  return all;
}

function landlockOptions(plan: LandlockPlan): string[] {
  if (!Number.isInteger(plan.abi) || plan.abi < 1 || plan.abi > LANDLOCK_ABI_KNOWN) {
    throw new RangeError(
      `Cannot enforce a Landlock ABI as 1 to ${LANDLOCK_ABI_KNOWN} are known: it is ${plan.abi}`,
    );
  }
  const paths = {
    "--landlock-ro": plan.readOnly,
    "--landlock-rx": plan.executable,
    "--landlock-rw": plan.readWrite,
    "--landlock-dev": plan.devices,
  };
  return [
    `--landlock-abi=${plan.abi}`,
    ...Object.entries(paths).flatMap(([option, list]) => list.map((path) => `${option}=${absolute(path)}`)),
    ...ports("--landlock-connect", plan.tcpConnect),
    ...ports("--landlock-bind", plan.tcpBind),
    ...(plan.scope ? ["--landlock-scope"] : []),
  ];
}

function ports(option: string, list: "any" | readonly number[]): string[] {
  if (list === "any") return [];
  return [`${option}=none`, ...list.flatMap((port) => numbered(option, port))];
}

function numbered(option: string, value: number | null): string[] {
  return value === null ? [] : [`${option}=${whole(value)}`];
}

function bounds(value: RlimitValue): string {
  const { soft, hard } = typeof value === "object" ? value : { soft: value, hard: value };
  return [soft, hard].map((bound) => bound === "unlimited" ? bound : whole(bound)).join(":");
}

function whole(value: number): string {
  if (Number.isSafeInteger(value) && value >= 0) return String(value);
  throw new RangeError(
    `Cannot pass a number to cordon-exec as it must be whole and not negative: it is ${value}`,
  );
}

function absolute(path: string): string {
  if (path.startsWith("/")) return path;
  throw new TypeError(`Cannot pass ${JSON.stringify(path)} to cordon-exec as it must be an absolute path`);
}
