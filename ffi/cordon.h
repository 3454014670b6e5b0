/*
 * The whole C API of Cordon's native library.
 *
 * Mechanism only: no policy, no text for people, no state, no threads. Every
 * function returns a value of zero or more, or -errno. The codes that all
 * functions share: -EINVAL for an argument outside its documented range,
 * -EBADF for a number that is no descriptor. Calls that a signal interrupted
 * are repeated. Every descriptor that is made here is close-on-exec.
 */
#ifndef CORDON_H
#define CORDON_H

#include <stdint.h>

#define CORDON_API __attribute__((visibility("default")))

/* Rises whenever a signature or a meaning below changes. */
#define CORDON_ABI_VERSION 1u

CORDON_API uint32_t cordon_abi_version(void);

/* Bytes of a memory page; every offset and length of a mapping is a multiple. */
CORDON_API int64_t cordon_page_size(void);

/* --- shm.c: sealed memory and the window it is mapped into --- */

/*
 * A new memfd of `bytes` bytes that can neither shrink nor grow. The caller
 * owns the descriptor. Further seals may be added. -ENOMEM, -EMFILE, -ENFILE,
 * -EFBIG, -EPERM.
 */
CORDON_API int32_t cordon_memfd(uint64_t bytes);

#define CORDON_SEAL_WRITE 0u		/* nobody writes any more */
#define CORDON_SEAL_FUTURE_WRITE 1u	/* only mappings that exist write */

/*
 * Add one of the seals above. -EBUSY: a writable shared mapping still exists.
 * -EPERM: the descriptor is sealed against seals.
 */
CORDON_API int32_t cordon_seal(int32_t fd, uint32_t seal);

/* Indices into the array that cordon_region_facts() fills. */
#define CORDON_FACT_BYTES 0		/* size of the file */
#define CORDON_FACT_ALLOCATED 1		/* bytes that have pages */
#define CORDON_FACT_SEALS 2		/* F_SEAL_* bits */
#define CORDON_FACT_WRITABLE 3		/* 1 when opened for writing */
#define CORDON_FACTS 4

/* What the kernel says about a memfd. -EINVAL: not a memfd. */
CORDON_API int32_t cordon_region_facts(int32_t fd, uint64_t *facts);

/*
 * Reserve address space without memory behind it and store its address in
 * `window[0]`. It stays until the process ends. -ENOMEM.
 */
CORDON_API int32_t cordon_window_reserve(uint64_t bytes, uint64_t *window);

#define CORDON_MAP_SHARED 0u	/* writes are seen by everybody */
#define CORDON_MAP_PRIVATE 1u	/* writes are the caller's own */
#define CORDON_MAP_FILLED 2u	/* as shared, with all pages made at once */

/*
 * Map `bytes` of `fd` from `file_offset` into the window at `offset`. All four
 * are multiples of the page size; the file must be sealed against shrinking
 * and long enough, so that no access can raise SIGBUS. -EPERM: seals are
 * missing, or forbid a shared mapping. -ERANGE: outside the file or window.
 */
CORDON_API int32_t cordon_map(void *window, uint64_t window_bytes,
			      uint64_t offset, int32_t fd,
			      uint64_t file_offset, uint64_t bytes,
			      uint32_t mode);

/* Put zeros that take no memory in the place of a mapping. -ERANGE, -ENOMEM. */
CORDON_API int32_t cordon_unmap(void *window, uint64_t window_bytes,
				uint64_t offset, uint64_t bytes);

/* Give the pages of a part of a memfd back; it reads as zeros afterwards. */
CORDON_API int32_t cordon_discard(int32_t fd, uint64_t offset, uint64_t bytes);

/* Write `bytes` bytes into a memfd. -ERANGE: outside. -ENOSPC, -ENOMEM. */
CORDON_API int32_t cordon_fill(int32_t fd, uint64_t offset, const void *from,
			       uint64_t bytes);

/* --- fdpass.c: messages that may carry one descriptor --- */

/*
 * A connected pair of nonblocking sockets that keep message boundaries, in
 * `pair[0]` and `pair[1]`. -EMFILE, -ENFILE, -ENOMEM.
 */
CORDON_API int32_t cordon_socketpair(int32_t *pair);

/*
 * Send one message of 1 to 65536 bytes, with `pass_fd` unless it is negative.
 * The descriptor stays the caller's. Never waits: -EAGAIN. -EPIPE: closed.
 */
CORDON_API int32_t cordon_send(int32_t fd, const void *message,
			       uint32_t bytes, int32_t pass_fd);

/*
 * Receive one message and return its length; 0 means that the peer is gone.
 * `passed[0]` is the descriptor that came with it, the caller's from now on,
 * or -1. Never waits: -EAGAIN. -EBADMSG: the message was longer than `bytes`
 * or carried more than one descriptor; everything that came was closed.
 */
CORDON_API int32_t cordon_receive(int32_t fd, void *message, uint32_t bytes,
				  int32_t *passed);

#define CORDON_READABLE 1
#define CORDON_HUNG_UP 2

/*
 * Wait until `fd` has something to read or its peer is gone, at most
 * `timeout_ms` (negative: without end). Returns the bits above, 0 on timeout.
 */
CORDON_API int32_t cordon_wait(int32_t fd, int32_t timeout_ms);

/* Close a descriptor. */
CORDON_API int32_t cordon_close(int32_t fd);

/* End a socket in both directions; whoever waits on it wakes up. */
CORDON_API int32_t cordon_shutdown(int32_t fd);

/* Mark every descriptor from `first` (3 or more) on as close-on-exec. */
CORDON_API int32_t cordon_close_on_exec(int32_t first);

/* --- seccomp.c --- */

/*
 * Install a filter, an array of struct sock_filter, for all threads of the
 * process, and give up gaining privileges. -ESRCH: some thread could not be
 * brought under it; then no thread is.
 */
CORDON_API int32_t cordon_seccomp(const void *filter, uint32_t bytes);

/* --- process.c: what a Deno without --allow-all may not ask by itself --- */

/*
 * Read the limits of `pid` (0: this process) into `limits[0]` (soft) and
 * `limits[1]` (hard), then, if `set` is not 0, set them to `limits[2]` and
 * `limits[3]`. `resource` is an RLIMIT_ number. -ESRCH, -EPERM.
 */
CORDON_API int32_t cordon_prlimit(int32_t pid, uint32_t resource,
				  uint64_t *limits, uint32_t set);

/* A descriptor for a process, immune to the reuse of its pid. -ESRCH, -ENOSYS. */
CORDON_API int32_t cordon_pidfd_open(int32_t pid);

/* Send a signal through a descriptor for a process. -ESRCH: it is gone. */
CORDON_API int32_t cordon_pidfd_kill(int32_t pidfd, int32_t signal);

/* pid, uid and gid of the peer of a Unix socket in `who[0]` to `who[2]`. */
CORDON_API int32_t cordon_peer_credentials(int32_t fd, int32_t *who);

/* SIGNAL for this process when the thread that started it ends. */
CORDON_API int32_t cordon_parent_death_signal(int32_t signal);

/*
 * Read a file of at most `bytes` bytes and return its length. -EFBIG: there is
 * more. Any error of open(2) and read(2).
 */
CORDON_API int64_t cordon_read_file(const char *path, void *into,
				    uint64_t bytes);

/* Write to a file that exists, by one write(2). -EIO: less was taken. */
CORDON_API int32_t cordon_write_file(const char *path, const void *from,
				     uint64_t bytes);

/* mkdir(2) with mode 0755, and rmdir(2). */
CORDON_API int32_t cordon_make_directory(const char *path);
CORDON_API int32_t cordon_remove_directory(const char *path);

/* A descriptor that only names a file; a symbolic link is not followed. */
CORDON_API int32_t cordon_open_path(const char *path);

/*
 * Take the lock on a file, which is made if it does not exist, and return the
 * descriptor that holds it. A symbolic link is refused. -EAGAIN: taken.
 */
CORDON_API int32_t cordon_lock_file(const char *path);

#endif
