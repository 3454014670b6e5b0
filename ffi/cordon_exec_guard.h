/*
 * The guard: starts the program instead of becoming it, passes its exit on, and leaves nothing of it behind.
 *
 * bubblewrap's child waits for a word of bubblewrap before it does anything. If the host is killed in that moment and
 * takes bubblewrap along, the child waits for ever: it has lost its parent before it could ask to die with it. The
 * guard stands above both. As their subreaper it inherits the child, and it ends only when it has no child left.
 */
#ifndef CORDON_EXEC_GUARD_H
#define CORDON_EXEC_GUARD_H

#include "cordon_exec_report.h"

#define EINTR_ 4
#define ECHILD_ 10
#define SIGTERM_ 15
#define SIGCHLD_ 17
#define PR_SET_CHILD_SUBREAPER_ 36
#define SIG_BLOCK_ 0
#define SIG_SETMASK_ 2
#define SIGNAL_SET_BYTES 8
#define P_PID_ 1
#define WNOHANG_ 1
#define WEXITED_ 4
#define WNOWAIT_ 0x01000000
#define RLIMIT_CORE_ 4
#define SIGNAL_BIT(number) (1ULL << ((number) - 1))

#if defined(__x86_64__)
enum {
	NR_RT_SIGACTION = 13,
	NR_RT_SIGPROCMASK = 14,
	NR_GETPID = 39,
	NR_CLONE = 56,
	NR_WAIT4 = 61,
	NR_KILL = 62,
	NR_SETPGID = 109,
	NR_RT_SIGTIMEDWAIT = 128,
	NR_WAITID = 247,
};
#else
enum {
	NR_WAITID = 95,
	NR_KILL = 129,
	NR_RT_SIGACTION = 134,
	NR_RT_SIGPROCMASK = 135,
	NR_RT_SIGTIMEDWAIT = 137,
	NR_SETPGID = 154,
	NR_GETPID = 172,
	NR_CLONE = 220,
	NR_WAIT4 = 260,
};
#endif

static void default_action(long signal)
{
	/* The kernel's struct sigaction, all of it zero: SIG_DFL. */
	static const uint64_t action[8];

	kernel_call(NR_RT_SIGACTION, signal, (long)action, 0, SIGNAL_SET_BYTES, 0);
}

static void set_signals(uint64_t set)
{
	kernel_call(NR_RT_SIGPROCMASK, SIG_SETMASK_, (long)&set, 0, SIGNAL_SET_BYTES, 0);
}

/* Does not reap it, so that its number still stands for it and for its process group. */
static int has_ended(long child)
{
	static uint64_t info[16];

	kernel_call(NR_WAITID, P_PID_, child, (long)info, WEXITED_ | WNOHANG_ | WNOWAIT_, 0);
	return info[0] != 0;
}

/* Returns when the program has ended or the host has. */
static void wait_for_end(long child, struct witness *witness)
{
	uint64_t set = SIGNAL_BIT(SIGCHLD_) | SIGNAL_BIT(SIGTERM_);

	while (!has_ended(child))
		if (kernel_call(NR_RT_SIGTIMEDWAIT, (long)&set, 0, (long)look(witness, child), SIGNAL_SET_BYTES, 0) ==
		    SIGTERM_)
			return;
}

/* None of them has been waited for, so no number stands for anybody else. */
static void kill_children(void)
{
	static char list[4096];
	long pid = 0;
	long fd = kernel_call(NR_OPENAT, AT_FDCWD_, (long)"/proc/thread-self/children", O_CLOEXEC_, 0, 0);
	long size = fd < 0 ? 0 : kernel_call(NR_READ, fd, (long)list, sizeof(list), 0, 0);

	for (long i = 0; i < size; i++) {
		if (list[i] >= '0' && list[i] <= '9') {
			pid = pid * 10 + (list[i] - '0');
			continue;
		}
		if (pid)
			kernel_call(NR_KILL, pid, SIGKILL_, 0, 0, 0);
		pid = 0;
	}
	if (fd >= 0)
		kernel_call(NR_CLOSE, fd, 0, 0, 0, 0);
}

/* Ends all that is left, which comes to the guard one by one as its parents end. Returns how the program ended. */
static int end_all(long child)
{
	int status = 0;
	int found = 0;
	long pid;

	/* Also reaches what would not come up in the list of children before bubblewrap is gone. */
	kernel_call(NR_KILL, -child, SIGKILL_, 0, 0, 0);
	do {
		kill_children();
		pid = kernel_call(NR_WAIT4, -1, (long)&found, 0, 0, 0);
		if (pid == child)
			status = found;
	} while (pid > 0 || pid == -EINTR_);
	return status;
}

/* Ends as the program has ended: by the same signal, or with the same code. */
static _Noreturn void end_like(int status)
{
	struct kernel_rlimit no_core = { 0, 0 };
	int signal = status & 0x7f;

	if (signal) {
		kernel_call(NR_PRLIMIT64, 0, RLIMIT_CORE_, (long)&no_core, 0, 0);
		default_action(signal);
		/* The others stay blocked: one that came meanwhile is not why the program ended. */
		set_signals(~SIGNAL_BIT(signal));
		kernel_call(NR_KILL, kernel_call(NR_GETPID, 0, 0, 0, 0, 0), signal, 0, 0, 0);
	}
	for (;;)
		kernel_call(NR_EXIT_GROUP, signal ? 128 + signal : (status >> 8) & 0xff, 0, 0, 0, 0);
}

/* From before the program exists, so that none is missed. */
static void block_signals(uint64_t *before)
{
	uint64_t all = ~0ULL;

	default_action(SIGCHLD_);
	kernel_call(NR_RT_SIGPROCMASK, SIG_BLOCK_, (long)&all, (long)before, SIGNAL_SET_BYTES, 0);
}

static void close_all_but_report(void)
{
	uint64_t first = 0;

	if (plan.has_report) {
		if (plan.report_fd)
			kernel_call(NR_CLOSE_RANGE, 0, (long)plan.report_fd - 1, 0, 0, 0);
		first = plan.report_fd + 1;
	}
	kernel_call(NR_CLOSE_RANGE, (long)first, UINT32_MAX, 0, 0, 0);
}

/*
 * Returns in the process that is to become the program, with the signals that the guard found. A process group of its
 * own keeps a terminal's signals from it: the host decides what they mean.
 */
static void start_guarded(uint64_t signals)
{
	struct witness witness = { -1, 0, 0 };
	long child;
	int status;

	must(EXIT_GUARD, "subreaper", kernel_call(NR_PRCTL, PR_SET_CHILD_SUBREAPER_, 1, 0, 0, 0));
	child = must(EXIT_GUARD, "fork", kernel_call(NR_CLONE, SIGCHLD_, 0, 0, 0, 0));
	if (!child) {
		must(EXIT_GUARD, "process group", kernel_call(NR_SETPGID, 0, 0, 0, 0, 0));
		must(EXIT_GUARD, "pdeathsig", kernel_call(NR_PRCTL, PR_SET_PDEATHSIG_, SIGKILL_, 0, 0, 0));
		set_signals(signals);
		return;
	}
	/* Whoever of the two is first: the group exists before it is needed. */
	kernel_call(NR_SETPGID, child, child, 0, 0, 0);
	close_all_but_report();
	wait_for_end(child, &witness);
	status = end_all(child);
	report(&witness);
	end_like(status);
}

#endif
