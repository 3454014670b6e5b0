/* Sealed memory, and the window of address space that it is mapped into. */
#define _GNU_SOURCE
#include "cordon.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/stat.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Younger than some C libraries' headers. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)
#define MAX_FILE_BYTES ((uint64_t)INT64_MAX)
#define MAX_WRITE_BYTES (1u << 30)

uint32_t cordon_abi_version(void)
{
	return CORDON_ABI_VERSION;
}

int64_t cordon_page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static bool page_aligned(uint64_t value)
{
	return (value & ((uint64_t)cordon_page_size() - 1)) == 0;
}

/* The part [offset, offset + bytes) lies within [0, limit). */
static bool lies_within(uint64_t offset, uint64_t bytes, uint64_t limit)
{
	return bytes > 0 && bytes <= limit && offset <= limit - bytes;
}

static int32_t new_memfd(void)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	long fd = syscall(SYS_memfd_create, "cordon", flags | MFD_NOEXEC_SEAL);

	/* The flag exists since Linux 6.3. */
	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_memfd_create, "cordon", flags);
	return fd < 0 ? -errno : (int32_t)fd;
}

static int32_t give_size(int32_t fd, uint64_t bytes)
{
	while (ftruncate(fd, (off_t)bytes) != 0) {
		if (errno != EINTR)
			return -errno;
	}
	return fcntl(fd, F_ADD_SEALS, SIZE_SEALS) != 0 ? -errno : 0;
}

int32_t cordon_memfd(uint64_t bytes)
{
	int32_t fd, error;

	if (bytes == 0 || bytes > MAX_FILE_BYTES)
		return -EINVAL;
	fd = new_memfd();
	if (fd < 0)
		return fd;
	error = give_size(fd, bytes);
	if (error != 0) {
		close(fd);
		return error;
	}
	return fd;
}

int32_t cordon_seal(int32_t fd, uint32_t seal)
{
	int bits;

	if (seal == CORDON_SEAL_WRITE)
		bits = F_SEAL_WRITE;
	else if (seal == CORDON_SEAL_FUTURE_WRITE)
		bits = F_SEAL_FUTURE_WRITE;
	else
		return -EINVAL;
	return fcntl(fd, F_ADD_SEALS, bits) != 0 ? -errno : 0;
}

int32_t cordon_region_facts(int32_t fd, uint64_t *facts)
{
	struct statx stat;
	int seals, flags;

	if (facts == NULL)
		return -EINVAL;
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0)
		return -errno;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return -errno;
	/* By number: fstat() would need a C library of 2021 or later. */
	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_SIZE | STATX_BLOCKS,
		    &stat) != 0)
		return -errno;
	facts[CORDON_FACT_BYTES] = stat.stx_size;
	facts[CORDON_FACT_ALLOCATED] = stat.stx_blocks * 512;
	facts[CORDON_FACT_SEALS] = (uint64_t)seals;
	facts[CORDON_FACT_WRITABLE] = (flags & O_ACCMODE) != O_RDONLY;
	return 0;
}

int32_t cordon_window_reserve(uint64_t bytes, uint64_t *window)
{
	void *address;

	if (window == NULL || bytes == 0 || !page_aligned(bytes))
		return -EINVAL;
	address = mmap(NULL, bytes, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (address == MAP_FAILED)
		return -errno;
	/* A core dump or a forked child has no business with tensors. */
	madvise(address, bytes, MADV_DONTFORK);
	*window = (uint64_t)(uintptr_t)address;
	return 0;
}

static int32_t check_place(const void *window, uint64_t window_bytes,
			   uint64_t offset, uint64_t bytes)
{
	if (window == NULL || !page_aligned((uint64_t)(uintptr_t)window) ||
	    !page_aligned(offset) || !page_aligned(bytes))
		return -EINVAL;
	return lies_within(offset, bytes, window_bytes) ? 0 : -ERANGE;
}

/* Seals never go away, so what holds here holds for the mapping's life. */
static int32_t check_file(int32_t fd, uint64_t file_offset, uint64_t bytes)
{
	uint64_t facts[CORDON_FACTS];
	int32_t error = cordon_region_facts(fd, facts);
	uint64_t page = (uint64_t)cordon_page_size();

	if (error != 0)
		return error;
	if ((facts[CORDON_FACT_SEALS] & SIZE_SEALS) != SIZE_SEALS)
		return -EPERM;
	if (!page_aligned(file_offset) || facts[CORDON_FACT_BYTES] > MAX_FILE_BYTES - page)
		return -EINVAL;
	/* The last page may be a part of one: its rest reads as zeros. */
	return lies_within(file_offset, bytes,
			   (facts[CORDON_FACT_BYTES] + page - 1) / page * page) ?
		0 : -ERANGE;
}

int32_t cordon_map(void *window, uint64_t window_bytes, uint64_t offset,
		   int32_t fd, uint64_t file_offset, uint64_t bytes,
		   uint32_t mode)
{
	static const int kinds[] = {
		[CORDON_MAP_SHARED] = MAP_SHARED,
		[CORDON_MAP_PRIVATE] = MAP_PRIVATE,
		[CORDON_MAP_FILLED] = MAP_SHARED | MAP_POPULATE,
	};
	int32_t error;
	char *place;

	if (mode > CORDON_MAP_FILLED)
		return -EINVAL;
	error = check_place(window, window_bytes, offset, bytes);
	if (error == 0)
		error = check_file(fd, file_offset, bytes);
	if (error != 0)
		return error;
	place = (char *)window + offset;
	/* Private ones are writable too: a stray write must not be a SIGSEGV. */
	if (mmap(place, bytes, PROT_READ | PROT_WRITE,
		 kinds[mode] | MAP_FIXED | MAP_NORESERVE, fd, (off_t)file_offset) == MAP_FAILED)
		return -errno;
	madvise(place, bytes, MADV_DONTFORK);
	return 0;
}

int32_t cordon_unmap(void *window, uint64_t window_bytes, uint64_t offset,
		     uint64_t bytes)
{
	int32_t error = check_place(window, window_bytes, offset, bytes);

	if (error != 0)
		return error;
	/* Somebody may still look: zeros are better than the end of the process. */
	if (mmap((char *)window + offset, bytes, PROT_READ,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		return -errno;
	/* As in cordon_map(), so that neighbours merge. */
	madvise((char *)window + offset, bytes, MADV_DONTFORK);
	return 0;
}

int32_t cordon_discard(int32_t fd, uint64_t offset, uint64_t bytes)
{
	if (bytes == 0 || bytes > MAX_FILE_BYTES ||
	    offset > MAX_FILE_BYTES - bytes)
		return -EINVAL;
	while (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 (off_t)offset, (off_t)bytes) != 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int32_t cordon_fill(int32_t fd, uint64_t offset, const void *from,
		    uint64_t bytes)
{
	const char *next = from;
	uint64_t facts[CORDON_FACTS];
	int32_t error = cordon_region_facts(fd, facts);

	if (error != 0)
		return error;
	if (from == NULL)
		return -EINVAL;
	if (!lies_within(offset, bytes, facts[CORDON_FACT_BYTES]))
		return -ERANGE;
	while (bytes > 0) {
		size_t part = bytes < MAX_WRITE_BYTES ? bytes : MAX_WRITE_BYTES;
		ssize_t written = pwrite(fd, next, part, (off_t)offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		if (written == 0)
			return -ENOSPC;
		next += written;
		offset += (uint64_t)written;
		bytes -= (uint64_t)written;
	}
	return 0;
}
