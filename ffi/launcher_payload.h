/*
 * What tools append to the launcher, in this order: files, the index, the footer. Numbers are little-endian.
 */
#ifndef CORDON_LAUNCHER_PAYLOAD_H
#define CORDON_LAUNCHER_PAYLOAD_H

#include "launcher_kernel.h"
#include "sha256.h"

#define PAYLOAD_MAGIC "CORDON\0\1"
#define MAX_INDEX_BYTES 65536
#define MAX_FILES 128
#define MAX_NAME 64

enum payload_role {
	ROLE_RUNTIME = 1,
	ROLE_PROGRAM = 2,
	ROLE_BUNDLER = 3,
	/* The whole program in one file, for a start without a directory. */
	ROLE_MEMORY_PROGRAM = 4,
	/* Part of the program, imported by another. */
	ROLE_MODULE = 5,
};

struct payload_file {
	char name[MAX_NAME];
	uint64_t offset;
	uint64_t size;
	uint8_t digest[SHA256_BYTES];
	uint32_t mode;
	uint32_t role;
};

struct payload_footer {
	uint8_t magic[8];
	uint64_t index_offset;
	uint64_t index_size;
	uint8_t index_digest[SHA256_BYTES];
	uint64_t reserved;
};

/* In front of the files' entries; the runtime's arguments follow them, NUL-terminated. */
struct payload_header {
	uint32_t file_count;
	uint32_t argument_count;
};

static struct {
	int fd;
	struct payload_footer footer;
	struct payload_header header;
	struct payload_file files[MAX_FILES];
	char *arguments;
	uint8_t index[MAX_INDEX_BYTES];
} payload;

static int read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
	for (size_t done = 0; done < size;) {
		long got = kernel_call(NR_PREAD, fd, (long)buffer + (long)done, (long)(size - done),
				       (long)(offset + done), 0);

		if (got <= 0)
			return -1;
		done += (size_t)got;
	}
	return 0;
}

static int is_file_sound(const struct payload_file *file)
{
	size_t name = 0;

	while (name < MAX_NAME && file->name[name] && file->name[name] != '/')
		name++;
	return name && name < MAX_NAME - 8 && !file->name[name] && file->name[0] != '.' &&
	       file->offset <= payload.footer.index_offset &&
	       file->size <= payload.footer.index_offset - file->offset;
}

/* The arguments must fill what is left of the index exactly. */
static int are_arguments_sound(size_t size)
{
	uint32_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += !payload.arguments[i];
	return count == payload.header.argument_count && (!size || !payload.arguments[size - 1]);
}

/* Returns 0, or -1 if the executable is damaged or carries nothing. */
static int read_payload(uint64_t executable_size)
{
	struct payload_footer *footer = &payload.footer;
	size_t entries;
	struct sha256 hash;
	uint8_t digest[SHA256_BYTES];

	if (executable_size < sizeof(*footer) ||
	    read_at(payload.fd, footer, sizeof(*footer), executable_size - sizeof(*footer)) ||
	    !is_equal(footer->magic, PAYLOAD_MAGIC, sizeof(footer->magic)) ||
	    footer->index_size > MAX_INDEX_BYTES || footer->index_size < sizeof(payload.header) ||
	    read_at(payload.fd, payload.index, footer->index_size, footer->index_offset))
		return -1;
	sha256_start(&hash);
	sha256_add(&hash, payload.index, footer->index_size);
	sha256_end(&hash, digest);
	if (!is_equal(digest, footer->index_digest, sizeof(digest)))
		return -1;
	memcpy(&payload.header, payload.index, sizeof(payload.header));
	entries = payload.header.file_count * sizeof(struct payload_file);
	if (payload.header.file_count > MAX_FILES || sizeof(payload.header) + entries > footer->index_size)
		return -1;
	memcpy(payload.files, payload.index + sizeof(payload.header), entries);
	for (uint32_t i = 0; i < payload.header.file_count; i++)
		if (!is_file_sound(&payload.files[i]))
			return -1;
	payload.arguments = (char *)payload.index + sizeof(payload.header) + entries;
	return are_arguments_sound(footer->index_size - sizeof(payload.header) - entries) ? 0 : -1;
}

static const struct payload_file *file_with_role(enum payload_role role)
{
	for (uint32_t i = 0; i < payload.header.file_count; i++)
		if (payload.files[i].role == (uint32_t)role)
			return &payload.files[i];
	return NULL;
}

#endif
