/* Memory by pieces of the stand-in: what is allocated, where it is seen, and who may see it. */
#define _GNU_SOURCE
#include "pieces.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct allocation {
	int type, handle_types;
	int location_type, device;
};

struct physical {
	int fd, device, holders;
	uint64_t bytes;
};

static struct physical physicals[MAX_PIECES];

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
	used_bytes[physical->device] -= physical->bytes;
}

static int create(uint64_t *allocation, size_t bytes, const struct allocation *wanted)
{
	int fd;

	if (bytes == 0 || bytes % STEP != 0 || wanted->device < 0 || wanted->device >= STAND_IN_DEVICES)
		return INVALID_VALUE;
	if (wanted->handle_types != 0 && STAND_IN_POSIX_FD == 0)
		return NOT_SUPPORTED;
	if (bytes > DEVICE_BYTES - used_bytes[wanted->device])
		return OUT_OF_MEMORY;
	fd = backing(bytes);
	/* Whoever imports it finds the device in its mode. */
	if (fd < 0 || fchmod(fd, 0600 | (mode_t)wanted->device) != 0)
		return OUT_OF_MEMORY;
	used_bytes[wanted->device] += bytes;
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
		piece->devices |= 1u << access[1];
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
		piece->devices = 0;
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
	int own, device;

	if (fcntl(fd, F_GET_SEALS) < 0 || fstat(fd, &facts) != 0 || facts.st_size % STEP != 0)
		return INVALID_VALUE;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return INVALID_VALUE;
	device = (int)(facts.st_mode & 7);
	used_bytes[device] += (uint64_t)facts.st_size;
	return keep_physical(allocation, own, device, (uint64_t)facts.st_size);
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
