/*
 * The kernel's interface as cordon-exec uses it: no C library, and no kernel headers, which are often older than
 * the kernel. All values are ABI and never change.
 */
#ifndef CORDON_EXEC_KERNEL_H
#define CORDON_EXEC_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* The function that the process starts in. */
#ifndef CORDON_ENTRY
#define CORDON_ENTRY "cordon_exec_main"
#endif

#define ESRCH_ 3
#define E2BIG_ 7
#define EINVAL_ 22
#define EOPNOTSUPP_ 95

#define AT_FDCWD_ (-100)
#define AT_EMPTY_PATH_ 0x1000
#define O_PATH_ 010000000
#define O_CLOEXEC_ 02000000
#define STATX_TYPE_ 1
#define MODE_TYPE 0170000
#define MODE_DIRECTORY 0040000

#define PR_SET_PDEATHSIG_ 1
#define PR_SET_NO_NEW_PRIVS_ 38
#define SIGKILL_ 9
#define SECCOMP_SET_MODE_FILTER_ 1

#define LANDLOCK_VERSION_QUERY 1
#define LANDLOCK_RULE_PATH 1
#define LANDLOCK_RULE_PORT 2

#define FS_EXECUTE (1ULL << 0)
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_REMOVE_DIR (1ULL << 4)
#define FS_REMOVE_FILE (1ULL << 5)
#define FS_MAKE_DIR (1ULL << 7)
#define FS_MAKE_REG (1ULL << 8)
#define FS_MAKE_SOCK (1ULL << 9)
#define FS_MAKE_FIFO (1ULL << 10)
#define FS_MAKE_SYM (1ULL << 12)
#define FS_REFER (1ULL << 13)
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define FS_ABI_1 ((1ULL << 13) - 1)
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

#define NET_BIND (1ULL << 0)
#define NET_CONNECT (1ULL << 1)
#define SCOPE_ABSTRACT_UNIX (1ULL << 0)
#define SCOPE_SIGNAL (1ULL << 1)

struct kernel_rlimit {
	uint64_t soft;
	uint64_t hard;
};

struct kernel_filter_program {
	uint16_t count;
	const void *instructions;
};

struct kernel_landlock_ruleset {
	uint64_t handled_fs;
	uint64_t handled_net;
	uint64_t scoped;
};

struct kernel_landlock_path {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

struct kernel_landlock_port {
	uint64_t allowed;
	uint64_t port;
};

/* struct statx_timestamp and struct statx. */
struct kernel_moment {
	int64_t seconds;
	uint32_t nanoseconds;
	int32_t reserved;
};

struct kernel_statx {
	uint32_t mask;
	uint32_t block_size;
	uint64_t attributes;
	uint32_t links;
	uint32_t uid;
	uint32_t gid;
	uint16_t mode;
	uint16_t spare;
	uint64_t inode;
	uint64_t size;
	uint64_t blocks;
	uint64_t attributes_mask;
	struct kernel_moment accessed;
	struct kernel_moment born;
	struct kernel_moment changed;
	struct kernel_moment modified;
	uint32_t node_major;
	uint32_t node_minor;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint8_t rest[112];
};

_Static_assert(offsetof(struct kernel_statx, dev_major) == 136 && sizeof(struct kernel_statx) == 256, "statx");

#if defined(__x86_64__)

enum {
	NR_READ = 0,
	NR_WRITE = 1,
	NR_CLOSE = 3,
	NR_EXECVE = 59,
	NR_GETPPID = 110,
	NR_PRCTL = 157,
	NR_EXIT_GROUP = 231,
	NR_OPENAT = 257,
	NR_PRLIMIT64 = 302,
	NR_SECCOMP = 317,
	NR_STATX = 332,
};

static inline long kernel_call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call " CORDON_ENTRY "\n"
	"	hlt\n");

#elif defined(__aarch64__)

enum {
	NR_OPENAT = 56,
	NR_CLOSE = 57,
	NR_READ = 63,
	NR_WRITE = 64,
	NR_EXIT_GROUP = 94,
	NR_PRCTL = 167,
	NR_GETPPID = 173,
	NR_EXECVE = 221,
	NR_PRLIMIT64 = 261,
	NR_SECCOMP = 277,
	NR_STATX = 291,
};

static inline long kernel_call(long number, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
}

__asm__(".globl _start\n"
	"_start:\n"
	"	mov x29, xzr\n"
	"	mov x0, sp\n"
	"	bl " CORDON_ENTRY "\n"
	"	brk #1\n");

#else
#error "cordon-exec knows x86-64 and aarch64 only"
#endif

/* From 424 on all architectures number alike. */
enum {
	NR_CLOSE_RANGE = 436,
	NR_LANDLOCK_CREATE_RULESET = 444,
	NR_LANDLOCK_ADD_RULE = 445,
	NR_LANDLOCK_RESTRICT_SELF = 446,
};

#endif
