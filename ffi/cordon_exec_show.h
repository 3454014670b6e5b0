/*
 * What cordon-exec tells a host that may not look into /proc itself: Deno opens it only to programs that may do
 * everything, and to no library where FFI is not permitted.
 */
#ifndef CORDON_EXEC_SHOW_H
#define CORDON_EXEC_SHOW_H

#include "cordon_exec_text.h"

#define AT_SYMLINK_NOFOLLOW_ 0x100
#define STATX_INO_ 0x100
#define MAX_NUMBER_TEXT 21

static _Noreturn void leave(enum exit_code code)
{
	for (;;)
		kernel_call(NR_EXIT_GROUP, code, 0, 0, 0, 0);
}

static void write_out(const char *option, const char *bytes, size_t size)
{
	while (size) {
		long done = must(EXIT_SHOW, option, kernel_call(NR_WRITE, 1, (long)bytes, (long)size, 0, 0));

		bytes += done;
		size -= (size_t)done;
	}
}

/* The content of a file on standard output. */
static _Noreturn void show_file(const char *option, const char *path)
{
	static char bytes[4096];
	long fd = must(EXIT_SHOW, option,
		       kernel_call(NR_OPENAT, AT_FDCWD_, (long)path, O_CLOEXEC_, 0, 0));
	long got;

	while ((got = must(EXIT_SHOW, option, kernel_call(NR_READ, fd, (long)bytes, sizeof(bytes), 0, 0))))
		write_out(option, bytes, (size_t)got);
	leave(EXIT_SHOWN);
}

static void write_number(const char *option, uint64_t value, char end)
{
	char text[MAX_NUMBER_TEXT];
	size_t at = sizeof(text);

	text[--at] = end;
	do {
		text[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	write_out(option, text + at, sizeof(text) - at);
}

/* Which file a path leads to, its last part not followed: major and minor number of the device, number of the file. */
static _Noreturn void show_identity(const char *option, const char *path)
{
	static struct kernel_statx stat;

	must(EXIT_SHOW, option,
	     kernel_call(NR_STATX, AT_FDCWD_, (long)path, AT_SYMLINK_NOFOLLOW_, STATX_INO_, (long)&stat));
	write_number(option, stat.dev_major, ' ');
	write_number(option, stat.dev_minor, ' ');
	write_number(option, stat.inode, '\n');
	leave(EXIT_SHOWN);
}

/* Does the work and ends, if that is what the only argument asks for. */
static void show(const char *option)
{
	const char *path;

	if ((path = after(option, "--show=")))
		show_file(option, path);
	if ((path = after(option, "--identify=")))
		show_identity(option, path);
}

#endif
