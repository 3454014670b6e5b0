/*
 * The first bytes of an executable that `cordon compile` made. Behind them lie the Deno runtime, the host's program and
 * the bundler. It unpacks them once into a cache directory, or into memory where nothing is writable, and becomes
 * the runtime: the same process, so that exit codes, signals and descriptors are the program's own.
 *
 * It exits with 70 and one line on stderr if it cannot.
 */
#include "launcher_unpack.h"

#define EXIT_INTERNAL 70
#define DAMAGED_TEXT "this executable is damaged"
#define EXECUTABLE "CORDON_EXECUTABLE="
#define BUNDLER "ESBUILD_BINARY_PATH="
#define DENO_DIRECTORY "DENO_DIR="
#define MAX_PATH 4096
#define MAX_POINTERS 65536
#define DIGEST_NAME_BYTES 16

static char *argument_list[MAX_POINTERS];
static char *environment_list[MAX_POINTERS];
static char executable_variable[MAX_PATH + 32];
static char bundler_variable[MAX_PATH + 32];
static char deno_variable[MAX_PATH + 32];
static char descriptor_path[64];
static char directory_path[MAX_PATH];
static char runtime_path[MAX_PATH + MAX_NAME];
static char program_path[MAX_PATH + MAX_NAME];

/* Why the kernel refused to execute the runtime, as -errno; 0 if it was never asked. */
static long exec_failure;

static _Noreturn void fail(const char *what)
{
	print("cordon: ");
	print(what);
	print("\n");
	for (;;)
		kernel_call(NR_EXIT_GROUP, EXIT_INTERNAL, 0, 0, 0, 0);
}

static char *append(char *end, const char *text)
{
	size_t size = length(text);

	memcpy(end, text, size + 1);
	return end + size;
}

static char *append_number(char *end, uint64_t number)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;

	digits[at] = 0;
	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	return append(end, digits + at);
}

static const char *variable(char **environment, const char *prefix)
{
	for (; *environment; environment++) {
		const char *value = after(*environment, prefix);

		if (value)
			return value;
	}
	return NULL;
}

/* Both lists end with NULL. The user's arguments follow those of the executable. */
static void fill_arguments(char **user, int is_in_memory)
{
	char *text = payload.arguments;
	size_t count = 0;

	argument_list[count++] = runtime_path;
	for (uint32_t i = 0; i < payload.header.argument_count; i++, text += length(text) + 1)
		argument_list[count++] = text;
	if (is_in_memory)
		argument_list[count++] = (char *)(uintptr_t)"--ext=js";
	argument_list[count++] = program_path;
	for (; *user; user++) {
		if (count == MAX_POINTERS - 1)
			fail("too many arguments");
		argument_list[count++] = *user;
	}
	argument_list[count] = NULL;
}

static void fill_environment(char **environment)
{
	static char no_update[] = "DENO_NO_UPDATE_CHECK=1";
	size_t count = 0;

	environment_list[count++] = executable_variable;
	environment_list[count++] = bundler_variable;
	environment_list[count++] = no_update;
	/* The runtime does not start without a place for its cache, which may well stay missing. */
	if (!variable(environment, DENO_DIRECTORY) && !variable(environment, "XDG_CACHE_HOME=") &&
	    !variable(environment, "HOME="))
		environment_list[count++] = deno_variable;
	for (; *environment; environment++) {
		if (after(*environment, EXECUTABLE) || after(*environment, BUNDLER) ||
		    after(*environment, "DENO_NO_UPDATE_CHECK="))
			continue;
		if (count == MAX_POINTERS - 1)
			fail("too many variables");
		environment_list[count++] = *environment;
	}
	environment_list[count] = NULL;
}

/* Returns only if the kernel forbids it. Emulators of another processor know no execveat. */
static void become_runtime(int fd, char **user, char **environment, int is_in_memory)
{
	fill_arguments(user, is_in_memory);
	fill_environment(environment);
	exec_failure = kernel_call(NR_EXECVEAT, fd, (long)"", (long)argument_list, (long)environment_list,
				   AT_EMPTY_PATH_);
	if (exec_failure == -ENOSYS_) {
		append_number(append(descriptor_path, "/proc/self/fd/"), (uint64_t)fd);
		exec_failure = kernel_call(NR_EXECVE, (long)descriptor_path, (long)argument_list,
					   (long)environment_list, 0, 0);
	}
	/* From another directory it may be allowed. Everything else is the same everywhere. */
	if (exec_failure == -EACCES_ || exec_failure == -EPERM_)
		return;
	if (exec_failure == -ENOENT_)
		fail("cannot start the runtime: its loader is missing, which the system's C library (glibc) brings");
	fail("cannot start the runtime: the kernel cannot execute it");
}

/* Makes one directory if it is missing. It must be ours, and nobody else may write to it. */
static int is_directory_ours(const char *path, int mode)
{
	struct kernel_statx status;
	long made = kernel_call(NR_MKDIRAT, AT_FDCWD_, (long)path, mode, 0, 0);
	int fd = open_file(AT_FDCWD_, path, O_RDONLY_ | O_DIRECTORY_, 0);
	int is_sound = fd >= 0 && !status_of(fd, &status) && is_ours(&status);

	/* The umask may have taken what the account of the sandboxes needs. */
	if (is_sound && !made)
		kernel_call(NR_FCHMOD, fd, mode, 0, 0, 0);
	if (fd >= 0)
		close_file(fd);
	return is_sound;
}

static int open_cache(const char *path)
{
	struct kernel_statfs system;
	int fd;

	if (!is_directory_ours(path, 0755))
		return -1;
	fd = open_file(AT_FDCWD_, path, O_RDONLY_ | O_DIRECTORY_, 0);
	if (fd < 0)
		return -1;
	if (!kernel_call(NR_FSTATFS, fd, (long)&system, 0, 0, 0) && !(system.flags & MOUNT_NOEXEC))
		return fd;
	close_file(fd);
	return -1;
}

/* `end` points to the end of a directory's path in directory_path. Returns only if it cannot be used. */
static void start_below(char *end, char **user, char **environment)
{
	static const char HEX[] = "0123456789abcdef";
	const struct payload_file *bundler = file_with_role(ROLE_BUNDLER);
	int directory;
	int runtime;

	end = append(end, "/cordon-runtime");
	if (!is_directory_ours(directory_path, 0755))
		return;
	end = append(end, "/");
	for (size_t i = 0; i < DIGEST_NAME_BYTES; i++) {
		*end++ = HEX[payload.footer.index_digest[i] >> 4];
		*end++ = HEX[payload.footer.index_digest[i] & 15];
	}
	*end = 0;
	directory = open_cache(directory_path);
	if (directory < 0)
		return;
	runtime = unpack_all(directory);
	close_file(directory);
	if (runtime == DAMAGED)
		fail(DAMAGED_TEXT);
	if (runtime < 0)
		return;
	append(append(append(runtime_path, directory_path), "/"), file_with_role(ROLE_RUNTIME)->name);
	append(append(append(program_path, directory_path), "/"), file_with_role(ROLE_PROGRAM)->name);
	append(append(append(deno_variable, DENO_DIRECTORY), directory_path), "/cache");
	end = append(bundler_variable, BUNDLER);
	if (bundler)
		append(append(append(end, directory_path), "/"), bundler->name);
	become_runtime(runtime, user, environment, 0);
	close_file(runtime);
}

/* A home that belongs to somebody else, as sudo leaves it, is no place for our files. */
static void try_below(const char *base, const char *rest, char **user, char **environment)
{
	struct kernel_statx status;
	char *end;

	if (!base || base[0] != '/' || length(base) > MAX_PATH - 256)
		return;
	if (kernel_call(NR_STATX, AT_FDCWD_, (long)base, 0, STATX_BASIC_, (long)&status) ||
	    status.uid != (uint32_t)kernel_call(NR_GETEUID, 0, 0, 0, 0, 0))
		return;
	end = append(directory_path, base);
	if (*rest) {
		end = append(end, rest);
		kernel_call(NR_MKDIRAT, AT_FDCWD_, (long)directory_path, 0755, 0, 0);
	}
	start_below(end, user, environment);
}

static void try_temporary(char **user, char **environment)
{
	uint64_t self = (uint64_t)kernel_call(NR_GETEUID, 0, 0, 0, 0, 0);
	char *end = append_number(append(directory_path, "/tmp/cordon-"), self);

	if (is_directory_ours(directory_path, self ? 0700 : 0711))
		start_below(end, user, environment);
}

static int memory_file(const struct payload_file *file, unsigned int flags)
{
	uint8_t digest[SHA256_BYTES];
	int fd = (int)kernel_call(NR_MEMFD_CREATE, (long)file->name, flags | MFD_EXEC_, 0, 0, 0);

	/* Linux before 6.3 does not know the flag, and needs none. */
	if (fd < 0)
		fd = (int)kernel_call(NR_MEMFD_CREATE, (long)file->name, flags, 0, 0, 0);
	if (fd < 0 || hash_range(payload.fd, file->offset, file->size, fd, digest))
		return -1;
	if (!is_equal(digest, file->digest, sizeof(digest)))
		fail(DAMAGED_TEXT);
	return fd;
}

static void start_in_memory(char **user, char **environment)
{
	const struct payload_file *bundler = file_with_role(ROLE_BUNDLER);
	int runtime = memory_file(file_with_role(ROLE_RUNTIME), MFD_CLOEXEC_);
	const struct payload_file *whole = file_with_role(ROLE_MEMORY_PROGRAM);
	int program = memory_file(whole ? whole : file_with_role(ROLE_PROGRAM), 0);
	int tool = bundler ? memory_file(bundler, 0) : -1;
	uint64_t self = (uint64_t)kernel_call(NR_GETPID, 0, 0, 0, 0, 0);
	char *end;

	if (runtime < 0 || program < 0)
		return;
	append(runtime_path, "cordon");
	append(append(deno_variable, DENO_DIRECTORY), "/tmp/cordon-deno");
	append_number(append(program_path, "/proc/self/fd/"), (uint64_t)program);
	end = append(bundler_variable, BUNDLER);
	if (tool >= 0)
		append_number(append(append_number(append(end, "/proc/"), self), "/fd/"), (uint64_t)tool);
	become_runtime(runtime, user, environment, 1);
}

/* stack: the argument count, the arguments, NULL, the environment, NULL. */
_Noreturn void cordon_launcher_main(char **stack);
_Noreturn void cordon_launcher_main(char **stack)
{
	size_t count = (size_t)(uintptr_t)stack[0];
	char **user = stack + (count ? 2 : 1);
	char **environment = stack + 2 + count;
	struct kernel_statx status;
	char *end = append(executable_variable, EXECUTABLE);
	long size;

	payload.fd = (int)kernel_call(NR_OPENAT, AT_FDCWD_, (long)"/proc/self/exe", O_RDONLY_ | O_CLOEXEC_, 0, 0);
	if (payload.fd < 0 || status_of(payload.fd, &status))
		fail("cannot open /proc/self/exe: is /proc mounted?");
	if (read_payload(status.size) || !file_with_role(ROLE_RUNTIME) || !file_with_role(ROLE_PROGRAM))
		fail(DAMAGED_TEXT);
	size = kernel_call(NR_READLINKAT, AT_FDCWD_, (long)"/proc/self/exe", (long)end, MAX_PATH, 0);
	if (size < 0 || size == MAX_PATH)
		fail("cannot read where /proc/self/exe points to");
	end[size] = 0;
	try_below(variable(environment, "XDG_CACHE_HOME="), "", user, environment);
	/* Sandboxes of root run as another account, which cannot reach anything in root's home. */
	try_below("/var/cache", "", user, environment);
	try_below(variable(environment, "HOME="), "/.cache", user, environment);
	try_below(variable(environment, "XDG_RUNTIME_DIR="), "", user, environment);
	try_temporary(user, environment);
	start_in_memory(user, environment);
	if (exec_failure)
		fail("cannot start the runtime: executing it is forbidden");
	fail("cannot unpack the runtime: no directory is writable, and memory files are refused");
}
