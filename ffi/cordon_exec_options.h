/*
 * The options of cordon-exec: parsed completely, and refused for any mistake, before anything is done.
 */
#ifndef CORDON_EXEC_OPTIONS_H
#define CORDON_EXEC_OPTIONS_H

#include "cordon_exec_text.h"

#define MAX_RULES 512
#define MAX_LIMITS 16
#define MAX_RECEIVED 200
#define NEWEST_ABI 7
#define UNLIMITED UINT64_MAX

struct limit {
	const char *option;
	int resource;
	struct kernel_rlimit value;
};

struct path_rule {
	const char *path;
	uint64_t rights;
};

struct port_rule {
	uint64_t port;
	uint64_t rights;
};

struct plan {
	struct limit limits[MAX_LIMITS];
	struct path_rule paths[MAX_RULES];
	struct port_rule ports[MAX_RULES];
	size_t limit_count, path_count, port_count;
	uint64_t landlock_abi, handled_net, scoped;
	uint64_t parent, seccomp_fd, close_from, received, stdin_fd, uid, gid, report_fd;
	int no_new_privs, has_parent, has_seccomp, has_close_from, is_guarded, has_received, has_stdin, has_account, has_report;
	const char *status_path;
	char **command;
};

static struct plan plan;

static const char *const LIMIT_NAMES[] = {
	"cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile",
	"memlock", "as", "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime",
};

/* Decimal digits up to end, a character that must follow them. Anything else is a usage error. */
static const char *number(const char *option, const char *text, char end, uint64_t *value)
{
	uint64_t sum = 0;

	if (*text < '0' || *text > '9')
		fail(EXIT_USAGE, option, EINVAL_);
	for (; *text >= '0' && *text <= '9'; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (sum > (UINT64_MAX - digit) / 10)
			fail(EXIT_USAGE, option, EINVAL_);
		sum = sum * 10 + digit;
	}
	if (*text != end)
		fail(EXIT_USAGE, option, EINVAL_);
	*value = sum;
	return text;
}

static uint64_t whole_number(const char *option, const char *text, uint64_t most)
{
	uint64_t value;

	number(option, text, '\0', &value);
	if (value > most)
		fail(EXIT_USAGE, option, EINVAL_);
	return value;
}

static const char *amount(const char *option, const char *text, char end, uint64_t *value)
{
	const char *rest = after(text, "unlimited");

	if (!rest)
		return number(option, text, end, value);
	if (*rest != end)
		fail(EXIT_USAGE, option, EINVAL_);
	*value = UNLIMITED;
	return rest;
}

static void add_limit(const char *option, const char *text)
{
	struct limit *limit = &plan.limits[plan.limit_count];

	if (plan.limit_count == MAX_LIMITS)
		fail(EXIT_USAGE, option, E2BIG_);
	for (int i = 0; i < (int)(sizeof(LIMIT_NAMES) / sizeof(LIMIT_NAMES[0])); i++) {
		const char *rest = after(text, LIMIT_NAMES[i]);

		if (!rest || *rest != ':')
			continue;
		rest = amount(option, rest + 1, ':', &limit->value.soft);
		amount(option, rest + 1, '\0', &limit->value.hard);
		limit->option = option;
		limit->resource = i;
		plan.limit_count++;
		return;
	}
	fail(EXIT_USAGE, option, EINVAL_);
}

static void add_path(const char *option, const char *path, uint64_t rights)
{
	if (*path != '/')
		fail(EXIT_USAGE, option, EINVAL_);
	if (plan.path_count == MAX_RULES)
		fail(EXIT_USAGE, option, E2BIG_);
	plan.paths[plan.path_count++] = (struct path_rule){ path, rights };
}

static void add_port(const char *option, const char *text, uint64_t right)
{
	plan.handled_net |= right;
	if (same(text, "none"))
		return;
	if (plan.port_count == MAX_RULES)
		fail(EXIT_USAGE, option, E2BIG_);
	plan.ports[plan.port_count++] = (struct port_rule){ whole_number(option, text, 65535), right };
}

static void set_account(const char *option, const char *text)
{
	const char *rest = number(option, text, ':', &plan.uid);

	if (plan.uid > INT32_MAX)
		fail(EXIT_USAGE, option, EINVAL_);
	plan.gid = whole_number(option, rest + 1, INT32_MAX);
	plan.has_account = 1;
}

static int parse_handover(const char *option)
{
	const char *value;

	if ((value = after(option, "--receive="))) {
		plan.received = whole_number(option, value, MAX_RECEIVED);
		plan.has_received = 1;
	} else if ((value = after(option, "--status="))) {
		plan.status_path = value;
	} else if ((value = after(option, "--stdin="))) {
		plan.stdin_fd = whole_number(option, value, INT32_MAX);
		plan.has_stdin = 1;
	} else if ((value = after(option, "--account="))) {
		set_account(option, value);
	} else {
		return 0;
	}
	return 1;
}

static int parse_landlock(const char *option)
{
	const uint64_t read = FS_READ_FILE | FS_READ_DIR;
	const uint64_t write = FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG |
			       FS_MAKE_SOCK | FS_MAKE_FIFO | FS_MAKE_SYM | FS_REFER | FS_TRUNCATE;
	const char *value;

	if ((value = after(option, "--landlock-abi=")))
		plan.landlock_abi = whole_number(option, value, NEWEST_ABI);
	else if ((value = after(option, "--landlock-ro=")))
		add_path(option, value, read);
	else if ((value = after(option, "--landlock-rx=")))
		add_path(option, value, read | FS_EXECUTE);
	else if ((value = after(option, "--landlock-rw=")))
		add_path(option, value, read | write);
	else if ((value = after(option, "--landlock-dev=")))
		add_path(option, value, read | FS_WRITE_FILE | FS_IOCTL_DEV);
	else if ((value = after(option, "--landlock-connect=")))
		add_port(option, value, NET_CONNECT);
	else if ((value = after(option, "--landlock-bind=")))
		add_port(option, value, NET_BIND);
	else if (same(option, "--landlock-scope"))
		plan.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	else
		return 0;
	return 1;
}

static void parse_option(const char *option)
{
	const char *value;

	if (parse_landlock(option) || parse_handover(option))
		return;
	if ((value = after(option, "--rlimit="))) {
		add_limit(option, value);
	} else if (same(option, "--no-new-privs")) {
		plan.no_new_privs = 1;
	} else if ((value = after(option, "--pdeathsig="))) {
		plan.parent = whole_number(option, value, INT32_MAX);
		plan.has_parent = 1;
	} else if ((value = after(option, "--seccomp-fd="))) {
		plan.seccomp_fd = whole_number(option, value, INT32_MAX);
		plan.has_seccomp = 1;
	} else if ((value = after(option, "--close-fds-from="))) {
		plan.close_from = whole_number(option, value, INT32_MAX);
		plan.has_close_from = 1;
	} else if (same(option, "--guard")) {
		plan.is_guarded = 1;
	} else if ((value = after(option, "--report="))) {
		plan.report_fd = whole_number(option, value, INT32_MAX);
		plan.has_report = 1;
	} else {
		fail(EXIT_USAGE, option, EINVAL_);
	}
}

static void parse(char **arguments)
{
	int wants_landlock;

	for (; *arguments && !same(*arguments, "--"); arguments++)
		parse_option(*arguments);
	if (!*arguments || !arguments[1])
		fail(EXIT_USAGE, "no program", EINVAL_);
	plan.command = arguments + 1;
	wants_landlock = plan.path_count || plan.handled_net || plan.scoped;
	if (wants_landlock && !plan.landlock_abi)
		fail(EXIT_USAGE, "no --landlock-abi", EINVAL_);
	if (plan.has_received != (plan.status_path != NULL) || (plan.has_stdin && !plan.has_received))
		fail(EXIT_USAGE, "--receive and --status", EINVAL_);
}

#endif
