/* Files, processes and filters of the native library, under the address and undefined behaviour sanitizers. */
#define _GNU_SOURCE
#include "check.h"
#include "cordon.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_files(const char *directory)
{
	char path[256], buffer[8];
	int fd;

	snprintf(path, sizeof(path), "%s/file", directory);
	CHECK(cordon_read_file(path, buffer, 8) == -ENOENT);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	CHECK(cordon_read_file(path, buffer, 8) == 0);
	CHECK(write(fd, "12345678", 8) == 8);
	close(fd);
	CHECK(cordon_read_file(path, buffer, 8) == 8);
	CHECK(memcmp(buffer, "12345678", 8) == 0);
	CHECK(cordon_read_file(path, buffer, 7) == -EFBIG);
	CHECK(cordon_read_file(NULL, buffer, 7) == -EINVAL);
	CHECK(cordon_read_file(path, NULL, 7) == -EINVAL);
	unlink(path);
}

static void test_limits(void)
{
	uint64_t limits[4] = { 0, 0, 0, 0 };
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	CHECK(cordon_prlimit(0, RLIMIT_CORE, limits, 0) == 0);
	limits[2] = 0;
	limits[3] = limits[1];
	CHECK(cordon_prlimit(0, RLIMIT_CORE, limits, 1) == 0);
	CHECK(cordon_prlimit(0, RLIMIT_CORE, limits, 0) == 0 && limits[0] == 0);
	limits[2] = 2;
	limits[3] = 1;
	CHECK(cordon_prlimit(0, RLIMIT_CORE, limits, 1) == -EINVAL);
	CHECK(cordon_prlimit(0, 99, limits, 0) == -EINVAL);
	CHECK(cordon_prlimit(0, RLIMIT_CORE, NULL, 0) == -EINVAL);
	CHECK(cordon_prlimit(child, RLIMIT_CORE, limits, 0) == -ESRCH);
}

static void test_close_on_exec(void)
{
	int fd = dup(0);

	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0);
	CHECK(cordon_close_on_exec(2) == -EINVAL);
	CHECK(cordon_close_on_exec(3) == 0);
	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(fd);
}

static int listening(const struct sockaddr_un *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(bind(fd, (const struct sockaddr *)name, sizeof(*name)) == 0);
	CHECK(listen(fd, 4) == 0);
	return fd;
}

static int connected(const struct sockaddr_un *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(connect(fd, (const struct sockaddr *)name, sizeof(*name)) == 0);
	return fd;
}

static int room_of(int fd)
{
	int room = 0;
	socklen_t length = sizeof(room);

	CHECK(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, &length) == 0);
	return room;
}

/* The kernel doubles what it is asked for, to count what it adds. */
static void test_send_room(const char *directory)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct sockaddr_un other = { .sun_family = AF_UNIX };
	int listener, far, near, stranger_listener, stranger, high, before;

	snprintf(name.sun_path, sizeof(name.sun_path), "%s/room", directory);
	snprintf(other.sun_path, sizeof(other.sun_path), "%s/room2", directory);
	CHECK(cordon_send_room(name.sun_path, 8192) == -ENOENT);
	listener = listening(&name);
	CHECK(cordon_send_room(name.sun_path, 8192) == -ENOENT);
	far = connected(&name);
	near = accept(listener, NULL, NULL);
	stranger_listener = listening(&other);
	stranger = connected(&other);
	/* With many closed numbers in between. */
	high = fcntl(near, F_DUPFD, 200);
	close(near);
	before = room_of(stranger);
	CHECK(before > 2 * 8192);
	CHECK(cordon_send_room(name.sun_path, 8192) == 2 * 8192);
	CHECK(room_of(far) == 2 * 8192);
	CHECK(room_of(high) == 2 * 8192);
	CHECK(room_of(stranger) == before && room_of(listener) == before);
	CHECK(cordon_send_room(NULL, 8192) == -EINVAL);
	CHECK(cordon_send_room("", 8192) == -EINVAL);
	CHECK(cordon_send_room(name.sun_path, 0) == -EINVAL);
	CHECK(cordon_send_room(name.sun_path, UINT32_MAX) == -EINVAL);
	close(listener);
	close(far);
	close(high);
	close(stranger_listener);
	close(stranger);
	unlink(name.sun_path);
	unlink(other.sun_path);
}

/* Neither what is open nor what is free in between hides a connection. */
static void test_send_room_far_behind(const char *directory)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct sockaddr_un other = { .sun_family = AF_UNIX };
	int listener, stranger, fd, near, last;

	snprintf(name.sun_path, sizeof(name.sun_path), "%s/room", directory);
	snprintf(other.sun_path, sizeof(other.sun_path), "%s/room2", directory);
	listener = listening(&name);
	listening(&other);
	stranger = connected(&other);
	connected(&name);
	near = accept(listener, NULL, NULL);
	connected(&name);
	last = accept(listener, NULL, NULL);
	/* Together more free numbers than end the search, but never in a row. */
	for (fd = 20; fd < 560; fd += 2)
		CHECK(dup2(stranger, fd) == fd);
	CHECK(fcntl(near, F_DUPFD, 570) == 570);
	CHECK(fcntl(near, F_DUPFD, 720) == 720);
	CHECK(fcntl(last, F_DUPFD, 870) == 870);
	close(near);
	close(last);
	CHECK(cordon_send_room(name.sun_path, 8192) == 2 * 8192);
	CHECK(room_of(570) == 2 * 8192);
	CHECK(room_of(870) == 2 * 8192);
	CHECK(room_of(stranger) > 2 * 8192);
	for (fd = listener; fd <= 870; fd++)
		close(fd);
	unlink(name.sun_path);
	unlink(other.sun_path);
}

static int listening_inet(struct sockaddr_in *name)
{
	socklen_t length = sizeof(*name);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*name = (struct sockaddr_in){ .sin_family = AF_INET };
	name->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(fd, (struct sockaddr *)name, length) == 0);
	CHECK(listen(fd, 1) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)name, &length) == 0);
	return fd;
}

/* A datagram socket may have the name, too, and the bytes of an Internet address may be those of a name. */
static void test_send_room_of_other_kinds(const char *directory)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct sockaddr_in inet;
	char lookalike[4] = { 0 };
	int receiver = socket(AF_UNIX, SOCK_DGRAM, 0);
	int sender = socket(AF_UNIX, SOCK_DGRAM, 0);
	int listener;

	snprintf(name.sun_path, sizeof(name.sun_path), "%s/room", directory);
	CHECK(bind(receiver, (struct sockaddr *)&name, sizeof(name)) == 0);
	CHECK(connect(sender, (struct sockaddr *)&name, sizeof(name)) == 0);
	CHECK(cordon_send_room(name.sun_path, 8192) == -ENOENT);
	close(receiver);
	close(sender);
	unlink(name.sun_path);
	/* The port and 127, up to the first zero. */
	while (listener = listening_inet(&inet), (ntohs(inet.sin_port) & 255) == 0)
		close(listener);
	sender = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(sender, (struct sockaddr *)&inet, sizeof(inet)) == 0);
	memcpy(lookalike, (char *)&inet + offsetof(struct sockaddr_un, sun_path), 3);
	CHECK(lookalike[2] == 127);
	CHECK(cordon_send_room(lookalike, 8192) == -ENOENT);
	close(sender);
	close(listener);
}

static void test_seccomp(void)
{
	struct sock_filter deny_sethostname[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sethostname, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTUNIQ),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_filter nonsense = { 0xffff, 0, 0, 0 };

	CHECK(cordon_seccomp(NULL, 8) == -EINVAL);
	CHECK(cordon_seccomp(deny_sethostname, 0) == -EINVAL);
	CHECK(cordon_seccomp(deny_sethostname, 7) == -EINVAL);
	CHECK(cordon_seccomp(deny_sethostname, 8 * 4097) == -EINVAL);
	if (IS_EMULATED)
		return;
	CHECK(cordon_seccomp(&nonsense, sizeof(nonsense)) == -EINVAL);
	CHECK(cordon_seccomp(deny_sethostname, sizeof(deny_sethostname)) == 0);
	CHECK(syscall(SYS_sethostname, "", 0) == -1 && errno == ENOTUNIQ);
}

/* Argument: a directory of its own. */
int main(int argc, char **argv)
{
	CHECK(argc == 2);
	test_files(argv[1]);
	test_limits();
	test_send_room(argv[1]);
	test_send_room_far_behind(argv[1]);
	test_send_room_of_other_kinds(argv[1]);
	test_close_on_exec();
	test_seccomp();
	puts("all claims hold");
	return 0;
}
