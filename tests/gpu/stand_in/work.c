/*
 * Programs of the stand-in. They are not compiled: of the text only the names
 * of kernels are read, and one kernel is known by name,
 * scale(.u64 values, .f32 factor, .u32 count).
 */
#define _GNU_SOURCE
#include "queue.h"

#include <string.h>

#define MAX_TEXT 8192

struct module {
	bool is_made;
	char text[MAX_TEXT];
};

struct kernel {
	struct module *module;
	char name[64];
};

static struct module modules[16];
static struct kernel kernels[64];

/* Handles of events carry nothing here: whoever opens one has an event of its own. */
API int cuIpcGetEventHandle(void *handle, struct event *event)
{
	if (event == NULL || !event->is_made || (event->flags & INTERPROCESS) == 0)
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

static void scale(struct job *job)
{
	float *values = bytes_for(job->device, job->to, job->count * sizeof(float));

	/* A kernel that reaches outside ends everything that the context can do. */
	if (values == NULL)
		return fault();
	for (uint64_t i = 0; i < job->count && i < job->threads; i++)
		values[i] *= job->factor;
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
	if (kernel < kernels || kernel >= kernels + 64)
		return INVALID_HANDLE;
	if (block == 0 || grid == 0 || block > 1024 || shared_bytes > 48 * 1024 || extra != NULL)
		return INVALID_VALUE;
	if (strcmp(kernel->name, "scale") != 0)
		return NOT_SUPPORTED;
	return enqueue(stream, (struct job){
		.run = scale,
		.to = *(uint64_t *)arguments[0],
		.factor = *(float *)arguments[1],
		.count = *(uint32_t *)arguments[2],
		.threads = grid * block,
	});
}
