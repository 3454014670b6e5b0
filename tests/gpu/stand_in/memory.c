/* Memory of the stand-in: every allocation is a memfd, so that another process can map it. */
#define _GNU_SOURCE
#include "pieces.h"
#include "queue.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct piece pieces[MAX_PIECES];
uint64_t used_bytes[8];

struct piece *new_piece(void)
{
	for (int i = 0; i < MAX_PIECES; i++) {
		if (pieces[i].kind == NOTHING)
			return &pieces[i];
	}
	return NULL;
}

struct piece *piece_at(uint64_t address)
{
	for (int i = 0; i < MAX_PIECES; i++) {
		if (pieces[i].kind != NOTHING && pieces[i].address == address)
			return &pieces[i];
	}
	return NULL;
}

struct piece *piece_around(uint64_t address)
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

int backing(uint64_t bytes)
{
	int fd = (int)syscall(SYS_memfd_create, "stand-in", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, (off_t)bytes) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void path_of(char *path, int32_t pid, int32_t number)
{
	snprintf(path, 64, "/dev/shm/cordon-stand-in-%d-%d", pid, number);
}

/* Memory that can be given a name, so that a process of another account can open it; a sandbox has no place for it. */
static int nameable_backing(uint64_t bytes)
{
	int fd = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);

	if (fd < 0)
		return backing(bytes);
	if (fchmod(fd, 0666) == 0 && ftruncate(fd, (off_t)bytes) == 0)
		return fd;
	close(fd);
	return -1;
}

bool name_piece(struct piece *piece)
{
	static int32_t last;
	char path[64], open_file[64];

	if (piece->number != 0)
		return true;
	path_of(path, getpid(), last + 1);
	snprintf(open_file, sizeof(open_file), "/proc/self/fd/%d", piece->fd);
	if (linkat(AT_FDCWD, open_file, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0)
		return false;
	piece->number = ++last;
	return true;
}

static void unname(const struct piece *piece)
{
	char path[64];

	if (piece->kind != PLAIN || piece->number == 0)
		return;
	path_of(path, getpid(), piece->number);
	unlink(path);
}

__attribute__((destructor)) static void unname_all(void)
{
	for (int i = 0; i < MAX_PIECES; i++)
		unname(&pieces[i]);
}

void *mapped(uint64_t bytes, int fd)
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
	*available = DEVICE_BYTES - used_bytes[current_device()];
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
	if (piece == NULL || bytes > DEVICE_BYTES - used_bytes[device])
		return OUT_OF_MEMORY;
	fd = nameable_backing(bytes);
	place = mapped(bytes, fd);
	if (place == MAP_FAILED)
		return OUT_OF_MEMORY;
	used_bytes[device] += bytes;
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

int drop(uint64_t address, enum kind kind)
{
	struct piece *piece = piece_at(address);

	if (piece == NULL || piece->kind != kind)
		return INVALID_VALUE;
	unname(piece);
	munmap((void *)(uintptr_t)piece->address, piece->bytes);
	if (piece->fd >= 0)
		close(piece->fd);
	if (kind == PLAIN)
		used_bytes[piece->device] -= piece->bytes;
	piece->kind = NOTHING;
	return OK;
}

API int cuMemFree_v2(uint64_t address)
{
	int result = usable();

	/* Freeing waits for everything; unmapping does not. */
	if (result == OK)
		finish_all();
	lock();
	if (result == OK)
		result = drop(address, PLAIN);
	unlock();
	return result;
}

void *bytes_for(int device, uint64_t address, uint64_t bytes)
{
	struct piece *piece = piece_around(address);

	if (piece == NULL)
		return NULL;
	if (piece->kind == RESERVED ? (piece->devices >> device & 1) == 0 :
				      piece->device != device && !is_peer(device, piece->device))
		return NULL;
	return bytes_at(address, bytes);
}

/* Memory that has gone meanwhile is a fault, as on a device. */
static void copy(struct job *job)
{
	void *to = bytes_at(job->to, job->bytes);
	const void *from = job->staged != NULL ? job->staged : bytes_at(job->from, job->bytes);

	if (to == NULL || from == NULL)
		fault();
	else
		memmove(to, from, job->bytes);
}

static int start_copy(struct stream *stream, uint64_t to, uint64_t from, size_t bytes)
{
	if (bytes == 0)
		return usable();
	if (bytes_at(to, bytes) == NULL || bytes_at(from, bytes) == NULL)
		return usable() == OK ? INVALID_VALUE : usable();
	return enqueue(stream, (struct job){ .run = copy, .to = to, .from = from, .bytes = bytes });
}

/* The caller's bytes are taken at once; they arrive in the stream's order. */
API int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, struct stream *stream)
{
	int result = usable();
	void *staged;

	if (result != OK || bytes == 0)
		return result;
	if (from == NULL || bytes_at(to, bytes) == NULL)
		return INVALID_VALUE;
	staged = malloc(bytes);
	if (staged == NULL)
		return OUT_OF_MEMORY;
	memcpy(staged, from, bytes);
	return enqueue(stream, (struct job){ .run = copy, .to = to, .bytes = bytes, .staged = staged });
}

/* Into memory that is not pinned: it is there when the call returns. */
API int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, struct stream *stream)
{
	const void *place;
	int result = finish_stream(stream);

	if (result != OK || bytes == 0)
		return result;
	place = bytes_at(from, bytes);
	if (to == NULL || place == NULL)
		return INVALID_VALUE;
	memcpy(to, place, bytes);
	return OK;
}

API int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, struct stream *stream)
{
	return start_copy(stream, to, from, bytes);
}

API int cuMemcpyPeerAsync(uint64_t to, void *to_context, uint64_t from, void *from_context,
			  size_t bytes, struct stream *stream)
{
	if (to_context == NULL || from_context == NULL)
		return INVALID_CONTEXT;
	return start_copy(stream, to, from, bytes);
}

static void fill(struct job *job)
{
	void *to = bytes_at(job->to, job->bytes);

	if (to == NULL)
		fault();
	else
		memset(to, job->value, job->bytes);
}

API int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, struct stream *stream)
{
	int result = usable();

	if (result != OK)
		return result;
	if (bytes_at(to, bytes) == NULL)
		return INVALID_VALUE;
	return enqueue(stream, (struct job){ .run = fill, .to = to, .bytes = bytes, .value = value });
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
