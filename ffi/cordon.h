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

/*
 * A descriptor that is readable, as cordon_wait() sees it, while something
 * that it watches is readable or has lost its peer: one thread can wait for
 * many. The caller's. -EMFILE, -ENFILE, -ENOMEM.
 */
CORDON_API int32_t cordon_watch_open(void);

/*
 * Begin to watch `fd`, or end it if `is_wanted` is 0; also while somebody
 * waits. -EEXIST: it is watched. -ENOENT: it is not.
 */
CORDON_API int32_t cordon_watch(int32_t watch, int32_t fd, int32_t is_wanted);

/* Close a descriptor. */
CORDON_API int32_t cordon_close(int32_t fd);

/* Another descriptor for the same thing, the caller's. -EMFILE. */
CORDON_API int32_t cordon_duplicate(int32_t fd);

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

/*
 * Read a file of at most `bytes` bytes and return its length. -EFBIG: there is
 * more. Any error of open(2) and read(2).
 */
CORDON_API int64_t cordon_read_file(const char *path, void *into,
				    uint64_t bytes);

/*
 * Ask the kernel to hold up to `bytes` bytes that were written to a socket and
 * not yet read: every connected Unix stream socket of this process whose own
 * name or whose peer's is `path`. What it grants depends on the system, so the
 * room that there is now is returned. -ENOENT: there is no such socket.
 */
CORDON_API int32_t cordon_send_room(const char *path, uint32_t bytes);

/* --- cuda.c, cuda_share.c, cuda_run.c: a graphics driver --- */

/*
 * Nothing of the driver is linked: it is loaded when it is asked for. These
 * functions return 0, a CUresult (more than 0, see cordon_cuda_error_name())
 * or -errno. `cuda` is what cordon_cuda_open() gave; any thread may call, with
 * the context that the work belongs to. A stream of 0 is the default one. What
 * is made is the caller's to free with the function that is named after it.
 */

/* Load the driver and start it. -ENOENT: no such library, -ENOSYS: too old. */
CORDON_API int32_t cordon_cuda_open(const char *path, uint64_t *cuda);
/* Forget the driver; it stays loaded. Everything of it must be freed before. */
CORDON_API int32_t cordon_cuda_close(void *cuda);
/* Name of a CUresult; returns its length. -ENOENT: there is none. */
CORDON_API int32_t cordon_cuda_error_name(void *cuda, int32_t result,
					  char *into, uint32_t bytes);
/* Version of the driver and number of devices. */
CORDON_API int32_t cordon_cuda_counts(void *cuda, int32_t *counts);
/*
 * Memory in bytes, compute capability (2), virtual memory management, export
 * as descriptor: five numbers; the device's name, and 16 bytes that identify it.
 */
CORDON_API int32_t cordon_cuda_device(void *cuda, int32_t ordinal,
				      uint64_t *facts, char *name,
				      uint32_t name_bytes, char *uuid);
/* Hold the device's primary context, and let go of it. */
CORDON_API int32_t cordon_cuda_context(void *cuda, int32_t ordinal,
				       uint64_t *context);
CORDON_API int32_t cordon_cuda_context_release(void *cuda, int32_t ordinal);
/* Let one device reach another's memory. -EOPNOTSUPP: it cannot. */
CORDON_API int32_t cordon_cuda_peer(void *cuda, uint64_t context,
				    int32_t device, uint64_t peer_context,
				    int32_t peer);
/* Wait for all work. */
CORDON_API int32_t cordon_cuda_synchronize(void *cuda, uint64_t context);
/* Free and total memory of the device. */
CORDON_API int32_t cordon_cuda_memory(void *cuda, uint64_t context,
				      uint64_t *sizes);
CORDON_API int32_t cordon_cuda_alloc(void *cuda, uint64_t context,
				     uint64_t bytes, uint64_t *address);
CORDON_API int32_t cordon_cuda_free(void *cuda, uint64_t context,
				    uint64_t address);
/* Copy from and to this process, waiting; between devices, not waiting. */
CORDON_API int32_t cordon_cuda_write(void *cuda, uint64_t context, uint64_t to,
				     const void *from, uint64_t bytes,
				     uint64_t stream);
CORDON_API int32_t cordon_cuda_read(void *cuda, uint64_t context, void *to,
				    uint64_t from, uint64_t bytes,
				    uint64_t stream);
CORDON_API int32_t cordon_cuda_copy(void *cuda, uint64_t context, uint64_t to,
				    uint64_t from_context, uint64_t from,
				    uint64_t bytes, uint64_t stream);
/* Set every byte to a value, not waiting. */
CORDON_API int32_t cordon_cuda_fill(void *cuda, uint64_t context, uint64_t to,
				    uint32_t value, uint64_t bytes,
				    uint64_t stream);
/* Kind of memory (2 is a device's), device, start and size of its allocation. */
CORDON_API int32_t cordon_cuda_pointer(void *cuda, uint64_t context,
				       uint64_t address, uint64_t *facts);

/* Indices into the numbers that stand for shared memory. */
#define CORDON_CUDA_ADDRESS 0
#define CORDON_CUDA_BYTES 1		/* rounded up to the device's step */
#define CORDON_CUDA_ALLOCATION 2

/* Memory that can be exported as a descriptor. */
CORDON_API int32_t cordon_cuda_share_create(void *cuda, uint64_t context,
					    int32_t device, uint64_t bytes,
					    uint64_t *memory);
/* A descriptor for an allocation, the caller's. */
CORDON_API int32_t cordon_cuda_share_export(void *cuda, uint64_t context,
					    uint64_t allocation, int32_t *fd);
/* Map what another process exported; the descriptor stays the caller's. */
CORDON_API int32_t cordon_cuda_share_import(void *cuda, uint64_t context,
					    int32_t device, int32_t fd,
					    uint64_t bytes, uint64_t *memory);
/* Open mapped memory to another device of this process. */
CORDON_API int32_t cordon_cuda_share_open(void *cuda, uint64_t context,
					  int32_t device,
					  const uint64_t *memory);
CORDON_API int32_t cordon_cuda_share_free(void *cuda, uint64_t context,
					  const uint64_t *memory);
/* Handles of 64 bytes, for processes that share a pid namespace. */
CORDON_API int32_t cordon_cuda_ipc_export(void *cuda, uint64_t context,
					  uint64_t address, void *ipc);
CORDON_API int32_t cordon_cuda_ipc_import(void *cuda, uint64_t context,
					  const void *ipc, uint64_t *address);
CORDON_API int32_t cordon_cuda_ipc_free(void *cuda, uint64_t context,
					uint64_t address);
CORDON_API int32_t cordon_cuda_ipc_export_event(void *cuda, uint64_t context,
						uint64_t event, void *ipc);
CORDON_API int32_t cordon_cuda_ipc_import_event(void *cuda, uint64_t context,
						const void *ipc,
						uint64_t *event);

CORDON_API int32_t cordon_cuda_stream(void *cuda, uint64_t context,
				      uint64_t *stream);
CORDON_API int32_t cordon_cuda_stream_free(void *cuda, uint64_t context,
					   uint64_t stream);
CORDON_API int32_t cordon_cuda_stream_synchronize(void *cuda, uint64_t context,
						  uint64_t stream);
CORDON_API int32_t cordon_cuda_stream_wait(void *cuda, uint64_t context,
					   uint64_t stream, uint64_t event);
/* An event; one for other processes measures no time. */
CORDON_API int32_t cordon_cuda_event(void *cuda, uint64_t context,
				     uint32_t is_shared, uint64_t *event);
CORDON_API int32_t cordon_cuda_event_free(void *cuda, uint64_t context,
					  uint64_t event);
CORDON_API int32_t cordon_cuda_event_record(void *cuda, uint64_t context,
					    uint64_t event, uint64_t stream);
CORDON_API int32_t cordon_cuda_event_synchronize(void *cuda, uint64_t context,
						 uint64_t event);
CORDON_API int32_t cordon_cuda_event_query(void *cuda, uint64_t context,
					   uint64_t event);
CORDON_API int32_t cordon_cuda_event_elapsed(void *cuda, uint64_t context,
					     uint64_t from, uint64_t to,
					     float *milliseconds);

/* A program: PTX text that ends with NUL, or a binary followed by one. */
CORDON_API int32_t cordon_cuda_module(void *cuda, uint64_t context,
				      const char *image, uint64_t bytes,
				      uint64_t *module);
CORDON_API int32_t cordon_cuda_module_free(void *cuda, uint64_t context,
					   uint64_t module);
CORDON_API int32_t cordon_cuda_kernel(void *cuda, uint64_t context,
				      uint64_t module, const char *name,
				      uint64_t *kernel);
/*
 * Start a kernel. `shape`: grid (3), block (3), bytes of shared memory. Its
 * `count` arguments (256 at most) stand in `values` at `offsets`.
 */
CORDON_API int32_t cordon_cuda_launch(void *cuda, uint64_t context,
				      uint64_t kernel, const uint32_t *shape,
				      uint64_t stream, void *values,
				      uint32_t bytes, const uint32_t *offsets,
				      uint32_t count);

#endif
