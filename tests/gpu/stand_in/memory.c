/*
 * Memory of the stand-in: every allocation is a memfd, so that another process
 * can map it by descriptor, or by the handle of an allocation if it can see
 * this process.
 */
#define _GNU_SOURCE
#include "stand_in.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_PIECES 4096
#define IPC_MAGIC 0x69706321u

struct ipc_handle {
	uint32_t magic;
	int32_t pid;
	int32_t fd;
	int32_t device;
	uint64_t bytes;
	char rest[40];
};

struct allocation {
	int type, handle_types;
	int location_type, device;
};

enum kind { NOTHING, PLAIN, OPENED, RESERVED };

/* Address space; for memory by pieces also what is mapped there. */
struct piece {
	enum kind kind;
	uint64_t address, bytes;
	int fd, device;
	uint64_t allocation;
	bool is_mapped, is_accessible;
};

struct physical {
	int fd, device, holders;
	uint64_t bytes;
};

static struct piece pieces[MAX_PIECES];
static struct physical physicals[MAX_PIECES];
static uint64_t used[8];

static struct piece *new_piece(void)
{
	for (int i = 0; i < MAX_PIECES; i++) {
		if (pieces[i].kind == NOTHING)
			return &pieces[i];
	}
	return NULL;
}

static struct piece *piece_at(uint64_t address)
{
	for (int i = 0; i < MAX_PIECES; i++) {
		if (pieces[i].kind != NOTHING && pieces[i].address == address)
			return &pieces[i];
	}
	return NULL;
}

static struct piece *piece_around(uint64_t address)
{
	for (int i = 0; i < MAX_PIECES; i++) {
		struct piece *piece = &pieces[i];

		if (piece->kind != NOTHING && address >= piece->address &&
		    address - piece->address < piece->bytes)
			return piece;
	}
	return NULL;
}

void *bytes_at(uint64_t address, uint64_t bytes)
{
	struct piece *piece = piece_around(address);

	if (piece == NULL || bytes > piece->bytes - (address - piece->address))
		return NULL;
	if (piece->kind == RESERVED && !piece->is_accessible)
		return NULL;
	return (void *)(uintptr_t)address;
}

static int backing(uint64_t bytes)
{
	int fd = (int)syscall(SYS_memfd_create, "stand-in", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, (off_t)bytes) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void *mapped(uint64_t bytes, int fd)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;

	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
}

API int cuMemGetInfo_v2(size_t *available, size_t *total)
{
	int result = usable();

	if (result != OK)
		return result;
	*total = DEVICE_BYTES;
	*available = DEVICE_BYTES - used[current_device()];
	return OK;
}

static int allocate(uint64_t *address, uint64_t bytes)
{
	int device = current_device();
	struct piece *piece = new_piece();
	void *place;
	int fd;

	if (bytes == 0)
		return INVALID_VALUE;
	if (piece == NULL || bytes > DEVICE_BYTES - used[device])
		return OUT_OF_MEMORY;
	fd = backing(bytes);
	place = mapped(bytes, fd);
	if (place == MAP_FAILED)
		return OUT_OF_MEMORY;
	used[device] += bytes;
	*piece = (struct piece){ .kind = PLAIN, .address = (uint64_t)(uintptr_t)place,
		.bytes = bytes, .fd = fd, .device = device };
	*address = piece->address;
	return OK;
}

API int cuMemAlloc_v2(uint64_t *address, size_t bytes)
{
	int result = usable();

	lock();
	if (result == OK)
		result = allocate(address, bytes);
	unlock();
	return result;
}

static int drop(uint64_t address, enum kind kind)
{
	struct piece *piece = piece_at(address);

	if (piece == NULL || piece->kind != kind)
		return INVALID_VALUE;
	munmap((void *)(uintptr_t)piece->address, piece->bytes);
	if (piece->fd >= 0)
		close(piece->fd);
	if (kind == PLAIN)
		used[piece->device] -= piece->bytes;
	piece->kind = NOTHING;
	return OK;
}

API int cuMemFree_v2(uint64_t address)
{
	int result = usable();

	lock();
	if (result == OK)
		result = drop(address, PLAIN);
	unlock();
	return result;
}

static int copy(void *to, const void *from, size_t bytes)
{
	int result = usable();

	if (result != OK || bytes == 0)
		return result;
	if (to == NULL || from == NULL)
		return INVALID_VALUE;
	memmove(to, from, bytes);
	return OK;
}

API int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream)
{
	(void)stream;
	return copy(bytes_at(to, bytes), from, bytes);
}

API int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream)
{
	(void)stream;
	return copy(to, bytes_at(from, bytes), bytes);
}

API int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream)
{
	(void)stream;
	return copy(bytes_at(to, bytes), bytes_at(from, bytes), bytes);
}

API int cuMemcpyPeerAsync(uint64_t to, void *to_context, uint64_t from, void *from_context,
			  size_t bytes, void *stream)
{
	(void)stream;
	if (to_context == NULL || from_context == NULL)
		return INVALID_CONTEXT;
	return copy(bytes_at(to, bytes), bytes_at(from, bytes), bytes);
}

API int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void *stream)
{
	void *place = bytes_at(to, bytes);
	int result = usable();

	(void)stream;
	if (result != OK)
		return result;
	if (place == NULL)
		return INVALID_VALUE;
	memset(place, value, bytes);
	return OK;
}

API int cuPointerGetAttribute(void *into, int attribute, uint64_t address)
{
	struct piece *piece = piece_around(address);
	int result = usable();

	if (result != OK)
		return result;
	if (piece == NULL)
		return INVALID_VALUE;
	switch (attribute) {
	case 2:
		*(uint32_t *)into = 2;
		return OK;
	case 9:
		*(int32_t *)into = piece->device;
		return OK;
	case 11:
		*(uint64_t *)into = piece->address;
		return OK;
	case 12:
		*(uint64_t *)into = piece->bytes;
		return OK;
	default:
		return INVALID_VALUE;
	}
}

/* --- handles of allocations: they mean something to whoever can see this process */

API int cuIpcGetMemHandle(struct ipc_handle *handle, uint64_t address)
{
	struct piece *piece = piece_around(address);
	int result = usable();

	if (result != OK)
		return result;
	if (piece == NULL || piece->kind != PLAIN)
		return INVALID_VALUE;
	if (piece->fd < 0)
		return NOT_SUPPORTED;
	*handle = (struct ipc_handle){ .magic = IPC_MAGIC, .pid = getpid(), .fd = piece->fd,
		.device = piece->device, .bytes = piece->bytes };
	return OK;
}

static int open_handle(uint64_t *address, const struct ipc_handle *handle)
{
	struct piece *piece = new_piece();
	char path[64];
	struct stat facts;
	void *place;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", handle->pid, handle->fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || piece == NULL)
		return INVALID_VALUE;
	if (fstat(fd, &facts) != 0 || (uint64_t)facts.st_size != handle->bytes ||
	    (place = mapped(handle->bytes, fd)) == MAP_FAILED) {
		close(fd);
		return INVALID_VALUE;
	}
	*piece = (struct piece){ .kind = OPENED, .address = (uint64_t)(uintptr_t)place,
		.bytes = handle->bytes, .fd = fd, .device = handle->device };
	*address = piece->address;
	return OK;
}

API int cuIpcOpenMemHandle_v2(uint64_t *address, struct ipc_handle handle, unsigned int flags)
{
	int result = usable();

	if (result != OK)
		return result;
	if (handle.magic != IPC_MAGIC || flags != 1)
		return INVALID_VALUE;
	/* A process cannot open what it exported itself. */
	if (handle.pid == getpid())
		return INVALID_CONTEXT;
	lock();
	result = open_handle(address, &handle);
	unlock();
	return result;
}

API int cuIpcCloseMemHandle(uint64_t address)
{
	int result = usable();

	lock();
	if (result == OK)
		result = drop(address, OPENED);
	unlock();
	return result;
}

/* --- memory by pieces: what is allocated, where it is seen, and who may see it */

API int cuMemGetAllocationGranularity(size_t *step, const struct allocation *wanted, int option)
{
	(void)option;
	*step = STEP;
	return wanted->type == 1 && wanted->location_type == 1 ? OK : INVALID_VALUE;
}

static int keep_physical(uint64_t *allocation, int fd, int device, uint64_t bytes)
{
	for (uint64_t i = 0; i < MAX_PIECES; i++) {
		if (physicals[i].holders != 0)
			continue;
		physicals[i] = (struct physical){ fd, device, 1, bytes };
		*allocation = i + 1;
		return OK;
	}
	return OUT_OF_MEMORY;
}

static struct physical *physical_of(uint64_t allocation)
{
	if (allocation == 0 || allocation > MAX_PIECES || physicals[allocation - 1].holders == 0)
		return NULL;
	return &physicals[allocation - 1];
}

static void let_go(struct physical *physical)
{
	if (--physical->holders > 0)
		return;
	close(physical->fd);
	used[physical->device] -= physical->bytes;
}

static int create(uint64_t *allocation, size_t bytes, const struct allocation *wanted)
{
	int fd;

	if (bytes == 0 || bytes % STEP != 0 || wanted->device < 0 || wanted->device >= STAND_IN_DEVICES)
		return INVALID_VALUE;
	if (wanted->handle_types != 0 && STAND_IN_POSIX_FD == 0)
		return NOT_SUPPORTED;
	if (bytes > DEVICE_BYTES - used[wanted->device])
		return OUT_OF_MEMORY;
	fd = backing(bytes);
	if (fd < 0)
		return OUT_OF_MEMORY;
	used[wanted->device] += bytes;
	return keep_physical(allocation, fd, wanted->device, bytes);
}

API int cuMemCreate(uint64_t *allocation, size_t bytes, const struct allocation *wanted,
		    unsigned long long flags)
{
	int result = usable();

	lock();
	if (result == OK)
		result = flags == 0 ? create(allocation, bytes, wanted) : INVALID_VALUE;
	unlock();
	return result;
}

API int cuMemRelease(uint64_t allocation)
{
	struct physical *physical;

	lock();
	physical = physical_of(allocation);
	if (physical != NULL)
		let_go(physical);
	unlock();
	return physical == NULL ? INVALID_VALUE : OK;
}

static int reserve(uint64_t *address, size_t bytes)
{
	struct piece *piece = new_piece();
	void *place;

	if (bytes == 0 || bytes % STEP != 0)
		return INVALID_VALUE;
	place = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (place == MAP_FAILED || piece == NULL)
		return OUT_OF_MEMORY;
	*piece = (struct piece){ .kind = RESERVED, .address = (uint64_t)(uintptr_t)place,
		.bytes = bytes, .fd = -1 };
	*address = piece->address;
	return OK;
}

API int cuMemAddressReserve(uint64_t *address, size_t bytes, size_t alignment, uint64_t wish,
			    unsigned long long flags)
{
	int result = usable();

	(void)alignment;
	(void)wish;
	lock();
	if (result == OK)
		result = flags == 0 ? reserve(address, bytes) : INVALID_VALUE;
	unlock();
	return result;
}

static struct piece *whole_reservation(uint64_t address, uint64_t bytes, bool is_mapped)
{
	struct piece *piece = piece_at(address);

	if (piece == NULL || piece->kind != RESERVED || piece->bytes != bytes ||
	    piece->is_mapped != is_mapped)
		return NULL;
	return piece;
}

API int cuMemAddressFree(uint64_t address, size_t bytes)
{
	struct piece *piece;

	lock();
	piece = whole_reservation(address, bytes, false);
	if (piece != NULL)
		drop(address, RESERVED);
	unlock();
	return piece == NULL ? INVALID_VALUE : OK;
}

API int cuMemMap(uint64_t address, size_t bytes, size_t offset, uint64_t allocation,
		 unsigned long long flags)
{
	struct piece *piece;
	struct physical *physical;
	int result = INVALID_VALUE;

	lock();
	piece = whole_reservation(address, bytes, false);
	physical = physical_of(allocation);
	if (piece != NULL && physical != NULL && offset == 0 && flags == 0 && bytes <= physical->bytes) {
		physical->holders++;
		piece->is_mapped = true;
		piece->allocation = allocation;
		piece->device = physical->device;
		result = OK;
	}
	unlock();
	return result;
}

API int cuMemSetAccess(uint64_t address, size_t bytes, const int32_t *access, size_t count)
{
	struct piece *piece;
	struct physical *physical;
	int result = INVALID_VALUE;

	lock();
	piece = whole_reservation(address, bytes, true);
	physical = piece == NULL ? NULL : physical_of(piece->allocation);
	if (physical != NULL && count == 1 && access[0] == 1 && access[2] == 3 &&
	    mmap((void *)(uintptr_t)address, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 physical->fd, 0) != MAP_FAILED) {
		piece->is_accessible = true;
		result = OK;
	}
	unlock();
	return result;
}

API int cuMemUnmap(uint64_t address, size_t bytes)
{
	struct piece *piece;

	lock();
	piece = whole_reservation(address, bytes, true);
	if (piece != NULL) {
		mmap((void *)(uintptr_t)address, bytes, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
		piece->is_mapped = piece->is_accessible = false;
		let_go(physical_of(piece->allocation));
	}
	unlock();
	return piece == NULL ? INVALID_VALUE : OK;
}

API int cuMemExportToShareableHandle(int *fd, uint64_t allocation, int type, unsigned long long flags)
{
	struct physical *physical = physical_of(allocation);

	if (physical == NULL || type != 1 || flags != 0)
		return INVALID_VALUE;
	if (STAND_IN_POSIX_FD == 0)
		return NOT_SUPPORTED;
	*fd = fcntl(physical->fd, F_DUPFD, 0);
	return *fd < 0 ? OUT_OF_MEMORY : OK;
}

static int import(uint64_t *allocation, int fd)
{
	struct stat facts;
	int own;

	if (fcntl(fd, F_GET_SEALS) < 0 || fstat(fd, &facts) != 0 || facts.st_size % STEP != 0)
		return INVALID_VALUE;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return INVALID_VALUE;
	used[0] += (uint64_t)facts.st_size;
	return keep_physical(allocation, own, 0, (uint64_t)facts.st_size);
}

API int cuMemImportFromShareableHandle(uint64_t *allocation, void *handle, int type)
{
	int result = usable();

	if (STAND_IN_IMPORTS == 0)
		return NOT_SUPPORTED;
	lock();
	if (result == OK)
		result = type == 1 ? import(allocation, (int)(intptr_t)handle) : INVALID_VALUE;
	unlock();
	return result;
}
