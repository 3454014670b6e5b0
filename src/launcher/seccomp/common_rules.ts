/**
 * What every stage of every sandbox needs: the calls of a runtime that computes, waits and works with its files.
 *
 * @module
 */

import { ABSENT, ALLOW, check, oneOf, type Rule, withAny, without } from "./rule.ts";

const DESCRIPTORS =
  "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 close close_range lseek " +
  "flock dup dup2 dup3 pipe pipe2 ftruncate fallocate fsync fdatasync sync_file_range copy_file_range sendfile fadvise64";

/** By path: which paths there are is the business of mounts and Landlock. */
const FILES =
  "stat lstat fstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat getdents64 " +
  "getcwd chdir fchdir mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat utime " +
  "utimes futimesat utimensat truncate umask chown fchown lchown fchownat inotify_init1 inotify_add_watch inotify_rm_watch";

const MEMORY = "munmap mremap mprotect madvise brk msync pkey_alloc pkey_free pkey_mprotect membarrier";

const THREADS =
  "futex set_robust_list get_robust_list rseq set_tid_address sched_yield sched_getaffinity sched_getparam " +
  "sched_getscheduler sched_get_priority_max sched_get_priority_min getcpu exit exit_group";

const SIGNALS =
  "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack restart_syscall";

const WAITING =
  "eventfd eventfd2 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 poll ppoll select " +
  "pselect6 nanosleep clock_nanosleep time gettimeofday clock_gettime clock_getres";

const IDENTITY =
  "gettid getpid getppid getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp getpgid getsid " +
  "getrandom uname sysinfo getrusage times getpriority";

/** On sockets that exist already; making and connecting them is decided elsewhere. */
const SOCKET_TRAFFIC =
  "getsockname getpeername getsockopt shutdown sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg";

/** Callers have an older way for these, or ask whether they exist: "no such call" is the answer that they understand. */
const MISSING =
  "clone3 openat2 io_uring_setup io_uring_enter io_uring_register userfaultfd memfd_secret futex_waitv " +
  "futex_wake futex_wait futex_requeue fsopen fsmount fsconfig fspick open_tree open_tree_attr move_mount mount_setattr " +
  "statmount listmount process_madvise process_mrelease cachestat set_mempolicy_home_node quotactl_fd map_shadow_stack " +
  "mseal lsm_get_self_attr lsm_set_self_attr lsm_list_modules landlock_create_ruleset landlock_add_rule " +
  "landlock_restrict_self setxattrat getxattrat listxattrat removexattrat file_getattr file_setattr";

const CLONE_THREAD = 0x00010000;
/** VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS, PARENT_SETTID, CHILD_CLEARTID, DETACHED: what a C library's threads use. */
const THREAD_FLAGS = 0x007d0f00;
const SETUID_AND_SETGID = 0o6000;
const O_CREAT = 0o100;
const O_TMPFILE = 0o20000000;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCKET_TYPE = 0xf;
const SIGABRT = 6;
/** Setting them makes the kernel send signals on somebody's behalf: F_SETOWN, F_SETSIG, F_SETOWN_EX. */
const FCNTL_ALLOWED = [0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1031, 1032, 1033, 1034];
const PRCTL_ALLOWED = {
  GET_DUMPABLE: 3,
  SET_NAME: 15,
  GET_NAME: 16,
  CAPBSET_READ: 23,
  GET_NO_NEW_PRIVS: 39,
  SET_VMA: 0x53564d41,
};

/** Terminal size and state, bytes to read, blocking and close-on-exec; nothing that types, steals or configures. */
export const IOCTL_ALLOWED: readonly number[] = [0x5401, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451];

/** Values of prctl's first argument that pass at every stage. */
export const PRCTL_COMMON: readonly number[] = Object.values(PRCTL_ALLOWED);

/** Calls that look like one another with the mode in different places: no file ever gets a setuid or setgid bit. */
function fileModeRules(): ReadonlyMap<string, Rule> {
  const opens = (flags: number, mode: number) =>
    check("EPERM", [without(flags, O_CREAT | O_TMPFILE)], [without(mode, SETUID_AND_SETGID)]);
  const modes = (mode: number) => check("EPERM", [without(mode, SETUID_AND_SETGID)]);
  return new Map([
    ["open", opens(1, 2)],
    ["openat", opens(2, 3)],
    ["creat", modes(1)],
    ["chmod", modes(1)],
    ["fchmod", modes(1)],
    ["fchmodat", modes(2)],
    ["fchmodat2", modes(2)],
  ]);
}

/**
 * Rules that all filters share. Each stage adds to a copy of them.
 *
 * @returns A new map.
 *
 * @example
 * ```ts
 * import { commonRules } from "./common_rules.ts";
 *
 * console.log(commonRules().get("read")); // { kind: "allow" }
 * ```
 */
export function commonRules(): Map<string, Rule> {
  const allowed = [DESCRIPTORS, FILES, MEMORY, THREADS, SIGNALS, WAITING, IDENTITY, SOCKET_TRAFFIC].join(" ");
  return new Map<string, Rule>([
    ...allowed.split(" ").map((name): [string, Rule] => [name, ALLOW]),
    ...MISSING.split(" ").map((name): [string, Rule] => [name, ABSENT]),
    ...fileModeRules(),
    ["clone", check("EPERM", [without(0, ~THREAD_FLAGS >>> 0), withAny(0, CLONE_THREAD)])],
    ["mmap", ALLOW],
    ["fcntl", check("EPERM", [oneOf(1, FCNTL_ALLOWED)])],
    ["ioctl", check("ENOTTY", [oneOf(1, IOCTL_ALLOWED)])],
    ["prctl", check("EINVAL", [oneOf(0, PRCTL_COMMON)])],
    ["prlimit64", check("EPERM", [oneOf(0, [0]), oneOf(2, [0])])],
    ["socketpair", check("EPERM", [oneOf(0, [AF_UNIX]), oneOf(1, [SOCK_STREAM], SOCKET_TYPE)])],
    ["tgkill", check("EPERM", [oneOf(2, [SIGABRT])])],
  ]);
}
