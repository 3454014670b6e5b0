/**
 * The reviewed list of what each kernel layer stops on its own.
 *
 * @module
 */

import type { Layer } from "./single_layers.ts";

/** What one layer does about one technique. */
export interface LayerClaim {
  /** As in the native list. */
  readonly name: string;
  /** How the technique ends behind this layer alone; a layer that is not named does nothing about it. */
  readonly stopped: Readonly<Partial<Record<Layer, string>>>;
}

/** Technique, then bubblewrap, Landlock and filters; a dot is none of that layer's business. */
const TABLE = `
  1 read /etc/passwd                         | ENOENT       | EACCES       | .
  2 read a file of the host                  | ENOENT       | EACCES       | .
  3 read it through dots                     | ENOENT       | EACCES       | .
  4 read it through a symbolic link          | ENOENT       | EACCES       | .
  4 stat it                                  | ENOENT       | .            | .
  4 watch it                                 | ENOENT       | .            | .
  4 list /                                   | .            | EACCES       | .
  5 write to a file of the host              | ENOENT       | EACCES       | .
  5 change its mode                          | ENOENT       | .            | .
  5 change its owner                         | ENOENT       | .            | .
  5 change its times                         | ENOENT       | .            | .
  5 truncate it                              | ENOENT       | EACCES       | .
  5 rename it                                | ENOENT       | EACCES       | .
  6 create a file in /                       | EROFS        | .            | .
  7 create a file beside the plugin          | EROFS        | EACCES       | .
  8 create a file in /dev                    | EROFS        | .            | .
  8 create a file in /dev/shm                | ENOENT       | EACCES       | .
  8 create a file in /tmp                    | ENOENT       | EACCES       | .
  9 open /dev/kmsg                           | ENOENT       | .            | .
  9 open /dev/ptmx                           | ENOENT       | EACCES       | .
  9 open /dev/fuse                           | ENOENT       | .            | .
  10 mknod of a device                       | EROFS        | EACCES       | .
  10 mknod of a pipe                         | .            | .            | EPERM
  11 chmod 4755                              | .            | .            | EPERM
  11 open with mode 4755                     | .            | .            | EPERM
  12 hard link to a file of the host         | ENOENT       | .            | .
  15 read /proc/1/environ                    | ENOENT       | .            | .
  15 read the environment of a host process  | ENOENT       | EACCES       | .
  15 open /proc/self/mem                     | ENOENT       | EACCES       | .
  15 read through /proc/self/root            | ENOENT       | EACCES       | .
  16 open core_pattern for writing           | ENOENT       | .            | .
  16 read kallsyms                           | ENOENT       | EACCES       | .
  16 open /proc/keys                         | ENOENT       | EACCES       | .
  16 read mountinfo                          | ENOENT       | EACCES       | .
  16 read /sys/kernel/notes                  | ENOENT       | EACCES       | .
  17 fork by clone                           | .            | .            | EPERM
  17 fork                                    | .            | .            | EPERM
  17 vfork                                   | .            | .            | EPERM
  17 fork by clone3                          | .            | .            | ENOSYS
  18 ptrace a host process                   | ESRCH        | EPERM        | EPERM
  18 ptrace the parent                       | .            | .            | EPERM
  18 ptrace by seizing                       | ESRCH        | EPERM        | EPERM
  19 process_vm_readv                        | ESRCH        | EPERM        | EPERM
  19 process_vm_writev                       | ESRCH        | EPERM        | EPERM
  20 pidfd_open                              | ESRCH        | .            | EPERM
  20 pidfd_getfd                             | EBADF        | EPERM        | EPERM
  21 kcmp                                    | ESRCH        | EPERM        | EPERM
  22 kill a host process                     | ESRCH        | EPERM        | EPERM
  22 kill everybody                          | .            | .            | EPERM
  22 tgkill a host process                   | ESRCH        | EPERM        | EPERM
  22 rt_sigqueueinfo                         | .            | .            | EPERM
  22 SIGIO by F_SETOWN                       | ESRCH        | .            | EPERM
  23 exec /bin/sh                            | ENOENT       | EACCES       | EPERM
  24 exec a memory file                      | .            | .            | EPERM
  24 map a file as code                      | .            | .            | EPERM
  26 limits of a host process                | ESRCH        | .            | EPERM
  26 set own limits                          | .            | .            | EPERM
  26 setuid                                  | .            | .            | EPERM
  26 affinity of a host process              | ESRCH        | .            | EPERM
  26 priority of a host process              | ESRCH        | .            | EPERM
  27 processes without end                   | .            | .            | EPERM
  28 unshare the user namespace              | ENOSPC       | .            | EPERM
  31 clone into a user namespace             | ENOSPC       | .            | EPERM
  32 clone3 into a user namespace            | ENOSPC       | .            | ENOSYS
  34 setns                                   | .            | .            | EPERM
  35 mount                                   | .            | .            | EPERM
  36 remount / writable                      | .            | .            | EPERM
  37 umount                                  | .            | .            | EPERM
  38 open_tree                               | .            | .            | ENOSYS
  38 move_mount                              | .            | .            | ENOSYS
  38 fsopen                                  | .            | .            | ENOSYS
  38 mount_setattr                           | .            | .            | ENOSYS
  39 chroot                                  | .            | .            | EPERM
  40 bpf                                     | .            | .            | EPERM
  41 perf_event_open                         | .            | .            | EPERM
  42 io_uring_setup                          | .            | .            | ENOSYS
  43 userfaultfd                             | .            | .            | ENOSYS
  44 keyctl                                  | .            | .            | EPERM
  44 add_key                                 | .            | .            | EPERM
  44 request_key                             | .            | .            | EPERM
  45 init_module                             | .            | .            | EPERM
  45 finit_module                            | .            | .            | EPERM
  45 delete_module                           | .            | .            | EPERM
  45 kexec_load                              | .            | .            | EPERM
  47 personality                             | .            | .            | EPERM
  48 modify_ldt                              | .            | .            | EPERM
  49 name_to_handle_at                       | .            | .            | EPERM
  49 open_by_handle_at                       | .            | .            | EPERM
  50 shmget                                  | .            | .            | EPERM
  50 msgget                                  | .            | .            | EPERM
  50 mq_open                                 | .            | .            | EPERM
  51 seccomp listener                        | .            | .            | EPERM
  51 landlock                                | .            | .            | ENOSYS
  51 clock_settime                           | .            | .            | EPERM
  51 become dumpable                         | .            | .            | EINVAL
  51 memory file                             | .            | .            | EPERM
  51 memory file of huge pages               | .            | .            | EPERM
  51 memfd_secret                            | .            | .            | ENOSYS
  53 type into a terminal                    | .            | .            | ENOTTY
  53 type into a terminal, high bits         | .            | .            | ENOTTY
  53 paste on a console                      | .            | .            | ENOTTY
  54 socket INET                             | .            | .            | EPERM
  54 socket NETLINK                          | .            | .            | EPERM
  54 socket VSOCK                            | .            | .            | EPERM
  54 socket ALG                              | .            | .            | EPERM
  54 socket UNIX datagram                    | .            | .            | EPERM
  54 socketpair of datagrams                 | .            | .            | EPERM
  55 connect to a service of the host        | ECONNREFUSED | EACCES       | EPERM
  57 connect to an abstract socket           | ECONNREFUSED | EPERM        | EPERM
  58 connect to a socket of the host         | ENOENT       | .            | EPERM
  90 find a stray descriptor                 | .            | EBADF        | EBADF
  91 find the host's environment             | ENOENT       | .            | .
  52 x32 call                                | .            | .            | SIGSYS
  52 32-bit call                             | .            | .            | SIGSYS
`;

/** What each layer stops when the others are off. */
export const LAYER_CLAIMS: readonly LayerClaim[] = TABLE.trim().split("\n").map((line) => {
  const [name, ...cells] = line.split("|").map((cell) => cell.trim());
  const layers = ["bubblewrap", "landlock", "filters"] as const;
  if (cells.length !== layers.length) {
    throw new Error(`Cannot read "${name}" as it has ${cells.length} columns`);
  }
  const stopped = layers.flatMap((layer, index) => cells[index] === "." ? [] : [[layer, cells[index]!]]);
  return { name: name!, stopped: Object.fromEntries(stopped) };
});
