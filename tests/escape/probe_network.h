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

static void answer(int listener)
{
	static const char reply[] = "HTTP/1.0 200 OK\r\nContent-Type: text/javascript\r\n\r\nexport default 1;\n";
	struct timeval patience = { 1, 0 };
	char request[4096];
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (read(fd, request, sizeof(request)) > 0 && write(fd, reply, sizeof(reply) - 1) > 0)
		shutdown(fd, SHUT_WR);
	close(fd);
}
/* The host: answers on a port, which it prints, on a path and on an abstract name, until its input ends. */
static int serve(void)
{
	struct sockaddr_in internet = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_un local;
	struct pollfd polled[4] = { { .fd = 0, .events = POLLIN } };
	socklen_t size = sizeof(internet);

	signal(SIGPIPE, SIG_IGN);
	for (int i = 1; i < 4; i++) {
		int fd = socket(i == 1 ? AF_INET : AF_UNIX, SOCK_STREAM, 0);

		if (i > 1)
			size = unix_address(&local, i == 3);
		if (bind(fd, i == 1 ? (struct sockaddr *)&internet : (struct sockaddr *)&local, size) || listen(fd, 64) ||
		    (i == 1 && getsockname(fd, (struct sockaddr *)&internet, &size)))
			return 4;
		polled[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	printf("%d\n", ntohs(internet.sin_port));
	fflush(stdout);
	while (poll(polled, 4, -1) >= 0 && !polled[0].revents)
		for (int i = 1; i < 4; i++)
			if (polled[i].revents)
				answer(polled[i].fd);
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
