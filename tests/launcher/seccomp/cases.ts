/**
 * Arguments that matter: one legal use and the attacks for each call whose arguments are looked at.
 *
 * @module
 */

/** A named use of a system call. */
export interface ArgumentCase {
  readonly call: string;
  readonly use: string;
  readonly args: readonly bigint[];
}

const HIGH = 1n << 32n;
const ALL = 0xffff_ffff_ffff_ffffn;

const USES: readonly (readonly [call: string, use: string, ...args: bigint[]])[] = [
  ["clone", "thread of glibc", 0x3d0f00n],
  ["clone", "thread of musl", 0x7d0f00n],
  ["clone", "fork (SIGCHLD)", 17n],
  ["clone", "vfork (VM, VFORK, SIGCHLD)", 0x4111n],
  ["clone", "thread + NEWUSER", 0x3d0f00n | 0x10000000n],
  ["clone", "thread + NEWNS", 0x3d0f00n | 0x20000n],
  ["clone", "thread + NEWTIME", 0x3d0f00n | 0x80n],
  ["clone", "thread + PTRACE", 0x3d0f00n | 0x2000n],
  ["clone", "thread + PIDFD", 0x3d0f00n | 0x1000n],
  ["clone", "thread + high bits", 0x3d0f00n | HIGH],
  ["clone", "no flag", 0n],
  ["ioctl", "TCGETS", 0n, 0x5401n],
  ["ioctl", "FIONBIO", 0n, 0x5421n],
  ["ioctl", "FIOCLEX", 0n, 0x5451n],
  ["ioctl", "TIOCSTI", 0n, 0x5412n],
  ["ioctl", "TIOCSTI + high bits", 0n, 0x5412n | HIGH],
  ["ioctl", "TCGETS + high bits", 0n, 0x5401n | HIGH],
  ["ioctl", "TIOCLINUX", 0n, 0x541cn],
  ["ioctl", "TIOCSETD", 0n, 0x5423n],
  ["ioctl", "TIOCSCTTY", 0n, 0x540en],
  ["ioctl", "FS_IOC_SETFLAGS", 0n, 0x40086602n],
  ["ioctl", "SIOCGIFCONF", 0n, 0x8912n],
  ["ioctl", "KVM_CREATE_VM", 0n, 0xae01n],
  ["ioctl", "NVIDIA escape", 0n, 0xc020462an],
  ["ioctl", "DRM version", 0n, 0xc0406400n],
  ["ioctl", "DXG enumerate", 0n, 0xc0104714n],
  ["ioctl", "UVM initialize", 0n, 0x30000001n],
  ["ioctl", "UVM command 27", 0n, 27n],
  ["prctl", "SET_NAME", 15n],
  ["prctl", "SET_VMA", 0x53564d41n],
  ["prctl", "SET_PDEATHSIG", 1n],
  ["prctl", "SET_NO_NEW_PRIVS", 38n],
  ["prctl", "SET_SECCOMP", 22n],
  ["prctl", "SET_DUMPABLE", 4n],
  ["prctl", "SET_PTRACER", 0x59616d61n],
  ["prctl", "SET_MM", 35n],
  ["prctl", "CAP_AMBIENT", 47n],
  ["prctl", "SET_NAME + high bits", 15n | HIGH],
  ["prlimit64", "read own", 0n, 7n, 0n],
  ["prlimit64", "set own", 0n, 7n, 0x7ffc_0000_1000n],
  ["prlimit64", "set own, address with low half 0", 0n, 7n, 0x7ffc_0000_0000n],
  ["prlimit64", "read of process 5", 5n, 7n, 0n],
  ["socket", "UNIX stream", 1n, 1n],
  ["socket", "UNIX stream, CLOEXEC, NONBLOCK", 1n, 0x80801n],
  ["socket", "UNIX datagram", 1n, 2n],
  ["socket", "UNIX + high bits", 1n | HIGH, 1n],
  ["socket", "INET stream", 2n, 0x80801n, 6n],
  ["socket", "INET6 datagram", 10n, 2n],
  ["socket", "INET raw", 2n, 3n],
  ["socket", "INET stream, MPTCP", 2n, 1n, 262n],
  ["socket", "INET datagram, ICMP", 2n, 2n, 1n],
  ["socket", "NETLINK", 16n, 3n],
  ["socket", "PACKET", 17n, 3n],
  ["socket", "VSOCK", 40n, 1n],
  ["socket", "ALG", 38n, 5n],
  ["socket", "XDP", 44n, 3n],
  ["socket", "BLUETOOTH", 31n, 1n],
  ["socketpair", "UNIX stream", 1n, 0x80001n],
  ["socketpair", "UNIX datagram", 1n, 2n],
  ["socketpair", "INET stream", 2n, 1n],
  ["setsockopt", "SO_REUSEADDR", 3n, 1n, 2n],
  ["setsockopt", "SO_SNDBUF", 3n, 1n, 7n],
  ["setsockopt", "SO_SNDBUFFORCE", 3n, 1n, 32n],
  ["setsockopt", "IP_RETOPTS, 7 at level 0", 3n, 0n, 7n],
  ["setsockopt", "TCP_NODELAY", 3n, 6n, 1n],
  ["setsockopt", "SO_ATTACH_FILTER", 3n, 1n, 26n],
  ["setsockopt", "SO_ATTACH_BPF", 3n, 1n, 50n],
  ["setsockopt", "SO_MARK", 3n, 1n, 36n],
  ["setsockopt", "TCP_ULP", 3n, 6n, 31n],
  ["setsockopt", "IP_HDRINCL", 3n, 0n, 3n],
  ["open", "read", 0n, 0n, 0n],
  ["open", "read with garbage as mode", 0n, 0n, 0o6777n],
  ["open", "create 0666", 0n, 0o1101n, 0o666n],
  ["open", "create 04755", 0n, 0o101n, 0o4755n],
  ["openat", "create 0666", 0n, 0n, 0o1101n, 0o666n],
  ["openat", "create 02755", 0n, 0n, 0o101n, 0o2755n],
  ["openat", "TMPFILE 04755", 0n, 0n, 0o20200002n, 0o4755n],
  ["creat", "0644", 0n, 0o644n],
  ["creat", "04755", 0n, 0o4755n],
  ["chmod", "0755", 0n, 0o755n],
  ["chmod", "04755", 0n, 0o4755n],
  ["fchmod", "02755", 0n, 0o2755n],
  ["fchmodat", "0644", 0n, 0n, 0o644n],
  ["fchmodat", "04755", 0n, 0n, 0o4755n],
  ["fchmodat2", "06755", 0n, 0n, 0o6755n],
  ["utimensat", "by path", -100n & ALL, 0x7ffc_0000_1000n],
  ["utimensat", "by descriptor", 3n, 0n],
  ["mmap", "anonymous, executable (JIT)", 0n, 4096n, 7n, 0x22n],
  ["mmap", "file, readable", 0n, 4096n, 1n, 2n],
  ["mmap", "file, executable (dlopen)", 0n, 4096n, 5n, 2n],
  ["mmap", "file, executable + high bits", 0n, 4096n, 5n | HIGH, 2n],
  ["fcntl", "F_DUPFD_CLOEXEC", 0n, 1030n],
  ["fcntl", "F_SETLK", 0n, 6n],
  ["fcntl", "F_ADD_SEALS", 0n, 1033n],
  ["fcntl", "F_SETOWN", 0n, 8n],
  ["fcntl", "F_SETSIG", 0n, 10n],
  ["fcntl", "F_SETOWN_EX", 0n, 15n],
  ["memfd_create", "CLOEXEC, ALLOW_SEALING", 0n, 3n],
  ["memfd_create", "CLOEXEC, ALLOW_SEALING, NOEXEC_SEAL", 0n, 11n],
  ["memfd_create", "HUGETLB", 0n, 4n],
  ["memfd_create", "EXEC", 0n, 16n],
  ["tgkill", "SIGABRT", 1n, 1n, 6n],
  ["tgkill", "SIGKILL", 1n, 1n, 9n],
  ["tgkill", "SIGUSR1", 1n, 1n, 10n],
  ["seccomp", "filter, TSYNC", 1n, 1n],
  ["seccomp", "filter, NEW_LISTENER", 1n, 8n],
  ["seccomp", "strict mode", 0n, 0n],
];

/** Every named use. */
export const ARGUMENT_CASES: readonly ArgumentCase[] = USES.map(([call, use, ...args]) => ({
  call,
  use,
  args,
}));

/** Argument lists that are tried with every number, so that a check that nobody named cannot hide. */
export const GENERIC_ARGUMENTS: readonly (readonly bigint[])[] = [
  [],
  ...[1n, 0xffffn, 0xffff_ffffn, HIGH, ALL].flatMap((value) =>
    [0, 1, 2, 3, 4, 5].map((index) => Array.from({ length: 6 }, (_, i) => i === index ? value : 0n))
  ),
  Array<bigint>(6).fill(ALL),
];
