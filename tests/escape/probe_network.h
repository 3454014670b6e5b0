/* Techniques towards the network, and what may have come along. */
#ifndef CORDON_PROBE_NETWORK_H
#define CORDON_PROBE_NETWORK_H

#include "probe_files.h"

static long makes(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	return fd < 0 ? -1 : close(fd);
}
static long inet(void) { return makes(AF_INET, SOCK_STREAM, 0); }
static long inet_raw(void) { return makes(AF_INET, SOCK_RAW, 1); }
static long packet(void) { return makes(AF_PACKET, SOCK_RAW, 0); }
static long netlink(void) { return makes(AF_NETLINK, SOCK_RAW, 0); }
static long vsock(void) { return makes(40, SOCK_STREAM, 0); }
static long algorithm(void) { return makes(38, SOCK_SEQPACKET, 0); }
static long xdp(void) { return makes(44, SOCK_RAW, 0); }
static long unix_datagram(void) { return makes(AF_UNIX, SOCK_DGRAM, 0); }
static long connects(int family, const void *address, socklen_t size)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	long result;
	int error;

	if (fd < 0)
		return -1;
	result = connect(fd, address, size);
	error = errno;
	close(fd);
	errno = error;
	return result;
}
static long host_service(void)
{
	struct sockaddr_in address = { AF_INET, htons(port), { htonl(INADDR_LOOPBACK) }, { 0 } };

	return connects(AF_INET, &address, sizeof(address));
}
/* The abstract name is that of the path, so that the host listens on both with one word. Returns the size. */
static socklen_t unix_address(struct sockaddr_un *address, int is_abstract)
{
	size_t length = strlen(socket_path);

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (length > sizeof(address->sun_path) - 2)
		length = sizeof(address->sun_path) - 2;
	memcpy(address->sun_path + is_abstract, socket_path, length);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}
static long host_unix(void)
{
	struct sockaddr_un address;
	socklen_t size = unix_address(&address, 0);

	return connects(AF_UNIX, &address, size);
}
static long host_abstract(void)
{
	struct sockaddr_un address;
	socklen_t size = unix_address(&address, 1);

	return connects(AF_UNIX, &address, size);
}
static long pair_datagram(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds))
		return -1;
	close(fds[0]);
	return close(fds[1]);
}

/* Descriptors and environment that came along */
static long stray_descriptor(void)
{
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return fd;
	return -1;
}
static long host_environment(void)
{
	errno = ENOENT;
	return getenv("CORDON_ESCAPE_CANARY") ? 0 : -1;
}

/* The host: listens on a port, which it prints, on a path and on an abstract name, until its input ends. */
static int serve(void)
{
	struct sockaddr_in internet = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_un local;
	socklen_t size = sizeof(internet);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char byte;

	if (bind(fd, (struct sockaddr *)&internet, size) || listen(fd, 64) ||
	    getsockname(fd, (struct sockaddr *)&internet, &size))
		return 4;
	for (int is_abstract = 0; is_abstract < 2; is_abstract++) {
		size = unix_address(&local, is_abstract);
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (bind(fd, (struct sockaddr *)&local, size) || listen(fd, 64))
			return 5;
	}
	printf("%d\n", ntohs(internet.sin_port));
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}

/* Other ways into the kernel: these end a confined process. */
#if defined(__x86_64__)
static long x32_call(void) { return CALL(0x40000000 + SYS_getpid); }
static long compat_call(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
	if (result < 0)
		errno = (int)-result;
	return result < 0 ? -1 : result;
}
#endif

#endif
