/*
 * Unpacks the files of the executable into a directory, once, and recognises later that they are still the same.
 *
 * Each file has a stamp beside it: where it lies on the disk, its size and its times. The kernel moves the time of
 * the last change whenever content, mode or name changes, and nobody but it can set that time. A file whose stamp does not
 * fit is hashed; if that does not fit either, it is replaced.
 */
#ifndef CORDON_LAUNCHER_UNPACK_H
#define CORDON_LAUNCHER_UNPACK_H

#include "launcher_payload.h"

#define COPY_BYTES (256 * 1024)
/* No errno: what the executable carries is not what its index says. */
#define DAMAGED (-4096)
#define MAX_STAMPED_NAME (MAX_NAME + 8)

struct stamp {
	uint64_t inode;
	uint64_t size;
	int64_t modified_seconds;
	int64_t changed_seconds;
	uint32_t modified_nanoseconds;
	uint32_t changed_nanoseconds;
	uint32_t dev_major;
	uint32_t dev_minor;
};

static uint8_t copy_buffer[COPY_BYTES];

static int open_file(int directory, const char *name, int flags, int mode)
{
	return (int)kernel_call(NR_OPENAT, directory, (long)name, flags | O_NOFOLLOW_ | O_CLOEXEC_, mode, 0);
}

static void close_file(int fd)
{
	kernel_call(NR_CLOSE, fd, 0, 0, 0, 0);
}

static int status_of(int fd, struct kernel_statx *status)
{
	return (int)kernel_call(NR_STATX, fd, (long)"", AT_EMPTY_PATH_, STATX_BASIC_, (long)status);
}

static int is_ours(const struct kernel_statx *status)
{
	uint32_t self = (uint32_t)kernel_call(NR_GETEUID, 0, 0, 0, 0, 0);

	return (status->uid == self || !status->uid) && !(status->mode & MODE_WRITABLE_BY_OTHERS);
}

static void with_ending(char *result, const char *name, const char *ending)
{
	size_t size = length(name);

	memcpy(result, name, size);
	memcpy(result + size, ending, length(ending) + 1);
}

static struct stamp stamp_of(const struct kernel_statx *status)
{
	return (struct stamp){
		.inode = status->inode,
		.size = status->size,
		.modified_seconds = status->modified.seconds,
		.changed_seconds = status->changed.seconds,
		.modified_nanoseconds = status->modified.nanoseconds,
		.changed_nanoseconds = status->changed.nanoseconds,
		.dev_major = status->dev_major,
		.dev_minor = status->dev_minor,
	};
}

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		long put = kernel_call(NR_WRITE, fd, (long)bytes + (long)done, (long)(size - done), 0, 0);

		if (put <= 0)
			return put ? (int)put : -5;
		done += (size_t)put;
	}
	return 0;
}

/* Hashes size bytes from offset on, and writes them to `to` unless that is negative. Returns 0 or -errno. */
static int hash_range(int from, uint64_t offset, uint64_t size, int to, uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;

	sha256_start(&hash);
	while (size) {
		size_t part = size < COPY_BYTES ? size : COPY_BYTES;
		int failure = read_at(from, copy_buffer, part, offset) ? -5 : 0;

		if (!failure && to >= 0)
			failure = write_all(to, copy_buffer, part);
		if (failure)
			return failure;
		sha256_add(&hash, copy_buffer, part);
		offset += part;
		size -= part;
	}
	sha256_end(&hash, digest);
	return 0;
}

static int is_stamped(int directory, const struct payload_file *file, const struct kernel_statx *status)
{
	struct stamp expected = stamp_of(status);
	struct stamp written;
	char name[MAX_STAMPED_NAME];
	int fd;
	int is_same;

	with_ending(name, file->name, ".stamp");
	fd = open_file(directory, name, O_RDONLY_, 0);
	if (fd < 0)
		return 0;
	is_same = !read_at(fd, &written, sizeof(written), 0) && is_equal(&written, &expected, sizeof(written));
	close_file(fd);
	return is_same;
}

/* A stamp that cannot be written costs a hash at the next start, nothing else. */
static void write_stamp(int directory, const struct payload_file *file, int fd)
{
	struct kernel_statx status;
	struct stamp stamp;
	char temporary[MAX_STAMPED_NAME];
	char name[MAX_STAMPED_NAME];
	int out;

	if (status_of(fd, &status))
		return;
	stamp = stamp_of(&status);
	with_ending(temporary, file->name, ".new");
	with_ending(name, file->name, ".stamp");
	kernel_call(NR_UNLINKAT, directory, (long)temporary, 0, 0, 0);
	out = open_file(directory, temporary, O_WRONLY_ | O_CREAT_ | O_EXCL_, 0600);
	if (out < 0)
		return;
	if (!write_all(out, (const uint8_t *)&stamp, sizeof(stamp)))
		kernel_call(NR_RENAMEAT2, directory, (long)temporary, directory, (long)name, 0);
	close_file(out);
}

/* Returns a descriptor of the unpacked file, or -1 if it is not there, not ours or not what its stamp says. */
static int open_stamped(int directory, const struct payload_file *file)
{
	struct kernel_statx status;
	int fd = open_file(directory, file->name, O_RDONLY_, 0);

	if (fd < 0)
		return -1;
	if (!status_of(fd, &status) && is_ours(&status) && (status.mode & MODE_TYPE) == MODE_REGULAR &&
	    status.size == file->size && is_stamped(directory, file, &status))
		return fd;
	close_file(fd);
	return -1;
}

/* The same for a file without a fitting stamp, by its content. */
static int open_hashed(int directory, const struct payload_file *file)
{
	struct kernel_statx status;
	uint8_t digest[SHA256_BYTES];
	int fd = open_file(directory, file->name, O_RDONLY_, 0);

	if (fd < 0)
		return -1;
	if (!status_of(fd, &status) && is_ours(&status) && (status.mode & MODE_TYPE) == MODE_REGULAR &&
	    status.size == file->size && !hash_range(fd, 0, file->size, -1, digest) &&
	    is_equal(digest, file->digest, sizeof(digest))) {
		write_stamp(directory, file, fd);
		return fd;
	}
	close_file(fd);
	print("cordon: ");
	print(file->name);
	print(" was changed after it had been unpacked; it is replaced\n");
	return -1;
}

/* Returns a descriptor, -errno or DAMAGED. */
static int unpack(int directory, const struct payload_file *file)
{
	uint8_t digest[SHA256_BYTES];
	char temporary[MAX_STAMPED_NAME];
	int failure;
	int fd;
	int out;

	with_ending(temporary, file->name, ".new");
	kernel_call(NR_UNLINKAT, directory, (long)temporary, 0, 0, 0);
	out = open_file(directory, temporary, O_WRONLY_ | O_CREAT_ | O_EXCL_, 0600);
	if (out < 0)
		return out;
	failure = hash_range(payload.fd, file->offset, file->size, out, digest);
	if (!failure && !is_equal(digest, file->digest, sizeof(digest)))
		failure = DAMAGED;
	if (!failure)
		failure = (int)kernel_call(NR_FCHMOD, out, file->mode, 0, 0, 0);
	close_file(out);
	if (!failure)
		failure = (int)kernel_call(NR_RENAMEAT2, directory, (long)temporary, directory, (long)file->name, 0);
	if (failure) {
		kernel_call(NR_UNLINKAT, directory, (long)temporary, 0, 0, 0);
		return failure;
	}
	fd = open_file(directory, file->name, O_RDONLY_, 0);
	if (fd >= 0)
		write_stamp(directory, file, fd);
	return fd;
}

/* Returns a descriptor of the file as the executable carries it, or a negative number. The caller holds the lock. */
static int open_or_unpack(int directory, const struct payload_file *file)
{
	int fd = open_stamped(directory, file);

	if (fd < 0)
		fd = open_hashed(directory, file);
	return fd < 0 ? unpack(directory, file) : fd;
}

/* Returns a descriptor of the runtime, or a negative number. Everything else lies beside it then. */
static int unpack_all(int directory)
{
	int is_locked = 0;
	int runtime = -1;

	for (uint32_t i = 0; i < payload.header.file_count; i++) {
		const struct payload_file *file = &payload.files[i];
		int fd = open_stamped(directory, file);

		/* Without a lock two processes would write the same file. */
		if (fd < 0 && !is_locked && kernel_call(NR_FLOCK, directory, LOCK_EXCLUSIVE, 0, 0, 0))
			return -1;
		if (fd < 0) {
			is_locked = 1;
			fd = open_or_unpack(directory, file);
		}
		if (fd < 0)
			return fd;
		if (file->role == ROLE_RUNTIME)
			runtime = fd;
		else
			close_file(fd);
	}
	return runtime;
}

#endif
