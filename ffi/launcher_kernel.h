/*
 * What the executable's launcher needs of the kernel besides cordon_exec_kernel.h, and the few functions that a C
 * library would give. All values are ABI and never change.
 */
#ifndef CORDON_LAUNCHER_KERNEL_H
#define CORDON_LAUNCHER_KERNEL_H

#define CORDON_ENTRY "cordon_launcher_main"
#include "kernel_text.h"

#define EPERM_ 1
#define ENOENT_ 2
#define EACCES_ 13
#define ENOSYS_ 38

#define O_RDONLY_ 0
#define O_WRONLY_ 1
#define O_CREAT_ 0100
#define O_EXCL_ 0200
#if defined(__aarch64__)
#define O_DIRECTORY_ 040000
#define O_NOFOLLOW_ 0100000
#else
#define O_DIRECTORY_ 0200000
#define O_NOFOLLOW_ 0400000
#endif
#define LOCK_EXCLUSIVE 2
#define MFD_CLOEXEC_ 1
#define MFD_EXEC_ 0x10
#define MOUNT_NOEXEC 8
#define STATX_BASIC_ 0x7ff
#define MODE_REGULAR 0100000
#define MODE_WRITABLE_BY_OTHERS 0022

#if defined(__x86_64__)
enum {
	NR_PREAD = 17,
	NR_GETPID = 39,
	NR_FLOCK = 73,
	NR_FCHMOD = 91,
	NR_GETEUID = 107,
	NR_FSTATFS = 138,
	NR_MKDIRAT = 258,
	NR_UNLINKAT = 263,
	NR_READLINKAT = 267,
	NR_RENAMEAT2 = 316,
	NR_MEMFD_CREATE = 319,
	NR_EXECVEAT = 322,
};
#else
enum {
	NR_FLOCK = 32,
	NR_MKDIRAT = 34,
	NR_UNLINKAT = 35,
	NR_FSTATFS = 44,
	NR_FCHMOD = 52,
	NR_PREAD = 67,
	NR_READLINKAT = 78,
	NR_GETPID = 172,
	NR_GETEUID = 175,
	NR_RENAMEAT2 = 276,
	NR_MEMFD_CREATE = 279,
	NR_EXECVEAT = 281,
};
#endif

/* struct statfs: the flags are the 11th word. */
struct kernel_statfs {
	uint64_t words[10];
	uint64_t flags;
	uint64_t rest[8];
};

/* The compiler calls these by itself. */
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

void *memcpy(void *to, const void *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
	return to;
}

void *memset(void *to, int value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)to)[i] = (uint8_t)value;
	return to;
}

static int is_equal(const void *one, const void *other, size_t size)
{
	const uint8_t *a = one;
	const uint8_t *b = other;
	uint8_t difference = 0;

	for (size_t i = 0; i < size; i++)
		difference |= a[i] ^ b[i];
	return !difference;
}

#endif
