/*
 * Tries to get out of a sandbox by native code, one technique after the other, and says how far each came.
 *
 *	probe --serve SOCKET
 *	probe ... --probe MODE FILTER SECRET VICTIM PORT SOCKET PLUGIN [NAME...]
 *
 * Whatever stands before --probe is ignored, so that it can be started in place of a runtime. MODE is "fork" (each
 * technique in a process of its own) or "direct". FILTER is the path of a system call filter to install first, or
 * "-". SECRET is a file of the host, VICTIM a process of it, PORT a listening port, SOCKET a listening Unix socket,
 * PLUGIN the plugin's directory. Without a NAME all techniques are tried but those that end the process.
 *
 * Each line is a name, a tab, and "works" or the errno. Where a success would do harm, a call is made with arguments
 * that the kernel refuses only after it has let the caller in: then EFAULT, EBADF or EINVAL mean "let in".
 */
#define _GNU_SOURCE
#include "probe_files.h"
#include "probe_processes.h"
#include "probe_kernel.h"
#include "probe_network.h"

static const struct technique {
	const char *name;
	long (*attempt)(void);
	int is_deadly;
} TECHNIQUES[] = {
	{ "1 read /etc/passwd", etc_passwd, 0 },
	{ "2 read a file of the host", host_secret, 0 },
	{ "3 read it through dots", secret_by_dots, 0 },
	{ "4 read it through a symbolic link", secret_by_symlink, 0 },
	{ "4 stat it", stat_secret, 0 },
	{ "4 watch it", watch_host_file, 0 },
	{ "4 list /", list_root, 0 },
	{ "5 write to a file of the host", write_host_file, 0 },
	{ "5 change its mode", chmod_host_file, 0 },
	{ "5 change its owner", chown_host_file, 0 },
	{ "5 change its times", times_host_file, 0 },
	{ "5 truncate it", truncate_host_file, 0 },
	{ "5 rename it", rename_host_file, 0 },
	{ "6 create a file in /", create_root, 0 },
	{ "7 create a file beside the plugin", create_plugin, 0 },
	{ "8 create a file in /dev", create_dev, 0 },
	{ "8 create a file in /dev/shm", create_shm, 0 },
	{ "8 create a file in /tmp", create_tmp, 0 },
	{ "9 open /dev/kmsg", dev_kmsg, 0 },
	{ "9 open /dev/ptmx", dev_ptmx, 0 },
	{ "9 open /dev/mem", dev_mem, 0 },
	{ "9 open /dev/fuse", dev_fuse, 0 },
	{ "10 mknod of a device", make_node, 0 },
	{ "10 mknod of a pipe", make_fifo, 0 },
	{ "11 chmod 4755", setuid_chmod, 0 },
	{ "11 open with mode 4755", setuid_open, 0 },
	{ "12 hard link to a file of the host", link_out, 0 },
	{ "15 read /proc/1/environ", proc_environ, 0 },
	{ "15 read the environment of a host process", proc_victim, 0 },
	{ "15 open /proc/self/mem", proc_mem, 0 },
	{ "15 read through /proc/self/root", proc_root, 0 },
	{ "16 open core_pattern for writing", proc_core_pattern, 0 },
	{ "16 open sysrq-trigger for writing", proc_sysrq, 0 },
	{ "16 read kallsyms", proc_kallsyms, 0 },
	{ "16 open /proc/keys", proc_keys, 0 },
	{ "16 read mountinfo", proc_mountinfo, 0 },
	{ "16 read /sys/kernel/notes", sys_kernel, 0 },
	{ "17 fork by clone", do_fork, 0 },
#ifdef SYS_fork
	{ "17 fork", old_fork, 0 },
	{ "17 vfork", old_vfork, 0 },
#endif
	{ "17 fork by clone3", do_clone3, 0 },
	{ "18 ptrace a host process", ptrace_victim, 0 },
	{ "18 ptrace the parent", ptrace_parent, 0 },
	{ "18 ptrace by seizing", ptrace_seize, 0 },
	{ "19 process_vm_readv", vm_read, 0 },
	{ "19 process_vm_writev", vm_write, 0 },
	{ "20 pidfd_open", do_pidfd_open, 0 },
	{ "20 pidfd_getfd", do_pidfd_getfd, 0 },
	{ "21 kcmp", do_kcmp, 0 },
	{ "22 kill a host process", kill_victim, 0 },
	{ "22 kill everybody", kill_all, 0 },
	{ "22 tgkill a host process", tgkill_victim, 0 },
	{ "22 rt_sigqueueinfo", queue_victim, 0 },
	{ "22 SIGIO by F_SETOWN", sigio_victim, 0 },
	{ "23 exec /bin/sh", exec_shell, 0 },
	{ "24 exec a memory file", exec_memfd, 0 },
	{ "24 map a file as code", map_file_as_code, 0 },
	{ "26 limits of a host process", victim_limits, 0 },
	{ "26 set own limits", own_limits, 0 },
	{ "26 setuid", set_uid, 0 },
	{ "26 affinity of a host process", affinity, 0 },
	{ "26 priority of a host process", priority, 0 },
	{ "26 threads without end", many_threads, 0 },
	{ "26 descriptors without end", many_descriptors, 0 },
	{ "27 processes without end", many_processes, 0 },
	{ "28 unshare the user namespace", unshare_user, 0 },
	{ "29 unshare the mount namespace", unshare_mount, 0 },
	{ "30 unshare the network namespace", unshare_net, 0 },
	{ "31 clone into a user namespace", clone_user, 0 },
	{ "32 clone3 into a user namespace", clone3_user, 0 },
	{ "33 clone into a network namespace", clone_net, 0 },
	{ "34 setns", do_setns, 0 },
	{ "35 mount", do_mount, 0 },
	{ "36 remount / writable", remount_root, 0 },
	{ "37 umount", do_umount, 0 },
	{ "38 open_tree", do_open_tree, 0 },
	{ "38 move_mount", do_move_mount, 0 },
	{ "38 fsopen", do_fsopen, 0 },
	{ "38 mount_setattr", do_mount_setattr, 0 },
	{ "39 chroot", do_chroot, 0 },
	{ "39 pivot_root", do_pivot_root, 0 },
	{ "40 bpf", do_bpf, 0 },
	{ "41 perf_event_open", do_perf, 0 },
	{ "42 io_uring_setup", do_io_uring, 0 },
	{ "43 userfaultfd", do_userfaultfd, 0 },
	{ "44 keyctl", do_keyctl, 0 },
	{ "44 add_key", do_add_key, 0 },
	{ "44 request_key", do_request_key, 0 },
	{ "45 init_module", do_init_module, 0 },
	{ "45 finit_module", do_finit_module, 0 },
	{ "45 delete_module", do_delete_module, 0 },
	{ "45 kexec_load", do_kexec, 0 },
	{ "45 reboot", do_reboot, 0 },
	{ "46 syslog", do_syslog, 0 },
	{ "47 personality", do_personality, 0 },
#ifdef SYS_modify_ldt
	{ "48 modify_ldt", read_ldt, 0 },
#endif
	{ "49 name_to_handle_at", to_handle, 0 },
	{ "49 open_by_handle_at", by_handle, 0 },
	{ "50 shmget", sysv_shm, 0 },
	{ "50 msgget", sysv_msg, 0 },
	{ "50 mq_open", posix_mq, 0 },
	{ "51 seccomp listener", seccomp_listener, 0 },
	{ "51 landlock", landlock, 0 },
	{ "51 fanotify_init", fanotify, 0 },
	{ "51 sethostname", host_name, 0 },
	{ "51 clock_settime", clock_change, 0 },
	{ "51 swapon", swap, 0 },
	{ "51 become dumpable", dumpable, 0 },
	{ "51 memory file", memfd_plain, 0 },
	{ "51 memory file of huge pages", memfd_huge, 0 },
	{ "51 memfd_secret", memory_secret, 0 },
	{ "53 type into a terminal", terminal_input, 0 },
	{ "53 type into a terminal, high bits", terminal_input_high, 0 },
	{ "53 paste on a console", console, 0 },
	{ "54 socket INET", inet, 0 },
	{ "54 socket INET raw", inet_raw, 0 },
	{ "54 socket PACKET", packet, 0 },
	{ "54 socket NETLINK", netlink, 0 },
	{ "54 socket VSOCK", vsock, 0 },
	{ "54 socket ALG", algorithm, 0 },
	{ "54 socket XDP", xdp, 0 },
	{ "54 socket UNIX datagram", unix_datagram, 0 },
	{ "54 socketpair of datagrams", pair_datagram, 0 },
	{ "55 connect to a service of the host", host_service, 0 },
	{ "57 connect to an abstract socket", host_abstract, 0 },
	{ "58 connect to a socket of the host", host_unix, 0 },
	{ "90 find a stray descriptor", stray_descriptor, 0 },
	{ "91 find the host's environment", host_environment, 0 },
#if defined(__x86_64__)
	{ "52 x32 call", x32_call, 1 },
	{ "52 32-bit call", compat_call, 1 },
#endif
};

static void attempt(const struct technique *technique)
{
	long result;

	errno = 0;
	result = technique->attempt();
	printf("%s\t%s\n", technique->name, result < 0 ? strerrorname_np(errno) : "works");
	fflush(stdout);
}

static void attempt_in_child(const struct technique *technique)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		attempt(technique);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		printf("%s\tcannot fork\n", technique->name);
	else if (WIFSIGNALED(status))
		printf("%s\t%s\n", technique->name, sigabbrev_np(WTERMSIG(status)));
	fflush(stdout);
}

static int install(const char *path)
{
	static struct sock_filter instructions[4096];
	struct sock_fprog program = { 0, instructions };
	int fd;
	long size;

	if (!strcmp(path, "-"))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	size = read(fd, instructions, sizeof(instructions));
	close(fd);
	program.len = (unsigned short)(size / (long)sizeof(instructions[0]));
	return (int)CALL(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

static int is_named(const char *name, char **names)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	int forks;

	if (argc == 3 && !strcmp(argv[1], "--serve")) {
		socket_path = argv[2];
		return serve();
	}
	while (argc > 0 && strcmp(*argv, "--probe")) {
		argc--;
		argv++;
	}
	if (argc < 8)
		return 2;
	forks = !strcmp(argv[1], "fork");
	secret = argv[3];
	victim = atoi(argv[4]);
	port = (uint16_t)atoi(argv[5]);
	socket_path = argv[6];
	plugin = argv[7];
	if (install(argv[2])) {
		perror("install");
		return 3;
	}
	for (size_t i = 0; i < sizeof(TECHNIQUES) / sizeof(TECHNIQUES[0]); i++) {
		const struct technique *technique = &TECHNIQUES[i];

		if (argc > 8 ? !is_named(technique->name, argv + 8) : technique->is_deadly)
			continue;
		if (forks)
			attempt_in_child(technique);
		else
			attempt(technique);
	}
	return 0;
}
