/* Small system calls that Deno offers only with every permission, or not at all. */
#define _GNU_SOURCE
#include "cordon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* The lowest free number is given out: after so many free ones come no more. */
#define FREE_IN_A_ROW 256

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

static bool has_name(const struct sockaddr_un *name, socklen_t length,
		     const char *path)
{
	size_t bytes = strlen(path);

	return name->sun_family == AF_UNIX &&
	       length >= offsetof(struct sockaddr_un, sun_path) + bytes &&
	       length <= sizeof(*name) &&
	       strncmp(name->sun_path, path, sizeof(name->sun_path)) == 0;
}

static bool is_stream(int fd)
{
	int type;
	socklen_t length = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 &&
	       type == SOCK_STREAM;
}

/* Listeners have the name, too, but no peer. */
static bool is_connected_by(int fd, const char *path)
{
	struct sockaddr_un peer = { 0 }, own = { 0 };
	socklen_t peer_length = sizeof(peer), own_length = sizeof(own);

	if (getpeername(fd, (struct sockaddr *)&peer, &peer_length) != 0 ||
	    getsockname(fd, (struct sockaddr *)&own, &own_length) != 0)
		return false;
	return (has_name(&peer, peer_length, path) ||
		has_name(&own, own_length, path)) && is_stream(fd);
}

int32_t cordon_send_room(const char *path, uint32_t bytes)
{
	int fd, free_numbers = 0, room = -ENOENT;

	if (path == NULL || *path == '\0' || bytes == 0 || bytes > INT32_MAX)
		return -EINVAL;
	for (fd = 0; free_numbers < FREE_IN_A_ROW; fd++) {
		int value = (int)bytes;
		socklen_t length = sizeof(value);

		errno = 0;
		if (!is_connected_by(fd, path)) {
			free_numbers = errno == EBADF ? free_numbers + 1 : 0;
			continue;
		}
		if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, length) != 0 ||
		    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &length) != 0)
			return -errno;
		free_numbers = 0;
		room = value;
	}
	return room;
}
