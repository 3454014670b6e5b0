/* Memory and messages of the native library, under the address and undefined behaviour sanitizers. */
#define _GNU_SOURCE
#include "check.h"
#include "cordon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static bool is_closed_on_exec(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static void test_memfd(void)
{
	uint64_t facts[CORDON_FACTS];
	int32_t fd = cordon_memfd(MIB), plain = open("/dev/null", O_RDWR);

	CHECK(fd >= 0);
	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK(cordon_region_facts(fd, facts) == 0);
	CHECK(facts[CORDON_FACT_BYTES] == MIB);
	CHECK(facts[CORDON_FACT_ALLOCATED] == 0);
	CHECK(facts[CORDON_FACT_WRITABLE] == 1);
	CHECK((facts[CORDON_FACT_SEALS] & (F_SEAL_SHRINK | F_SEAL_GROW)) ==
	      (F_SEAL_SHRINK | F_SEAL_GROW));
	CHECK(ftruncate(fd, 0) != 0 && errno == EPERM);
	CHECK(ftruncate(fd, 2 * MIB) != 0 && errno == EPERM);
	CHECK(cordon_memfd(0) == -EINVAL);
	CHECK(cordon_memfd(UINT64_MAX) == -EINVAL);
	CHECK(cordon_region_facts(fd, NULL) == -EINVAL);
	CHECK(cordon_region_facts(-1, facts) == -EBADF);
	CHECK(cordon_region_facts(plain, facts) == -EINVAL);
	CHECK(cordon_seal(fd, 2) == -EINVAL);
	CHECK(cordon_close(fd) == 0 && cordon_close(fd) == -EBADF);
	close(plain);
}

static void *reserve(uint64_t bytes)
{
	uint64_t window = 0;

	CHECK(cordon_window_reserve(bytes, &window) == 0);
	CHECK(window != 0);
	return (void *)(uintptr_t)window;
}

static void test_map(void)
{
	uint64_t bytes = 64 * MIB, facts[CORDON_FACTS];
	char *window = reserve(bytes);
	int32_t fd = cordon_memfd(MIB);

	CHECK(cordon_window_reserve(0, facts) == -EINVAL);
	CHECK(cordon_window_reserve(4097, facts) == -EINVAL);
	CHECK(cordon_window_reserve(4096, NULL) == -EINVAL);
	CHECK(cordon_map(window, bytes, MIB, fd, 0, MIB, CORDON_MAP_SHARED) == 0);
	CHECK(cordon_map(window, bytes, 2 * MIB, fd, 0, MIB, CORDON_MAP_PRIVATE) == 0);
	memcpy(window + MIB, "shared", 7);
	CHECK(strcmp(window + 2 * MIB, "shared") == 0);
	memcpy(window + 2 * MIB, "mine", 5);
	CHECK(strcmp(window + MIB, "shared") == 0);
	CHECK(cordon_unmap(window, bytes, MIB, 2 * MIB) == 0);
	CHECK(window[MIB] == 0 && window[3 * MIB - 1] == 0);
	CHECK(cordon_region_facts(fd, facts) == 0);
	CHECK(facts[CORDON_FACT_ALLOCATED] == 4096);
	CHECK(cordon_discard(fd, 0, MIB) == 0);
	CHECK(cordon_region_facts(fd, facts) == 0);
	CHECK(facts[CORDON_FACT_ALLOCATED] == 0);
	CHECK(cordon_map(window, bytes, MIB, fd, 0, MIB, CORDON_MAP_FILLED) == 0);
	CHECK(cordon_region_facts(fd, facts) == 0);
	CHECK(IS_EMULATED || facts[CORDON_FACT_ALLOCATED] == MIB);
	window[MIB] = 'x';
	CHECK(cordon_discard(fd, UINT64_MAX, 2) == -EINVAL);
	CHECK(cordon_discard(fd, 0, 0) == -EINVAL);
	close(fd);
}

static void test_map_refuses(void)
{
	uint64_t bytes = 8 * MIB;
	char *window = reserve(bytes);
	int32_t fd = cordon_memfd(MIB), null = open("/dev/null", O_RDWR);
	int unsealed = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CHECK(ftruncate(unsealed, (off_t)MIB) == 0);
	CHECK(cordon_map(window, bytes, 0, unsealed, 0, MIB, 0) == -EPERM);
	CHECK(cordon_map(window, bytes, 0, null, 0, MIB, 0) == -EINVAL);
	CHECK(cordon_map(window, bytes, 0, -1, 0, MIB, 0) == -EBADF);
	CHECK(cordon_map(window, bytes, 0, fd, 0, 2 * MIB, 0) == -ERANGE);
	CHECK(cordon_map(window, bytes, 0, fd, MIB, 4096, 0) == -ERANGE);
	CHECK(cordon_map(window, bytes, 0, fd, UINT64_MAX - 4095, MIB, 0) == -ERANGE);
	CHECK(cordon_map(window, bytes, 0, fd, 1, 4096, 0) == -EINVAL);
	CHECK(cordon_map(window, bytes, 1, fd, 0, 4096, 0) == -EINVAL);
	CHECK(cordon_map(window, bytes, 0, fd, 0, 1, 0) == -EINVAL);
	CHECK(cordon_map(window, bytes, 0, fd, 0, 0, 0) == -ERANGE);
	CHECK(cordon_map(window, bytes, bytes, fd, 0, 4096, 0) == -ERANGE);
	CHECK(cordon_map(window, bytes, UINT64_MAX - 4095, fd, 0, 4096, 0) == -ERANGE);
	CHECK(cordon_map(window, bytes, 0, fd, 0, 4096, 3) == -EINVAL);
	CHECK(cordon_map(NULL, bytes, 0, fd, 0, 4096, 0) == -EINVAL);
	CHECK(cordon_unmap(window, bytes, bytes, 4096) == -ERANGE);
	CHECK(cordon_unmap(window, bytes, 0, 1) == -EINVAL);
	CHECK(cordon_unmap(NULL, bytes, 0, 4096) == -EINVAL);
	close(fd);
	close(null);
	close(unsealed);
}

static void test_seals(void)
{
	uint64_t bytes = 8 * MIB;
	char *window = reserve(bytes), byte = 'x';
	int32_t fd = cordon_memfd(MIB);

	CHECK(cordon_map(window, bytes, 0, fd, 0, MIB, CORDON_MAP_SHARED) == 0);
	CHECK(cordon_seal(fd, CORDON_SEAL_WRITE) == -EBUSY);
	CHECK(cordon_seal(fd, CORDON_SEAL_FUTURE_WRITE) == 0);
	window[0] = 'a';
	CHECK(cordon_fill(fd, 0, &byte, 1) == -EPERM);
	CHECK(cordon_map(window, bytes, MIB, fd, 0, MIB, CORDON_MAP_SHARED) == -EPERM);
	CHECK(cordon_map(window, bytes, MIB, fd, 0, MIB, CORDON_MAP_PRIVATE) == 0);
	window[MIB] = 'b';
	CHECK(window[0] == 'a');
	CHECK(cordon_unmap(window, bytes, 0, MIB) == 0);
	CHECK(cordon_seal(fd, CORDON_SEAL_WRITE) == 0);
	CHECK(cordon_discard(fd, 0, MIB) == -EPERM);
	close(fd);
}

static void test_fill(void)
{
	uint64_t bytes = MIB;
	char *window = reserve(bytes), *data = malloc(MIB);
	int32_t fd = cordon_memfd(MIB);

	memset(data, 7, MIB);
	CHECK(cordon_fill(fd, 0, data, MIB) == 0);
	CHECK(cordon_fill(fd, 1, data, MIB) == -ERANGE);
	CHECK(cordon_fill(fd, 0, data, 0) == -ERANGE);
	CHECK(cordon_fill(fd, 0, NULL, 1) == -EINVAL);
	CHECK(cordon_fill(-1, 0, data, 1) == -EBADF);
	CHECK(cordon_map(window, bytes, 0, fd, 0, MIB, CORDON_MAP_PRIVATE) == 0);
	CHECK(memcmp(window, data, MIB) == 0);
	free(data);
	close(fd);
}

static void check_watch(void)
{
	int32_t watch = cordon_watch_open();
	int32_t first[2], second[2];

	CHECK(watch >= 0 && (fcntl(watch, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK(cordon_socketpair(first) == 0 && cordon_socketpair(second) == 0);
	CHECK(cordon_watch(watch, first[0], 1) == 0);
	CHECK(cordon_watch(watch, first[0], 1) == -EEXIST);
	CHECK(cordon_watch(watch, second[0], 0) == -ENOENT);
	CHECK(cordon_watch(watch, second[0], 1) == 0);
	CHECK(cordon_watch(watch, 9999, 1) == -EBADF);
	CHECK(cordon_watch(watch, watch, 1) == -EINVAL);
	CHECK(cordon_wait(watch, 0) == 0);
	CHECK(cordon_send(second[1], "x", 1, -1) == 0);
	CHECK(cordon_wait(watch, -1) == CORDON_READABLE);
	CHECK(cordon_watch(watch, second[0], 0) == 0);
	CHECK(cordon_wait(watch, 0) == 0);
	CHECK(cordon_shutdown(first[0]) == 0);
	CHECK(cordon_wait(watch, -1) == CORDON_READABLE);
	for (int end = 0; end < 2; end++) {
		close(first[end]);
		close(second[end]);
	}
	CHECK(cordon_wait(watch, 0) == 0);
	close(watch);
}

static void test_messages(void)
{
	int32_t pair[2], passed = 5, copy, fd = cordon_memfd(4096);
	char buffer[64];

	CHECK(cordon_socketpair(NULL) == -EINVAL);
	CHECK(cordon_socketpair(pair) == 0);
	CHECK(is_closed_on_exec(pair[0]) && is_closed_on_exec(pair[1]));
	CHECK(cordon_receive(pair[1], buffer, sizeof(buffer), &passed) == -EAGAIN);
	CHECK(passed == -1);
	CHECK(cordon_wait(pair[1], 0) == 0);
	CHECK(cordon_send(pair[0], "one", 3, fd) == 0);
	CHECK(cordon_send(pair[0], "four", 4, -1) == 0);
	CHECK(cordon_wait(pair[1], -1) == CORDON_READABLE);
	CHECK(cordon_receive(pair[1], buffer, sizeof(buffer), &passed) == 3);
	CHECK(passed >= 0 && passed != fd);
	CHECK(is_closed_on_exec(passed));
	copy = cordon_duplicate(passed);
	CHECK(copy >= 0 && copy != passed && is_closed_on_exec(copy));
	CHECK(cordon_duplicate(9999) == -EBADF);
	close(copy);
	close(passed);
	CHECK(cordon_receive(pair[1], buffer, sizeof(buffer), &passed) == 4);
	CHECK(passed == -1 && memcmp(buffer, "four", 4) == 0);
	CHECK(cordon_send(pair[0], buffer, 0, -1) == -EINVAL);
	CHECK(cordon_send(pair[0], NULL, 1, -1) == -EINVAL);
	CHECK(cordon_send(pair[0], buffer, 65537, -1) == -EINVAL);
	CHECK(cordon_send(pair[0], buffer, 1, 9999) == -EBADF);
	CHECK(cordon_receive(pair[1], NULL, 1, &passed) == -EINVAL);
	CHECK(cordon_receive(pair[1], buffer, 0, &passed) == -EINVAL);
	CHECK(cordon_receive(pair[1], buffer, 1, NULL) == -EINVAL);
	CHECK(cordon_shutdown(pair[0]) == 0);
	CHECK((cordon_wait(pair[1], -1) & CORDON_HUNG_UP) != 0);
	CHECK(cordon_receive(pair[1], buffer, sizeof(buffer), &passed) == 0);
	CHECK(cordon_send(pair[1], "x", 1, -1) == -EPIPE);
	CHECK(cordon_wait(-1, 0) == -EBADF && cordon_wait(9999, 0) == -EBADF);
	check_watch();
	close(pair[0]);
	close(pair[1]);
	close(fd);
}

static void send_raw(int socket, const char *data, size_t bytes,
		     const int *fds, size_t count)
{
	char control[CMSG_SPACE(sizeof(int) * 8)] = { 0 };
	struct iovec part = { (void *)(uintptr_t)data, bytes };
	struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *header;

	packet.msg_control = control;
	packet.msg_controllen = CMSG_SPACE(sizeof(int) * count);
	header = CMSG_FIRSTHDR(&packet);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
	CHECK(sendmsg(socket, &packet, 0) == (ssize_t)bytes);
}

static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* A descriptor that the kernel had to drop is no message without one. */
static void test_without_room(int socket, int free)
{
	struct rlimit limit, full;
	int32_t passed = 5;
	char buffer[4];

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	full = limit;
	full.rlim_cur = (rlim_t)free;
	CHECK(setrlimit(RLIMIT_NOFILE, &full) == 0);
	CHECK(cordon_receive(socket, buffer, sizeof(buffer), &passed) == -EBADMSG);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(passed == -1 && !is_open(free));
}

static void test_hostile_messages(void)
{
	int32_t pair[2], passed = 5, fd = cordon_memfd(4096);
	int many[4] = { fd, fd, fd, fd }, before;
	char buffer[4];

	CHECK(cordon_socketpair(pair) == 0);
	before = lowest_free();
	send_raw(pair[0], "m", 1, many, 4);
	CHECK(cordon_receive(pair[1], buffer, sizeof(buffer), &passed) == -EBADMSG);
	CHECK(passed == -1 && lowest_free() == before);
	for (int i = 0; i < 4; i++)
		CHECK(!is_open(before + i));
	send_raw(pair[0], "too long", 8, many, 1);
	CHECK(cordon_receive(pair[1], buffer, sizeof(buffer), &passed) == -EBADMSG);
	CHECK(passed == -1 && lowest_free() == before && !is_open(before));
	send_raw(pair[0], "m", 1, many, 1);
	test_without_room(pair[1], before);
	close(pair[0]);
	close(pair[1]);
	close(fd);
}

int main(void)
{
	CHECK(cordon_abi_version() == CORDON_ABI_VERSION);
	CHECK(cordon_page_size() >= 4096);
	test_memfd();
	test_map();
	test_map_refuses();
	test_seals();
	test_fill();
	test_messages();
	test_hostile_messages();
	puts("all claims hold");
	return 0;
}
