/* Techniques against namespaces and the kernel. */
#ifndef CORDON_PROBE_KERNEL_H
#define CORDON_PROBE_KERNEL_H

#include "probe_processes.h"

static long unshare_user(void) { return unshare(CLONE_NEWUSER); }
static long unshare_mount(void) { return unshare(CLONE_NEWNS); }
static long unshare_net(void) { return unshare(CLONE_NEWNET); }
static long clone_user(void) { return collect(CALL(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)); }
static long clone3_user(void)
{
	uint64_t args[11] = { [0] = CLONE_NEWUSER, [4] = SIGCHLD };

	return collect(CALL(435, args, sizeof(args)));
}
static long clone_net(void) { return collect(CALL(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0)); }
#ifdef SYS_modify_ldt
static long read_ldt(void)
{
	char table[64];

	return CALL(SYS_modify_ldt, 0, table, sizeof(table));
}
#endif
static long do_setns(void) { return setns(-1, CLONE_NEWNET); }
static long do_mount(void) { return CALL(SYS_mount, 8, 8, 8, 0, 0); }
static long remount_root(void) { return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | 0x80000000ul, (void *)8); }
static long do_umount(void) { return umount2("/cordon-nonexistent", MNT_DETACH); }
static long do_open_tree(void) { return CALL(428, -1, "nonexistent", 1); }
static long do_move_mount(void) { return CALL(429, -1, "nonexistent", -1, "nonexistent", 0); }
static long do_fsopen(void) { return CALL(430, "nonexistent", 0); }
static long do_mount_setattr(void) { return CALL(442, -1, "nonexistent", 0, NULL, 0); }
static long do_chroot(void) { return chroot("/cordon-nonexistent"); }
static long do_pivot_root(void) { return CALL(SYS_pivot_root, 8, 8); }
static long do_bpf(void) { return CALL(SYS_bpf, 0, 8, 8); }
static long do_perf(void) { return CALL(SYS_perf_event_open, 8, 0, -1, -1, 0); }
static long do_io_uring(void) { return CALL(425, 1, 8); }
static long do_userfaultfd(void) { return CALL(SYS_userfaultfd, ~0u); }
static long do_keyctl(void) { return CALL(SYS_keyctl, 9999, 0, 0, 0, 0); }
static long do_add_key(void) { return CALL(SYS_add_key, 8, 8, 8, 0, 0); }
static long do_request_key(void) { return CALL(SYS_request_key, 8, 8, 8, 0); }
static long do_init_module(void) { return CALL(SYS_init_module, 8, 0, 8); }
static long do_finit_module(void) { return CALL(SYS_finit_module, -1, "", 0); }
static long do_delete_module(void) { return CALL(SYS_delete_module, 8, 0); }
static long do_kexec(void) { return CALL(SYS_kexec_load, 0, 1000, NULL, 0); }
static long do_reboot(void) { return CALL(SYS_reboot, 0, 0, 0, 0); }
static long do_syslog(void) { return CALL(SYS_syslog, 10, NULL, 0); }
static long do_personality(void) { return CALL(SYS_personality, 0xffffffff); }
static long by_handle(void) { return CALL(SYS_open_by_handle_at, -1, 8, 0); }
static long to_handle(void) { return CALL(SYS_name_to_handle_at, AT_FDCWD, "/", 8, 8, 0); }
static long sysv_shm(void) { return CALL(SYS_shmget, 0x7ffffff1, 0, 0); }
static long sysv_msg(void) { return CALL(SYS_msgget, 0x7ffffff1, 0); }
static long posix_mq(void) { return CALL(SYS_mq_open, "nonexistent", O_RDONLY, 0, NULL); }
static long seccomp_listener(void) { return CALL(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 8, 8); }
static long landlock(void) { return CALL(444, NULL, 0, 1); }
static long fanotify(void) { return CALL(SYS_fanotify_init, 0x80000000, 0); }
static long host_name(void) { return CALL(SYS_sethostname, 8, 1); }
static long clock_change(void) { return CALL(SYS_clock_settime, CLOCK_REALTIME, 8); }
static long swap(void) { return CALL(SYS_swapon, "/cordon-nonexistent", 0); }
static long dumpable(void) { return prctl(PR_SET_DUMPABLE, 1); }
static long memfd_plain(void) { return memfd_create("escape", MFD_CLOEXEC | MFD_ALLOW_SEALING); }
static long memfd_huge(void) { return memfd_create("escape", MFD_HUGETLB); }
static long memory_secret(void) { return CALL(447, ~0u); }
static long terminal_input(void) { return CALL(SYS_ioctl, -1, 0x5412ul, 8); }
static long terminal_input_high(void) { return CALL(SYS_ioctl, -1, 0x5412ul | 1ul << 32, 8); }
static long console(void) { return CALL(SYS_ioctl, -1, 0x541cul, 8); }

#endif
