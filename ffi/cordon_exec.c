/*
 * cordon-exec: takes rights away from itself and becomes another program.
 *
 *	cordon-exec [option...] -- program [argument...]
 *	cordon-exec --args-fd=N		(all of the above, NUL-terminated, read from descriptor N)
 *	cordon-exec --show=PATH		(prints a file, and starts nothing)
 *	cordon-exec --identify=PATH	(prints device and number of a file, and starts nothing)
 *
 *	--rlimit=NAME:SOFT:HARD		resource limit; numbers or "unlimited"
 *	--no-new-privs			no setuid programs from here on
 *	--landlock-abi=N		enforce exactly the rights of Landlock ABI N; needed by the following
 *	--landlock-ro=PATH		below PATH: read
 *	--landlock-rx=PATH		below PATH: read and execute
 *	--landlock-rw=PATH		below PATH: everything but device nodes and execute
 *	--landlock-dev=PATH		PATH: read, write, device ioctls
 *	--landlock-connect=none|PORT	TCP ports to connect to
 *	--landlock-bind=none|PORT	TCP ports to bind to
 *	--landlock-scope		no abstract sockets of, and no signals to, processes outside
 *	--pdeathsig=PPID		SIGKILL when the parent dies, which must be PPID still
 *	--seccomp-fd=N			system call filter, read from descriptor N, in force for the program
 *	--close-fds-from=N		close the descriptors from N on
 *	--receive=N			receive N descriptors over standard input, which then has nothing to read
 *	--status=PATH			connect to a Unix socket: the descriptor after those received
 *	--stdin=N			standard input is then the received descriptor N
 *	--account=UID:GID		become this account for good, without further groups
 *	--guard				stay as the program's parent: end like it, and not before everything that it
 *					started; with --pdeathsig, end all of that when the parent dies
 *	--report=N			the guard: say on descriptor N how the kernel saw the program's first child end
 *
 * Nothing is skipped: what cannot be done ends the process with a code of its own and one line on stderr. The order
 * of the steps is fixed, whatever the order of the options. The environment passes through.
 */
#include "cordon_exec_guard.h"
#include "cordon_exec_handover.h"
#include "cordon_exec_show.h"

#define MAX_ARGUMENTS 4096
#define MAX_ARGUMENT_BYTES (256 * 1024)
#define MAX_FILTER_BYTES (4096 * 8)

static char argument_bytes[MAX_ARGUMENT_BYTES];
static char *argument_list[MAX_ARGUMENTS + 1];
static uint64_t filter[MAX_FILTER_BYTES / 8 + 1];

/* Reads a descriptor to its end and closes it. Returns the number of bytes; one more than most is too many. */
static size_t read_all(enum exit_code code, const char *what, int fd, void *buffer, size_t most)
{
	size_t total = 0;
	long got;

	do {
		got = must(code, what, kernel_call(NR_READ, fd, (long)buffer + (long)total, (long)(most - total), 0, 0));
		total += (size_t)got;
	} while (got > 0 && total < most);
	if (got > 0)
		fail(code, what, E2BIG_);
	must(code, what, kernel_call(NR_CLOSE, fd, 0, 0, 0, 0));
	return total;
}

static char **arguments_from(const char *option, const char *text)
{
	int fd = (int)whole_number(option, text, INT32_MAX);
	size_t size = read_all(EXIT_USAGE, option, fd, argument_bytes, sizeof(argument_bytes));
	size_t count = 0;

	if (!size || argument_bytes[size - 1])
		fail(EXIT_USAGE, option, EINVAL_);
	for (size_t at = 0; at < size; at += length(argument_bytes + at) + 1) {
		if (count == MAX_ARGUMENTS)
			fail(EXIT_USAGE, option, E2BIG_);
		argument_list[count++] = argument_bytes + at;
	}
	return argument_list;
}

static size_t read_filter(void)
{
	size_t size;

	if (!plan.has_seccomp)
		return 0;
	size = read_all(EXIT_SECCOMP, "read filter", (int)plan.seccomp_fd, filter, sizeof(filter));
	if (!size || size % 8)
		fail(EXIT_SECCOMP, "read filter", EINVAL_);
	return size;
}

static void follow_parent(void)
{
	if (!plan.has_parent)
		return;
	must(EXIT_PDEATHSIG, "pdeathsig",
	     kernel_call(NR_PRCTL, PR_SET_PDEATHSIG_, plan.is_guarded ? SIGTERM_ : SIGKILL_, 0, 0, 0));
	/* It may have died before the line above. */
	if ((uint64_t)kernel_call(NR_GETPPID, 0, 0, 0, 0, 0) != plan.parent)
		fail(EXIT_PDEATHSIG, "pdeathsig", ESRCH_);
}

static void set_limits(void)
{
	for (size_t i = 0; i < plan.limit_count; i++) {
		struct limit *limit = &plan.limits[i];

		must(EXIT_RLIMIT, limit->option,
		     kernel_call(NR_PRLIMIT64, 0, limit->resource, (long)&limit->value, 0, 0));
	}
}

static uint64_t handled_rights(uint64_t abi)
{
	uint64_t rights = FS_ABI_1;

	if (abi >= 2)
		rights |= FS_REFER;
	if (abi >= 3)
		rights |= FS_TRUNCATE;
	if (abi >= 5)
		rights |= FS_IOCTL_DEV;
	return rights;
}

static void add_path_rule(int ruleset, const struct path_rule *rule, uint64_t handled)
{
	struct kernel_landlock_path beneath = { rule->rights & handled, -1 };
	struct kernel_statx stat;
	const char *path = rule->path;

	beneath.fd = (int32_t)must(EXIT_LANDLOCK, path,
				   kernel_call(NR_OPENAT, AT_FDCWD_, (long)path, O_PATH_ | O_CLOEXEC_, 0, 0));
	must(EXIT_LANDLOCK, path,
	     kernel_call(NR_STATX, beneath.fd, (long)"", AT_EMPTY_PATH_, STATX_TYPE_, (long)&stat));
	if ((stat.mode & MODE_TYPE) != MODE_DIRECTORY)
		beneath.allowed &= FS_OF_FILES;
	must(EXIT_LANDLOCK, path,
	     kernel_call(NR_LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH, (long)&beneath, 0, 0));
	kernel_call(NR_CLOSE, beneath.fd, 0, 0, 0, 0);
}

static void enter_landlock(void)
{
	struct kernel_landlock_ruleset rules = { handled_rights(plan.landlock_abi), plan.handled_net, plan.scoped };
	long ruleset;
	long abi;

	if (!plan.landlock_abi)
		return;
	abi = must(EXIT_LANDLOCK, "landlock-abi",
		   kernel_call(NR_LANDLOCK_CREATE_RULESET, 0, 0, LANDLOCK_VERSION_QUERY, 0, 0));
	if ((uint64_t)abi < plan.landlock_abi || (plan.handled_net && plan.landlock_abi < 4) ||
	    (plan.scoped && plan.landlock_abi < 6))
		fail(EXIT_LANDLOCK, "landlock-abi", EOPNOTSUPP_);
	ruleset = must(EXIT_LANDLOCK, "landlock_create_ruleset",
		       kernel_call(NR_LANDLOCK_CREATE_RULESET, (long)&rules, sizeof(rules), 0, 0, 0));
	for (size_t i = 0; i < plan.path_count; i++)
		add_path_rule((int)ruleset, &plan.paths[i], rules.handled_fs);
	for (size_t i = 0; i < plan.port_count; i++) {
		struct kernel_landlock_port port = { plan.ports[i].rights, plan.ports[i].port };

		must(EXIT_LANDLOCK, "landlock port",
		     kernel_call(NR_LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PORT, (long)&port, 0, 0));
	}
	must(EXIT_LANDLOCK, "landlock_restrict_self",
	     kernel_call(NR_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0, 0, 0));
	kernel_call(NR_CLOSE, ruleset, 0, 0, 0, 0);
}

static void close_descriptors(void)
{
	if (plan.has_close_from)
		must(EXIT_CLOSE_FDS, "close_range",
		     kernel_call(NR_CLOSE_RANGE, (long)plan.close_from, UINT32_MAX, 0, 0, 0));
}

static void install_filter(size_t size)
{
	struct kernel_filter_program program = { (uint16_t)(size / 8), filter };

	if (size)
		must(EXIT_SECCOMP, "seccomp",
		     kernel_call(NR_SECCOMP, SECCOMP_SET_MODE_FILTER_, 0, (long)&program, 0, 0));
}

/* stack: the argument count, the arguments, NULL, the environment, NULL. */
_Noreturn void cordon_exec_main(char **stack);
_Noreturn void cordon_exec_main(char **stack)
{
	size_t count = (size_t)(uintptr_t)stack[0];
	char **arguments = stack + 2;
	char **environment = stack + 2 + count;
	const char *source = count == 2 ? after(stack[2], "--args-fd=") : NULL;
	size_t filter_size;
	uint64_t signals = 0;

	if (!count)
		fail(EXIT_USAGE, "no program", EINVAL_);
	if (count == 2)
		show(stack[2]);
	parse(source ? arguments_from(stack[2], source) : arguments);
	filter_size = read_filter();
	if (plan.is_guarded)
		block_signals(&signals);
	take_over();
	follow_parent();
	set_limits();
	if (plan.no_new_privs)
		must(EXIT_NO_NEW_PRIVS, "no-new-privs", kernel_call(NR_PRCTL, PR_SET_NO_NEW_PRIVS_, 1, 0, 0, 0));
	enter_landlock();
	close_descriptors();
	install_filter(filter_size);
	if (plan.is_guarded)
		start_guarded(signals);
	fail(EXIT_EXEC, plan.command[0],
	     -kernel_call(NR_EXECVE, (long)plan.command[0], (long)plan.command, (long)environment, 0, 0));
}
