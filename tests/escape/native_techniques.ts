/**
 * The reviewed list of what native code tries, and of how far it comes.
 *
 * @module
 */

/** A technique of the native probe. */
export interface NativeTechnique {
  /** Number in the threat list, and what is tried. */
  readonly name: string;
  /** Outcome without any layer: `"works"`, or the errno of a call that the kernel let in. */
  readonly control: string;
  /** Outcome in the sandbox of namespaces, Landlock and filters. */
  readonly namespaces: string;
  /** Outcome behind Landlock and filters alone. Whose directory it is decides between two refusals. */
  readonly landlock: string;
  /** Whom the control takes: anybody, root, or a kernel that has the thing at all. */
  readonly needs: "nothing" | "root" | "a rarer kernel";
}

type Row = readonly [
  name: string,
  control: string,
  namespaces: string,
  landlock: string,
  needs?: "root" | "rare",
];

const ROWS: readonly Row[] = [
  ["1 read /etc/passwd", "works", "ENOENT", "EACCES"],
  ["2 read a file of the host", "works", "ENOENT", "EACCES"],
  ["3 read it through dots", "works", "ENOENT", "EACCES"],
  ["4 read it through a symbolic link", "works", "ENOENT", "EACCES"],
  ["4 stat it", "works", "ENOENT", "works"],
  ["4 list /", "works", "EACCES", "EACCES"],
  ["4 watch it", "works", "ENOENT", "EPERM"],
  ["5 write to a file of the host", "works", "ENOENT", "EACCES"],
  ["5 change its mode", "works", "ENOENT", "EPERM"],
  ["5 change its owner", "works", "ENOENT", "EPERM"],
  ["5 change its times", "works", "ENOENT", "EPERM"],
  ["5 truncate it", "works", "ENOENT", "EPERM"],
  ["5 rename it", "works", "ENOENT", "EACCES"],
  ["6 create a file in /", "works", "EROFS", "EACCES", "root"],
  ["7 create a file beside the plugin", "works", "EROFS", "EACCES"],
  ["8 create a file in /dev", "works", "EROFS", "EACCES", "root"],
  ["8 create a file in /dev/shm", "works", "ENOENT", "EACCES"],
  ["8 create a file in /tmp", "works", "ENOENT", "EACCES"],
  ["9 open /dev/kmsg", "works", "ENOENT", "EACCES", "root"],
  ["9 open /dev/ptmx", "works", "ENOENT", "EACCES"],
  ["9 open /dev/mem", "works", "ENOENT", "EACCES", "rare"],
  ["9 open /dev/fuse", "works", "ENOENT", "EACCES", "root"],
  ["10 mknod of a device", "works", "EPERM", "EPERM", "root"],
  ["10 mknod of a pipe", "EFAULT", "EPERM", "EPERM"],
  ["11 chmod 4755", "ENOENT", "EPERM", "EPERM"],
  ["11 open with mode 4755", "ENOENT", "EPERM", "EPERM"],
  ["12 hard link to a file of the host", "works", "ENOENT", "EPERM or EACCES", "root"],
  ["15 read /proc/1/environ", "works", "ENOENT", "EACCES", "rare"],
  ["15 read the environment of a host process", "works", "ENOENT", "EACCES"],
  ["15 open /proc/self/mem", "works", "ENOENT", "EACCES"],
  ["15 read through /proc/self/root", "works", "ENOENT", "EACCES"],
  ["16 open core_pattern for writing", "works", "ENOENT", "EACCES", "root"],
  ["16 open sysrq-trigger for writing", "works", "ENOENT", "EACCES", "rare"],
  ["16 read kallsyms", "works", "ENOENT", "EACCES"],
  ["16 open /proc/keys", "works", "ENOENT", "EACCES"],
  ["16 read mountinfo", "works", "ENOENT", "EACCES"],
  ["16 read /sys/kernel/notes", "works", "ENOENT", "EACCES"],
  ["17 fork by clone", "works", "EPERM", "EPERM"],
  ["17 fork", "works", "EPERM", "EPERM"],
  ["17 vfork", "works", "EPERM", "EPERM"],
  ["17 fork by clone3", "works", "ENOSYS", "ENOSYS"],
  ["18 ptrace a host process", "works", "EPERM", "EPERM"],
  ["18 ptrace the parent", "works", "EPERM", "EPERM"],
  ["18 ptrace by seizing", "works", "EPERM", "EPERM"],
  ["19 process_vm_readv", "EFAULT", "EPERM", "EPERM"],
  ["19 process_vm_writev", "EFAULT", "EPERM", "EPERM"],
  ["20 pidfd_open", "works", "EPERM", "EPERM"],
  ["20 pidfd_getfd", "works", "EPERM", "EPERM"],
  ["21 kcmp", "works", "EPERM", "EPERM"],
  ["22 kill a host process", "works", "EPERM", "EPERM"],
  ["22 kill everybody", "works", "EPERM", "EPERM"],
  ["22 tgkill a host process", "works", "EPERM", "EPERM"],
  ["22 rt_sigqueueinfo", "EFAULT", "EPERM", "EPERM"],
  ["22 SIGIO by F_SETOWN", "works", "EPERM", "EPERM"],
  ["23 exec /bin/sh", "EFAULT", "EPERM", "EPERM"],
  ["24 exec a memory file", "EFAULT", "EPERM", "EPERM"],
  ["24 map a file as code", "works", "EPERM", "EPERM"],
  ["26 limits of a host process", "works", "EPERM", "EPERM"],
  ["26 set own limits", "works", "EPERM", "EPERM"],
  ["26 setuid", "works", "EPERM", "EPERM"],
  ["26 affinity of a host process", "EINVAL", "EPERM", "EPERM"],
  ["26 priority of a host process", "works", "EPERM", "EPERM"],
  ["26 threads without end", "works", "EAGAIN", "works"],
  ["26 descriptors without end", "works", "EMFILE", "EMFILE"],
  ["27 processes without end", "works", "EPERM", "EPERM"],
  ["28 unshare the user namespace", "works", "EPERM", "EPERM"],
  ["29 unshare the mount namespace", "works", "EPERM", "EPERM", "root"],
  ["30 unshare the network namespace", "works", "EPERM", "EPERM", "root"],
  ["31 clone into a user namespace", "works", "EPERM", "EPERM"],
  ["32 clone3 into a user namespace", "works", "ENOSYS", "ENOSYS"],
  ["33 clone into a network namespace", "works", "EPERM", "EPERM", "root"],
  ["34 setns", "EBADF", "EPERM", "EPERM"],
  ["35 mount", "EFAULT", "EPERM", "EPERM"],
  ["36 remount / writable", "EFAULT", "EPERM", "EPERM"],
  ["37 umount", "ENOENT", "EPERM", "EPERM"],
  ["38 open_tree", "EBADF", "ENOSYS", "ENOSYS", "root"],
  ["38 move_mount", "EBADF", "ENOSYS", "ENOSYS", "root"],
  ["38 fsopen", "ENODEV", "ENOSYS", "ENOSYS", "root"],
  ["38 mount_setattr", "EINVAL", "ENOSYS", "ENOSYS"],
  ["39 chroot", "ENOENT", "EPERM", "EPERM"],
  ["39 pivot_root", "EFAULT", "EPERM", "EPERM", "root"],
  ["40 bpf", "EFAULT", "EPERM", "EPERM", "root"],
  ["41 perf_event_open", "EFAULT", "EPERM", "EPERM"],
  ["42 io_uring_setup", "EFAULT", "ENOSYS", "ENOSYS"],
  ["43 userfaultfd", "EINVAL", "ENOSYS", "ENOSYS"],
  ["44 keyctl", "EOPNOTSUPP", "EPERM", "EPERM"],
  ["44 add_key", "EFAULT", "EPERM", "EPERM"],
  ["44 request_key", "EFAULT", "EPERM", "EPERM"],
  ["45 init_module", "EFAULT", "EPERM", "EPERM", "rare"],
  ["45 finit_module", "EBADF", "EPERM", "EPERM", "rare"],
  ["45 delete_module", "EFAULT", "EPERM", "EPERM", "rare"],
  ["45 kexec_load", "EINVAL", "EPERM", "EPERM", "rare"],
  ["45 reboot", "EINVAL", "EPERM", "EPERM", "root"],
  ["46 syslog", "works", "EPERM", "EPERM", "root"],
  ["47 personality", "works", "EPERM", "EPERM"],
  ["48 modify_ldt", "works", "EPERM", "EPERM"],
  ["49 name_to_handle_at", "EFAULT", "EPERM", "EPERM"],
  ["49 open_by_handle_at", "EFAULT", "EPERM", "EPERM", "root"],
  ["50 shmget", "ENOENT", "EPERM", "EPERM"],
  ["50 msgget", "ENOENT", "EPERM", "EPERM"],
  ["50 mq_open", "ENOENT", "EPERM", "EPERM"],
  ["51 seccomp listener", "EFAULT", "EPERM", "EPERM"],
  ["51 landlock", "works", "ENOSYS", "ENOSYS"],
  ["51 fanotify_init", "EINVAL", "EPERM", "EPERM", "root"],
  ["51 sethostname", "EFAULT", "EPERM", "EPERM", "root"],
  ["51 clock_settime", "EFAULT", "EPERM", "EPERM"],
  ["51 swapon", "ENOENT", "EPERM", "EPERM", "root"],
  ["51 become dumpable", "works", "EINVAL", "EINVAL"],
  ["51 memory file", "works", "EPERM", "EPERM"],
  ["51 memory file of huge pages", "works", "EPERM", "EPERM"],
  ["51 memfd_secret", "EINVAL", "ENOSYS", "ENOSYS", "rare"],
  ["53 type into a terminal", "EBADF", "ENOTTY", "ENOTTY"],
  ["53 type into a terminal, high bits", "EBADF", "ENOTTY", "ENOTTY"],
  ["53 paste on a console", "EBADF", "ENOTTY", "ENOTTY"],
  ["54 socket INET", "works", "EPERM", "EPERM"],
  ["54 socket INET raw", "works", "EPERM", "EPERM", "root"],
  ["54 socket PACKET", "works", "EPERM", "EPERM", "root"],
  ["54 socket NETLINK", "works", "EPERM", "EPERM"],
  ["54 socket VSOCK", "works", "EPERM", "EPERM"],
  ["54 socket ALG", "works", "EPERM", "EPERM", "rare"],
  ["54 socket XDP", "works", "EPERM", "EPERM", "root"],
  ["54 socket UNIX datagram", "works", "EPERM", "EPERM"],
  ["54 socketpair of datagrams", "works", "EPERM", "EPERM"],
  ["55 connect to a service of the host", "works", "EPERM", "EPERM"],
  ["57 connect to an abstract socket", "works", "EPERM", "EPERM"],
  ["58 connect to a socket of the host", "works", "EPERM", "EPERM"],
  ["90 find a stray descriptor", "works", "EBADF", "EBADF"],
  ["91 find the host's environment", "works", "ENOENT", "ENOENT"],
  ["52 x32 call", "works", "SIGSYS", "SIGSYS", "rare"],
  ["52 32-bit call", "works", "SIGSYS", "SIGSYS"],
];

/** Every technique. */
export const NATIVE_TECHNIQUES: readonly NativeTechnique[] = ROWS
  .map(([name, control, namespaces, landlock, needs]) => ({
    name,
    control,
    namespaces,
    landlock,
    needs: needs === undefined ? "nothing" : needs === "root" ? "root" : "a rarer kernel",
  }));

/** What still works in a tier, and why that is so. Everything else must fail. */
export const NATIVE_EXCEPTIONS: Readonly<
  Record<"namespaces" | "landlock", Readonly<Record<string, string>>>
> = {
  namespaces: {},
  landlock: {
    "4 stat it": "Landlock does not govern metadata: names, sizes and times of files can be seen",
    "26 threads without end":
      "outside a user namespace the kernel counts all processes of an account together: no bound is set",
  },
};
