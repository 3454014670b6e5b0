/**
 * Which package manager this system has, and how it installs.
 *
 * @module
 */

/** A package manager and its commands. */
export interface PackageManager {
  /** Its program, such as `"apt-get"`. */
  readonly program: string;
  /** Arguments that install packages; their names follow. */
  readonly install: readonly string[];
  /** Arguments that fetch the package lists. */
  readonly refresh: readonly string[];
}

/** Every package manager that is known here, the order being the order of preference. */
export const PACKAGE_MANAGERS: readonly PackageManager[] = [
  {
    program: "apt-get",
    install: ["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"],
    refresh: ["update"],
  },
  { program: "dnf", install: ["install", "-y"], refresh: ["makecache"] },
  { program: "pacman", install: ["-S", "--noconfirm", "--needed"], refresh: ["-Sy"] },
  { program: "zypper", install: ["--non-interactive", "install"], refresh: ["--non-interactive", "refresh"] },
  { program: "apk", install: ["add"], refresh: ["update"] },
];

const DIRECTORIES: readonly string[] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/**
 * Find the package manager of this system.
 *
 * @param isProgram Tells whether a file exists; the real one by default.
 * @returns The first one that is there, or null.
 */
export function systemPackageManager(isProgram: (path: string) => boolean = isFile): PackageManager | null {
  return PACKAGE_MANAGERS.find(({ program }) =>
    DIRECTORIES.some((directory) => isProgram(`${directory}/${program}`))
  ) ??
    null;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}
