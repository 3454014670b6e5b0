/* Small system calls that Deno offers only with every permission, or not at all. */
#define _GNU_SOURCE
#include "cordon.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

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

static int32_t open_file(const char *path)
{
	int fd;

	do {
		fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
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

	if (path == NULL || into == NULL || bytes > INT32_MAX)
		return -EINVAL;
	fd = open_file(path);
	if (fd < 0)
		return fd;
	got = read_all(fd, into, bytes);
	close(fd);
	return got;
}
