/* One more system call filter, for every thread of this process at once. */
#define _GNU_SOURCE
#include "cordon.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int32_t cordon_seccomp(const void *filter, uint32_t bytes)
{
	struct sock_fprog program = {
		.filter = (struct sock_filter *)(uintptr_t)filter
	};
	uint32_t count = bytes / sizeof(struct sock_filter);
	long result;

	if (filter == NULL || count == 0 || count > BPF_MAXINSNS ||
	    bytes % sizeof(struct sock_filter) != 0)
		return -EINVAL;
	program.len = (unsigned short)count;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			 SECCOMP_FILTER_FLAG_TSYNC, &program);
	if (result < 0)
		return -errno;
	/* A positive result is the thread that could not be synchronised. */
	return result > 0 ? -ESRCH : 0;
}
