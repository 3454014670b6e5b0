/*
 * What the guard says of the sandbox's first process when everything has ended: how the kernel saw it end.
 *
 * bubblewrap says "exit-code": 137 of a process that was killed and of one that said exit(137). The kernel knows: since
 * 6.15 it tells whoever holds a pidfd, also after somebody else has waited for the process. Older kernels tell nothing,
 * and nothing is reported then.
 */
#ifndef CORDON_EXEC_REPORT_H
#define CORDON_EXEC_REPORT_H

#include "cordon_exec_options.h"

#define NR_PIDFD_OPEN 434
#define PIDFD_GET_INFO_ 0xc040ff0bUL
#define PIDFD_INFO_EXIT_ (1ULL << 3)
#define MAX_LOOKS 10
#define FIRST_LOOK_NS 1000000

#if defined(__x86_64__)
enum { NR_IOCTL = 16 };
#else
enum { NR_IOCTL = 29 };
#endif

struct kernel_time {
	int64_t seconds, nanoseconds;
};

/* The first of its versions. */
struct kernel_pidfd_info {
	uint64_t mask, cgroup;
	uint32_t pid, others[10];
	int32_t exit_code;
};

_Static_assert(sizeof(struct kernel_pidfd_info) == 64, "pidfd info");

struct witness {
	long fd, pid, looks;
};

static char *add_text(char *at, const char *text)
{
	while (*text)
		*at++ = *text++;
	return at;
}

static char *add_number(char *at, uint64_t value)
{
	char digits[20];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (count)
		*at++ = digits[--count];
	return at;
}

/* The first child of a process, or 0. */
static long child_of(long parent)
{
	char path[64], text[24];
	char *end = add_number(add_text(path, "/proc/"), (uint64_t)parent);
	long fd, size, pid = 0;

	*add_text(add_number(add_text(end, "/task/"), (uint64_t)parent), "/children") = '\0';
	fd = kernel_call(NR_OPENAT, AT_FDCWD_, (long)path, O_CLOEXEC_, 0, 0);
	if (fd < 0)
		return 0;
	size = kernel_call(NR_READ, fd, (long)text, sizeof(text), 0, 0);
	for (long i = 0; i < size && text[i] >= '0' && text[i] <= '9'; i++)
		pid = pid * 10 + (text[i] - '0');
	kernel_call(NR_CLOSE, fd, 0, 0, 0, 0);
	return pid;
}

/* Looks for bubblewrap's child until it is there. Returns for how long to wait before the next look, or NULL. */
static struct kernel_time *look(struct witness *witness, long bwrap)
{
	static struct kernel_time next;

	if (!plan.has_report || witness->fd >= 0 || witness->looks == MAX_LOOKS)
		return NULL;
	next.nanoseconds = (int64_t)FIRST_LOOK_NS << witness->looks++;
	witness->pid = child_of(bwrap);
	if (witness->pid)
		witness->fd = kernel_call(NR_PIDFD_OPEN, witness->pid, 0, 0, 0, 0);
	return witness->fd < 0 ? &next : NULL;
}

static void report(const struct witness *witness)
{
	struct kernel_pidfd_info info = { .mask = PIDFD_INFO_EXIT_ };
	char line[96];
	char *end;

	if (witness->fd < 0 || kernel_call(NR_IOCTL, witness->fd, (long)PIDFD_GET_INFO_, (long)&info, 0, 0) < 0 ||
	    !(info.mask & PIDFD_INFO_EXIT_))
		return;
	end = add_number(add_text(line, "{ \"witnessed-pid\": "), (uint64_t)witness->pid);
	end = add_number(add_text(end, ", \"wait-status\": "), (uint32_t)info.exit_code);
	end = add_text(end, " }\n");
	/* Whether anybody still reads it does not matter here. */
	kernel_call(NR_WRITE, (long)plan.report_fd, (long)line, end - line, 0, 0);
}

#endif
