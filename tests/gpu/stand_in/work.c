/*
 * Streams, events and programs of the stand-in. Work is done at once. A
 * program is not compiled: of its text only the names of its kernels are
 * read, and one kernel is known by name,
 * scale(.u64 values, .f32 factor, .u32 count).
 */
#define _GNU_SOURCE
#include "stand_in.h"

#include <string.h>
#include <time.h>

#define MAX_THINGS 256
#define MAX_TEXT 8192
#define DISABLE_TIMING 2u
#define INTERPROCESS 4u

struct stream {
	bool is_made;
};

struct event {
	bool is_made, is_recorded;
	unsigned int flags;
	double at;
};

struct module {
	bool is_made;
	char text[MAX_TEXT];
};

struct kernel {
	struct module *module;
	char name[64];
};

static struct stream streams[MAX_THINGS];
static struct event events[MAX_THINGS];
static struct module modules[16];
static struct kernel kernels[64];

static bool is_stream(const struct stream *stream)
{
	return stream == NULL ||
	       (stream >= streams && stream < streams + MAX_THINGS && stream->is_made);
}

static bool is_event(const struct event *event)
{
	return event >= events && event < events + MAX_THINGS && event->is_made;
}

API int cuStreamCreate(struct stream **stream, unsigned int flags)
{
	int result = usable();

	if (result != OK)
		return result;
	if (flags > 1)
		return INVALID_VALUE;
	for (int i = 0; i < MAX_THINGS; i++) {
		if (streams[i].is_made)
			continue;
		streams[i].is_made = true;
		*stream = &streams[i];
		return OK;
	}
	return OUT_OF_MEMORY;
}

API int cuStreamDestroy_v2(struct stream *stream)
{
	if (stream == NULL || !is_stream(stream))
		return INVALID_HANDLE;
	stream->is_made = false;
	return OK;
}

API int cuStreamSynchronize(struct stream *stream)
{
	return is_stream(stream) ? usable() : INVALID_HANDLE;
}

API int cuStreamWaitEvent(struct stream *stream, struct event *event, unsigned int flags)
{
	return is_stream(stream) && is_event(event) && flags == 0 ? usable() : INVALID_HANDLE;
}

API int cuEventCreate(struct event **event, unsigned int flags)
{
	int result = usable();

	if (result != OK)
		return result;
	/* What other processes see measures no time. */
	if (flags > 7 || ((flags & INTERPROCESS) != 0 && (flags & DISABLE_TIMING) == 0))
		return INVALID_VALUE;
	for (int i = 0; i < MAX_THINGS; i++) {
		if (events[i].is_made)
			continue;
		events[i] = (struct event){ .is_made = true, .flags = flags };
		*event = &events[i];
		return OK;
	}
	return OUT_OF_MEMORY;
}

API int cuEventDestroy_v2(struct event *event)
{
	if (!is_event(event))
		return INVALID_HANDLE;
	event->is_made = false;
	return OK;
}

API int cuEventRecord(struct event *event, struct stream *stream)
{
	struct timespec now;

	if (!is_event(event) || !is_stream(stream))
		return INVALID_HANDLE;
	clock_gettime(CLOCK_MONOTONIC, &now);
	event->at = (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
	event->is_recorded = true;
	return usable();
}

API int cuEventSynchronize(struct event *event)
{
	return is_event(event) ? usable() : INVALID_HANDLE;
}

API int cuEventQuery(struct event *event)
{
	return is_event(event) ? usable() : INVALID_HANDLE;
}

API int cuEventElapsedTime(float *milliseconds, struct event *from, struct event *to)
{
	if (!is_event(from) || !is_event(to) || !from->is_recorded || !to->is_recorded ||
	    ((from->flags | to->flags) & DISABLE_TIMING) != 0)
		return INVALID_HANDLE;
	*milliseconds = (float)(to->at - from->at);
	return OK;
}

/* Handles of events carry nothing here: the work was over when it was started. */
API int cuIpcGetEventHandle(void *handle, struct event *event)
{
	if (!is_event(event) || (event->flags & INTERPROCESS) == 0)
		return INVALID_HANDLE;
	memset(handle, 0x65, 64);
	return OK;
}

struct ipc_event {
	char bytes[64];
};

API int cuIpcOpenEventHandle(struct event **event, struct ipc_event handle)
{
	return handle.bytes[0] == 0x65 ? cuEventCreate(event, INTERPROCESS | DISABLE_TIMING) : INVALID_VALUE;
}

API int cuModuleLoadData(struct module **module, const char *image)
{
	int result = usable();

	if (result != OK)
		return result;
	if (strchr(image, '.') == NULL)
		return INVALID_IMAGE;
	if (strstr(image, ".version") == NULL || strstr(image, ".target") == NULL ||
	    strlen(image) >= MAX_TEXT)
		return INVALID_PTX;
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		if (modules[i].is_made)
			continue;
		modules[i].is_made = true;
		strcpy(modules[i].text, image);
		*module = &modules[i];
		return OK;
	}
	return OUT_OF_MEMORY;
}

API int cuModuleUnload(struct module *module)
{
	if (module < modules || module >= modules + 16 || !module->is_made)
		return INVALID_HANDLE;
	module->is_made = false;
	return OK;
}

API int cuModuleGetFunction(struct kernel **kernel, struct module *module, const char *name)
{
	static int made;
	const char *entry = module->text;
	size_t length = strlen(name);

	while ((entry = strstr(entry, ".entry ")) != NULL) {
		entry += 7;
		if (strncmp(entry, name, length) == 0 && (entry[length] == '(' || entry[length] == ' '))
			break;
	}
	if (entry == NULL)
		return NOT_FOUND;
	*kernel = &kernels[made++ % 64];
	(*kernel)->module = module;
	strncpy((*kernel)->name, name, sizeof((*kernel)->name) - 1);
	return OK;
}

static int scale(void **arguments, uint64_t threads)
{
	uint64_t address = *(uint64_t *)arguments[0];
	float factor = *(float *)arguments[1];
	uint32_t count = *(uint32_t *)arguments[2];
	float *values = bytes_at(address, (uint64_t)count * sizeof(float));

	/* A kernel that reaches outside ends everything that the context can do. */
	if (values == NULL)
		return fault();
	for (uint64_t i = 0; i < count && i < threads; i++)
		values[i] *= factor;
	return OK;
}

API int cuLaunchKernel(struct kernel *kernel, unsigned int grid_x, unsigned int grid_y,
		       unsigned int grid_z, unsigned int block_x, unsigned int block_y,
		       unsigned int block_z, unsigned int shared_bytes, struct stream *stream,
		       void **arguments, void **extra)
{
	uint64_t block = (uint64_t)block_x * block_y * block_z;
	uint64_t grid = (uint64_t)grid_x * grid_y * grid_z;
	int result = usable();

	if (result != OK)
		return result;
	if (!is_stream(stream) || kernel < kernels || kernel >= kernels + 64)
		return INVALID_HANDLE;
	if (block == 0 || grid == 0 || block > 1024 || shared_bytes > 48 * 1024 || extra != NULL)
		return INVALID_VALUE;
	return strcmp(kernel->name, "scale") == 0 ? scale(arguments, grid * block) : NOT_SUPPORTED;
}
