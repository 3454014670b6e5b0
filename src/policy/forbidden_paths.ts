/**
 * Paths of a host that no grant may contain, whatever the user wrote.
 *
 * @module
 */

const WHOLE_SYSTEM = ["/", "/etc", "/root", "/home", "/var", "/run", "/usr", "/boot"] as const;
const KERNEL_INTERFACES = ["/proc", "/sys", "/dev"] as const;
const ENGINE_SOCKET = /^(docker|dockerd|containerd|podman|crio|crictl|buildkitd|lxd)(\.[a-z-]+)*\.sock(et)?$/;
const ENGINE_SOCKETS = [
  "/run/docker.sock",
  "/run/docker/docker.sock",
  "/run/containerd/containerd.sock",
  "/run/k3s/containerd/containerd.sock",
  "/run/podman/podman.sock",
  "/run/crio/crio.sock",
  "/run/buildkit/buildkitd.sock",
  "/var/lib/lxd/unix.socket",
] as const;

/**
 * Say why a path may not be granted.
 *
 * @param path Absolute real path on the host: symbolic links resolved, no `.` or `..`.
 * @param runtimeDirectory Absolute real path of the directory that holds the sockets of all sandboxes.
 * @returns The rule that forbids it, as the end of the sentence "… as …", or null if nothing does.
 * @example
 * ```ts
 * import { forbiddenPathRule } from "./forbidden_paths.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(forbiddenPathRule("/srv/data", "/run/user/1000/cordon"), null);
 * ```
 */
export function forbiddenPathRule(path: string, runtimeDirectory: string): string | null {
  if (WHOLE_SYSTEM.some((root) => root === path)) {
    return `"${path}" as a whole is never granted, only directories below it`;
  }
  const kernel = KERNEL_INTERFACES.find((root) => isAtOrBelow(path, root));
  if (kernel !== undefined) return `nothing in "${kernel}" is ever granted`;
  if (isAtOrBelow(runtimeDirectory, path)) return `it contains Cordon's own directory "${runtimeDirectory}"`;
  if (isAtOrBelow(path, runtimeDirectory)) return `it lies in Cordon's own directory "${runtimeDirectory}"`;
  return engineSocketRule(path);
}

/**
 * Whether one absolute path is another or lies below it.
 *
 * @param path Absolute, normalised path.
 * @param ancestor Absolute, normalised path.
 * @returns True if `path` is `ancestor` or lies below it.
 * @example
 * ```ts
 * import { isAtOrBelow } from "./forbidden_paths.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(isAtOrBelow("/a/b", "/a"), true);
 * equal(isAtOrBelow("/ab", "/a"), false);
 * ```
 */
export function isAtOrBelow(path: string, ancestor: string): boolean {
  return path === ancestor || path.startsWith(ancestor === "/" ? "/" : `${ancestor}/`);
}

function engineSocketRule(path: string): string | null {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (ENGINE_SOCKET.test(name)) return "the socket of a container engine is root on the host";
  const inside = ENGINE_SOCKETS.find((socket) => isAtOrBelow(socket, path));
  return inside === undefined ? null : `it contains "${inside}", the socket of a container engine`;
}
