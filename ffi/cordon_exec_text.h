/*
 * Text for cordon-exec: comparing options, and the one line that it prints when something fails.
 */
#ifndef CORDON_EXEC_TEXT_H
#define CORDON_EXEC_TEXT_H

#include "kernel_text.h"

enum exit_code {
	EXIT_SHOWN = 0,
	EXIT_USAGE = 64,
	EXIT_PDEATHSIG = 65,
	EXIT_RLIMIT = 66,
	EXIT_NO_NEW_PRIVS = 67,
	EXIT_LANDLOCK = 68,
	EXIT_CLOSE_FDS = 69,
	EXIT_SECCOMP = 70,
	EXIT_EXEC = 71,
	EXIT_GUARD = 72,
	EXIT_SHOW = 73,
	EXIT_HANDOVER = 74,
};

static const struct {
	int number;
	const char *name;
} ERRNO_NAMES[] = {
	{ 1, "EPERM" }, { 2, "ENOENT" }, { 3, "ESRCH" }, { 4, "EINTR" }, { 5, "EIO" }, { 6, "ENXIO" },
	{ 7, "E2BIG" }, { 8, "ENOEXEC" }, { 9, "EBADF" }, { 11, "EAGAIN" }, { 12, "ENOMEM" },
	{ 13, "EACCES" }, { 14, "EFAULT" }, { 16, "EBUSY" }, { 20, "ENOTDIR" }, { 21, "EISDIR" },
	{ 22, "EINVAL" }, { 23, "ENFILE" }, { 24, "EMFILE" }, { 26, "ETXTBSY" }, { 36, "ENAMETOOLONG" },
	{ 38, "ENOSYS" }, { 40, "ELOOP" }, { 42, "ENOMSG" }, { 77, "EBADFD" }, { 95, "EOPNOTSUPP" },
	{ 111, "ECONNREFUSED" },
};

static int same(const char *one, const char *other)
{
	const char *rest = after(one, other);

	return rest && !*rest;
}

static const char *errno_name(long error)
{
	static char number[8];
	size_t at = sizeof(number) - 1;

	for (size_t i = 0; i < sizeof(ERRNO_NAMES) / sizeof(ERRNO_NAMES[0]); i++)
		if (ERRNO_NAMES[i].number == error)
			return ERRNO_NAMES[i].name;
	for (; error > 0 && at > 1; error /= 10)
		number[--at] = (char)('0' + error % 10);
	number[--at] = 'E';
	return number + at;
}

/* One line, then the end. error is a positive errno. */
static _Noreturn void fail(enum exit_code code, const char *what, long error)
{
	print("cordon-exec: ");
	print(what);
	print(": ");
	print(errno_name(error));
	print("\n");
	for (;;)
		kernel_call(NR_EXIT_GROUP, code, 0, 0, 0, 0);
}

static long must(enum exit_code code, const char *what, long result)
{
	if (result < 0)
		fail(code, what, -result);
	return result;
}

#endif
