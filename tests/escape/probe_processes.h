/* Techniques against other processes, and towards new programs. */
#ifndef CORDON_PROBE_PROCESSES_H
#define CORDON_PROBE_PROCESSES_H

#include "probe_files.h"

static long collect(long pid)
{
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, __WALL);
	return pid;
}
static long do_fork(void) { return collect(CALL(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }
#ifdef SYS_fork
static long old_fork(void) { return collect(CALL(SYS_fork)); }
static long old_vfork(void) { return collect(vfork()); }
#endif
static long do_clone3(void)
{
	uint64_t args[11] = { [4] = SIGCHLD };

	return collect(CALL(435, args, sizeof(args)));
}
static long attach(pid_t pid)
{
	long result = ptrace(PTRACE_ATTACH, pid, 0, 0);

	if (result == 0) {
		waitpid(pid, NULL, __WALL);
		ptrace(PTRACE_DETACH, pid, 0, 0);
	}
	return result;
}
static long ptrace_victim(void) { return attach(victim); }
static long ptrace_parent(void) { return attach(getppid() ? getppid() : 1); }
static long ptrace_seize(void) { return ptrace(PTRACE_SEIZE, victim, 0, 0); }
static long vm_read(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { (void *)8, 1 };

	return process_vm_readv(victim, &here, 1, &there, 1, 0);
}
static long vm_write(void)
{
	char byte = 0;
	struct iovec here = { &byte, 1 }, there = { (void *)8, 1 };

	return process_vm_writev(victim, &here, 1, &there, 1, 0);
}
static long do_pidfd_open(void) { return CALL(434, victim, 0); }
static long do_pidfd_getfd(void)
{
	long pidfd = CALL(434, victim, 0);

	return CALL(438, pidfd, 0, 0);
}
static long do_kcmp(void) { return CALL(SYS_kcmp, getpid(), victim, 1, 0, 0); }
static long kill_victim(void) { return kill(victim, 0); }
static long kill_all(void) { return kill(-1, 0); }
static long tgkill_victim(void) { return CALL(SYS_tgkill, victim, victim, 0); }
static long queue_victim(void) { return CALL(SYS_rt_sigqueueinfo, victim, 0, NULL); }
static long sigio_victim(void) { return fcntl(1, F_SETOWN, victim); }
/* Some kernels look at the broken argument before they look for the file. */
static long exec_shell(void)
{
	CALL(SYS_execve, "/bin/sh", NULL, (void *)8);
	if (errno == EFAULT)
		access("/bin/sh", X_OK);
	return -1;
}
static long exec_memfd(void)
{
	int fd = memfd_create("escape", MFD_CLOEXEC);

	return CALL(SYS_execveat, fd < 0 ? 1 : fd, "", NULL, (void *)8, AT_EMPTY_PATH);
}
static long map_file_as_code(void)
{
	int fd = open(below_plugin("code"), O_RDONLY | O_CLOEXEC);
	void *at;

	if (fd < 0)
		return -1;
	at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	close(fd);
	return at == MAP_FAILED ? -1 : munmap(at, 4096);
}
static long victim_limits(void) { return CALL(SYS_prlimit64, victim, RLIMIT_NOFILE, NULL, NULL); }
static long own_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -1;
	return setrlimit(RLIMIT_NOFILE, &limit);
}
static long set_uid(void) { return CALL(SYS_setuid, getuid()); }
static long affinity(void) { return CALL(SYS_sched_setaffinity, victim, 0, NULL); }
static long priority(void) { return setpriority(PRIO_PROCESS, (id_t)victim, 19); }


static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *unused)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return unused;
}
static long many_threads(void)
{
	static pthread_t threads[500];
	pthread_attr_t small;
	size_t count = 0;
	int error = 0;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	pthread_mutex_lock(&gate);
	while (!error && count < sizeof(threads) / sizeof(threads[0]))
		error = pthread_create(&threads[count], &small, wait_at_gate, NULL) ?: (count++, 0);
	pthread_mutex_unlock(&gate);
	while (count > 0)
		pthread_join(threads[--count], NULL);
	errno = error;
	return error ? -1 : 0;
}
static long many_processes(void)
{
	pid_t children[200];
	size_t count = 0;
	int gates[2], error = 0;
	char byte;

	if (pipe2(gates, O_CLOEXEC))
		return -1;
	while (!error && count < sizeof(children) / sizeof(children[0])) {
		children[count] = (pid_t)CALL(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		if (children[count] == 0) {
			close(gates[1]);
			_exit((int)read(gates[0], &byte, 1));
		}
		if (children[count] < 0)
			error = errno;
		else
			count++;
	}
	close(gates[0]);
	close(gates[1]);
	while (count > 0)
		waitpid(children[--count], NULL, 0);
	errno = error;
	return error ? -1 : 0;
}
static long many_descriptors(void)
{
	int fds[900];
	size_t count = 0;
	int error = 0;

	for (; count < sizeof(fds) / sizeof(fds[0]); count++) {
		fds[count] = fcntl(1, F_DUPFD_CLOEXEC, 0);
		if (fds[count] < 0)
			break;
	}
	if (count < sizeof(fds) / sizeof(fds[0]))
		error = errno;
	while (count > 0)
		close(fds[--count]);
	errno = error;
	return error ? -1 : 0;
}

#endif
