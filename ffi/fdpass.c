/* Messages between two processes, each with at most one descriptor. */
#define _GNU_SOURCE
#include "cordon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_MESSAGE_BYTES 65536u
/* Room for as many descriptors as the kernel passes at once (SCM_MAX_FD). */
#define MAX_DESCRIPTORS 253

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
/* The same number on every architecture that has it. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

int32_t cordon_socketpair(int32_t *pair)
{
	int ends[2];

	if (pair == NULL)
		return -EINVAL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       ends) != 0)
		return -errno;
	pair[0] = ends[0];
	pair[1] = ends[1];
	return 0;
}

int32_t cordon_send(int32_t fd, const void *message, uint32_t bytes,
		    int32_t pass_fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { .iov_base = (void *)(uintptr_t)message,
			      .iov_len = bytes };
	struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t sent;

	if (message == NULL || bytes == 0 || bytes > MAX_MESSAGE_BYTES)
		return -EINVAL;
	if (pass_fd >= 0) {
		memset(&control, 0, sizeof(control));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &pass_fd, sizeof(int));
		packet.msg_control = &control;
		packet.msg_controllen = sizeof(control);
	}
	do {
		sent = sendmsg(fd, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (uint32_t)sent == bytes ? 0 : -EIO;
}

/*
 * Keep the first descriptor of a message and close all others. Returns how
 * many there were, or -1 for control data of another kind.
 */
static int take_descriptors(struct msghdr *packet, int *first)
{
	struct cmsghdr *header;
	int count = 0;
	bool foreign = false;

	for (header = CMSG_FIRSTHDR(packet); header != NULL;
	     header = CMSG_NXTHDR(packet, header)) {
		size_t bytes, at;

		if (header->cmsg_level != SOL_SOCKET ||
		    header->cmsg_type != SCM_RIGHTS ||
		    header->cmsg_len < CMSG_LEN(0)) {
			foreign = true;
			continue;
		}
		bytes = header->cmsg_len - CMSG_LEN(0);
		for (at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + at, sizeof(int));
			if (count++ == 0)
				*first = fd;
			else
				close(fd);
		}
	}
	return foreign ? -1 : count;
}

int32_t cordon_receive(int32_t fd, void *message, uint32_t bytes,
		       int32_t *passed)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int) * MAX_DESCRIPTORS)];
	} control;
	struct iovec part = { .iov_base = message, .iov_len = bytes };
	struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control) };
	ssize_t got;
	int first = -1, count;

	if (message == NULL || passed == NULL || bytes == 0 ||
	    bytes > MAX_MESSAGE_BYTES)
		return -EINVAL;
	*passed = -1;
	do {
		got = recvmsg(fd, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	count = take_descriptors(&packet, &first);
	if (count < 0 || count > 1 ||
	    (packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		if (first >= 0)
			close(first);
		return -EBADMSG;
	}
	*passed = first;
	return (int32_t)got;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int32_t cordon_wait(int32_t fd, int32_t timeout_ms)
{
	struct pollfd waited = { .fd = fd, .events = POLLIN | POLLRDHUP };
	int64_t until = now_ms() + timeout_ms;
	int ready;

	if (fd < 0)
		return -EBADF;
	for (;;) {
		ready = poll(&waited, 1, timeout_ms);
		if (ready >= 0 || errno != EINTR)
			break;
		if (timeout_ms >= 0) {
			int64_t left = until - now_ms();

			timeout_ms = left > 0 ? (int32_t)left : 0;
		}
	}
	if (ready < 0)
		return -errno;
	if (ready > 0 && (waited.revents & POLLNVAL) != 0)
		return -EBADF;
	return ((waited.revents & POLLIN) != 0 ? CORDON_READABLE : 0) |
	       ((waited.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0 ?
			CORDON_HUNG_UP : 0);
}

int32_t cordon_watch_open(void)
{
	int32_t watch = epoll_create1(EPOLL_CLOEXEC);

	return watch < 0 ? -errno : watch;
}

int32_t cordon_watch(int32_t watch, int32_t fd, int32_t is_wanted)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP };
	int operation = is_wanted != 0 ? EPOLL_CTL_ADD : EPOLL_CTL_DEL;

	event.data.fd = fd;
	return epoll_ctl(watch, operation, fd, &event) != 0 ? -errno : 0;
}

int32_t cordon_close(int32_t fd)
{
	/* Linux frees the number even when it reports EINTR. */
	return close(fd) != 0 && errno != EINTR ? -errno : 0;
}

int32_t cordon_duplicate(int32_t fd)
{
	int32_t copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? -errno : copy;
}

int32_t cordon_shutdown(int32_t fd)
{
	return shutdown(fd, SHUT_RDWR) != 0 ? -errno : 0;
}

int32_t cordon_close_on_exec(int32_t first)
{
	if (first < 3)
		return -EINVAL;
	return syscall(SYS_close_range, (unsigned int)first, ~0U,
		       CLOSE_RANGE_CLOEXEC) != 0 ? -errno : 0;
}
