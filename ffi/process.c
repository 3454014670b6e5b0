/* Small system calls that Deno offers only with every permission, or not at all. */
#define _GNU_SOURCE
#include "cordon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same numbers on every architecture that has them. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

int32_t cordon_prlimit(int32_t pid, uint32_t resource, uint64_t *limits,
		       uint32_t set)
{
	/* The kernel's struct rlimit64, soft limit first. */
	if (pid < 0 || limits == NULL || resource >= RLIM_NLIMITS || set > 1)
		return -EINVAL;
	if (set != 0 && limits[2] > limits[3])
		return -EINVAL;
	return syscall(SYS_prlimit64, pid, resource,
		       set != 0 ? &limits[2] : NULL, &limits[0]) != 0 ?
		-errno : 0;
}

int32_t cordon_pidfd_open(int32_t pid)
{
	long fd;

	if (pid <= 0)
		return -EINVAL;
	fd = syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? -errno : (int32_t)fd;
}

int32_t cordon_pidfd_kill(int32_t pidfd, int32_t signal)
{
	if (signal < 0 || signal > SIGRTMAX)
		return -EINVAL;
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) != 0 ?
		-errno : 0;
}

int32_t cordon_peer_credentials(int32_t fd, int32_t *who)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	if (who == NULL)
		return -EINVAL;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0)
		return -errno;
	who[0] = peer.pid;
	who[1] = (int32_t)peer.uid;
	who[2] = (int32_t)peer.gid;
	return 0;
}

int32_t cordon_parent_death_signal(int32_t signal)
{
	if (signal < 0 || signal > SIGRTMAX)
		return -EINVAL;
	return prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0, 0, 0) != 0 ?
		-errno : 0;
}

static int32_t open_file(const char *path, int flags, mode_t mode)
{
	int fd;

	if (path == NULL)
		return -EINVAL;
	do {
		fd = open(path, flags | O_CLOEXEC, mode);
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

static int64_t read_all(int32_t fd, char *into, uint64_t bytes)
{
	uint64_t got = 0;

	for (;;) {
		char beyond;
		ssize_t part = got < bytes ? read(fd, into + got, bytes - got) :
					     read(fd, &beyond, 1);

		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return -errno;
		if (part == 0)
			return (int64_t)got;
		if (got == bytes)
			return -EFBIG;
		got += (uint64_t)part;
	}
}

int64_t cordon_read_file(const char *path, void *into, uint64_t bytes)
{
	int32_t fd;
	int64_t got;

	if (into == NULL || bytes > INT32_MAX)
		return -EINVAL;
	fd = open_file(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	got = read_all(fd, into, bytes);
	close(fd);
	return got;
}

int32_t cordon_write_file(const char *path, const void *from, uint64_t bytes)
{
	int32_t fd, error = 0;
	ssize_t written;

	if (from == NULL || bytes > INT32_MAX)
		return -EINVAL;
	fd = open_file(path, O_WRONLY | O_NOCTTY | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	do {
		written = write(fd, from, bytes);
	} while (written < 0 && errno == EINTR);
	if (written < 0)
		error = -errno;
	else if ((uint64_t)written != bytes)
		error = -EIO;
	close(fd);
	return error;
}

int32_t cordon_make_directory(const char *path)
{
	if (path == NULL)
		return -EINVAL;
	return mkdir(path, 0755) != 0 ? -errno : 0;
}

int32_t cordon_remove_directory(const char *path)
{
	if (path == NULL)
		return -EINVAL;
	return rmdir(path) != 0 ? -errno : 0;
}

int32_t cordon_open_path(const char *path)
{
	return open_file(path, O_PATH | O_NOFOLLOW, 0);
}

int32_t cordon_lock_file(const char *path)
{
	int32_t fd = open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fd;
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int error = errno;

		if (error == EINTR)
			continue;
		close(fd);
		return -error;
	}
	return fd;
}
