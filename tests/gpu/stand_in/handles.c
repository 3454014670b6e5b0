/* Handles of allocations of the stand-in: they mean something to whoever can see this process. */
#define _GNU_SOURCE
#include "pieces.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define IPC_MAGIC 0x69706321u

struct ipc_handle {
	uint32_t magic;
	int32_t pid;
	int32_t number;
	int32_t device;
	uint64_t bytes;
	char rest[40];
};

API int cuIpcGetMemHandle(struct ipc_handle *handle, uint64_t address)
{
	struct piece *piece = piece_around(address);
	int result = usable();

	if (result != OK)
		return result;
	if (piece == NULL || piece->kind != PLAIN)
		return INVALID_VALUE;
	if (!name_piece(piece))
		return NOT_SUPPORTED;
	*handle = (struct ipc_handle){ .magic = IPC_MAGIC, .pid = getpid(), .number = piece->number,
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

	path_of(path, handle->pid, handle->number);
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

