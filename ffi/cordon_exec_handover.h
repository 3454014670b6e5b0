/*
 * What a guard is given once it exists: descriptors over its standard input, a connection for what bubblewrap reports,
 * and another account.
 *
 * A host that starts a process with more than three descriptors, or under another account, copies its page tables for
 * that; one that starts this does not.
 */
#ifndef CORDON_EXEC_HANDOVER_H
#define CORDON_EXEC_HANDOVER_H

#include "cordon_exec_options.h"

#define FIRST_DESCRIPTOR 3
#define AF_UNIX_ 1
#define SOCK_STREAM_ 1
#define SOL_SOCKET_ 1
#define SCM_RIGHTS_ 1
#define MSG_CTRUNC_ 8
/* Header and one descriptor: cmsg(3). */
#define CONTROL_BYTES 20

#if defined(__x86_64__)
enum {
	NR_SOCKET = 41,
	NR_CONNECT = 42,
	NR_RECVMSG = 47,
	NR_SETGROUPS = 116,
	NR_SETRESUID = 117,
	NR_SETRESGID = 119,
	NR_DUP3 = 292,
};
#else
enum {
	NR_DUP3 = 24,
	NR_SETRESUID = 147,
	NR_SETRESGID = 149,
	NR_SETGROUPS = 159,
	NR_SOCKET = 198,
	NR_CONNECT = 203,
	NR_RECVMSG = 212,
};
#endif

struct kernel_part {
	void *bytes;
	size_t length;
};

struct kernel_control {
	size_t bytes;
	int32_t level;
	int32_t kind;
	int32_t fd;
	int32_t padding;
};

struct kernel_message {
	void *name;
	uint32_t name_bytes;
	struct kernel_part *parts;
	size_t part_count;
	void *control;
	size_t control_bytes;
	uint32_t flags;
};

struct kernel_address {
	uint16_t family;
	char path[108];
};

_Static_assert(sizeof(struct kernel_message) == 56 && sizeof(struct kernel_control) == 24, "recvmsg");

/* All of them were sent before this process was started, so none is waited for. */
static void receive_descriptor(uint32_t number)
{
	static struct kernel_control control;
	static char byte;
	static struct kernel_part part = { &byte, 1 };
	static struct kernel_message message;
	long got;

	message.parts = &part;
	message.part_count = 1;
	message.control = &control;
	message.control_bytes = sizeof(control);
	got = must(EXIT_HANDOVER, "receive", kernel_call(NR_RECVMSG, 0, (long)&message, 0, 0, 0));
	if (got != 1 || message.flags & MSG_CTRUNC_ || control.bytes != CONTROL_BYTES ||
	    control.level != SOL_SOCKET_ || control.kind != SCM_RIGHTS_ || control.fd != (int32_t)number)
		fail(EXIT_HANDOVER, "receive", EINVAL_);
}

static void connect_status(uint32_t number)
{
	static struct kernel_address address;
	size_t bytes = length(plan.status_path);
	long fd;

	if (bytes >= sizeof(address.path))
		fail(EXIT_HANDOVER, "status", E2BIG_);
	address.family = AF_UNIX_;
	for (size_t i = 0; i <= bytes; i++)
		address.path[i] = plan.status_path[i];
	fd = must(EXIT_HANDOVER, "status", kernel_call(NR_SOCKET, AF_UNIX_, SOCK_STREAM_, 0, 0, 0));
	if (fd != (long)number)
		fail(EXIT_HANDOVER, "status", EINVAL_);
	must(EXIT_HANDOVER, "status",
	     kernel_call(NR_CONNECT, fd, (long)&address, (long)(sizeof(address.family) + bytes + 1), 0, 0));
}

/* What was received for it, or nothing to read. */
static void replace_input(void)
{
	long fd = (long)plan.stdin_fd;

	if (!plan.has_stdin)
		fd = must(EXIT_HANDOVER, "/dev/null",
			  kernel_call(NR_OPENAT, AT_FDCWD_, (long)"/dev/null", 0, 0, 0));
	must(EXIT_HANDOVER, "stdin", kernel_call(NR_DUP3, fd, 0, 0, 0, 0));
	kernel_call(NR_CLOSE, fd, 0, 0, 0, 0);
}

/* For good: the saved ids change, too. */
static void change_account(void)
{
	must(EXIT_HANDOVER, "account", kernel_call(NR_SETGROUPS, 0, 0, 0, 0, 0));
	must(EXIT_HANDOVER, "account",
	     kernel_call(NR_SETRESGID, (long)plan.gid, (long)plan.gid, (long)plan.gid, 0, 0));
	must(EXIT_HANDOVER, "account",
	     kernel_call(NR_SETRESUID, (long)plan.uid, (long)plan.uid, (long)plan.uid, 0, 0));
}

static void take_over(void)
{
	if (plan.has_received) {
		must(EXIT_HANDOVER, "close",
		     kernel_call(NR_CLOSE_RANGE, FIRST_DESCRIPTOR, UINT32_MAX, 0, 0, 0));
		for (uint32_t i = 0; i < plan.received; i++)
			receive_descriptor(FIRST_DESCRIPTOR + i);
		connect_status(FIRST_DESCRIPTOR + (uint32_t)plan.received);
		replace_input();
	}
	if (plan.has_account)
		change_account();
}

#endif
