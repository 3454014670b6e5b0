/* Techniques against files, devices and the proc file system. */
#ifndef CORDON_PROBE_FILES_H
#define CORDON_PROBE_FILES_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


static const char *secret, *socket_path, *plugin;
static pid_t victim;
static uint16_t port;

#define CALL(...) ((long)syscall(__VA_ARGS__))

/* Reads a file to see that it can be. */
static long reads(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	long got;

	if (fd < 0)
		return -1;
	got = read(fd, &byte, 1);
	close(fd);
	return got;
}

static long opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -1 : close(fd);
}

static long creates(const char *directory)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cordon-escape", directory);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	unlink(path);
	return close(fd);
}

static const char *below_plugin(const char *rest)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", plugin, rest);
	return path;
}

static long etc_passwd(void) { return reads("/etc/passwd"); }
static long host_secret(void) { return reads(secret); }
static long secret_by_dots(void)
{
	char path[4096] = "";

	snprintf(path, sizeof(path), "%s/../../../../../../../..%s", plugin, secret);
	return reads(path);
}
static long secret_by_symlink(void) { return reads(below_plugin("link")); }
static long stat_secret(void)
{
	struct stat stats;

	return stat(secret, &stats);
}
/* A second file of the host, which belongs to the sandboxes' account. */
static const char *own_file(void)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s.js", secret);
	return path;
}
static long write_host_file(void) { return opens(own_file(), O_WRONLY); }
static long chmod_host_file(void) { return chmod(own_file(), 0666); }
static long chown_host_file(void)
{
	struct stat stats = { 0 };

	return stat(own_file(), &stats) ? -1 : chown(own_file(), stats.st_uid, stats.st_gid);
}
static long times_host_file(void) { return utimensat(AT_FDCWD, own_file(), NULL, 0); }
static long truncate_host_file(void) { return truncate(own_file(), 16); }
static long rename_host_file(void)
{
	char path[4096 + 4];

	snprintf(path, sizeof(path), "%s.new", own_file());
	return rename(own_file(), path) || rename(path, own_file()) ? -1 : 0;
}
static long watch_host_file(void)
{
	int fd = inotify_init1(IN_CLOEXEC);
	long result = inotify_add_watch(fd, secret, IN_ACCESS);
	int error = errno;

	close(fd);
	errno = error;
	return result;
}
static long list_root(void)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char entries[1024];
	long got;

	if (fd < 0)
		return -1;
	got = CALL(SYS_getdents64, fd, entries, sizeof(entries));
	close(fd);
	return got;
}
static long create_root(void) { return creates("/"); }
static long create_plugin(void) { return creates(plugin); }
static long create_dev(void) { return creates("/dev"); }
static long create_shm(void) { return creates("/dev/shm"); }
static long create_tmp(void) { return creates("/tmp"); }
static long dev_kmsg(void) { return opens("/dev/kmsg", O_WRONLY); }
static long dev_ptmx(void) { return opens("/dev/ptmx", O_RDWR); }
static long dev_mem(void) { return opens("/dev/mem", O_RDONLY); }
static long dev_fuse(void) { return opens("/dev/fuse", O_RDWR); }
static long make_node(void)
{
	long result = mknod(below_plugin("node"), S_IFCHR | 0600, 0x103);

	return result ? result : unlink(below_plugin("node"));
}
static long make_fifo(void) { return CALL(SYS_mknodat, AT_FDCWD, NULL, S_IFIFO | 0600, 0); }
static long setuid_chmod(void) { return chmod("/cordon-nonexistent", 04755); }
static long setuid_open(void) { return open("/cordon-nonexistent/file", O_CREAT | O_WRONLY, 04755); }
static long link_out(void)
{
	long result = link(secret, below_plugin("hard"));

	return result ? result : unlink(below_plugin("hard"));
}
static long proc_environ(void) { return reads("/proc/1/environ"); }
static long proc_victim(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/environ", victim);
	return reads(path);
}
static long proc_mem(void) { return opens("/proc/self/mem", O_RDWR); }
static long proc_root(void) { return reads("/proc/self/root/etc/passwd"); }
static long proc_mountinfo(void) { return reads("/proc/self/mountinfo"); }
static long proc_core_pattern(void) { return opens("/proc/sys/kernel/core_pattern", O_WRONLY); }
static long proc_sysrq(void) { return opens("/proc/sysrq-trigger", O_WRONLY); }
static long proc_kallsyms(void) { return reads("/proc/kallsyms"); }
static long proc_keys(void) { return opens("/proc/keys", O_RDONLY); }
static long sys_kernel(void) { return reads("/sys/kernel/notes"); }

#endif
