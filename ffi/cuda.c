/* The graphics driver, found at run time: devices, memory, copies. */
#define _GNU_SOURCE
#include "cordon.h"
#include "cuda_driver.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The versions of before glibc 2.34, so that older systems can load this. */
#if defined(__x86_64__)
__asm__(".symver dlopen,dlopen@GLIBC_2.2.5");
__asm__(".symver dlsym,dlsym@GLIBC_2.2.5");
__asm__(".symver dlclose,dlclose@GLIBC_2.2.5");
#elif defined(__aarch64__)
__asm__(".symver dlopen,dlopen@GLIBC_2.17");
__asm__(".symver dlsym,dlsym@GLIBC_2.17");
__asm__(".symver dlclose,dlclose@GLIBC_2.17");
#endif

struct entry_point {
	const char *name;
	size_t offset;
};

static const struct entry_point entry_points[] = {
#define CU_ENTRY(member, name, parameters) { name, offsetof(struct cordon_cuda, member) },
	CU_CALLS(CU_ENTRY)
#undef CU_ENTRY
};

static int32_t find_entry_points(struct cordon_cuda *cuda)
{
	for (size_t i = 0; i < sizeof(entry_points) / sizeof(entry_points[0]); i++) {
		void *found = dlsym(cuda->library, entry_points[i].name);

		if (found == NULL)
			return -ENOSYS;
		memcpy((char *)cuda + entry_points[i].offset, &found, sizeof(found));
	}
	return 0;
}

int32_t cordon_cuda_open(const char *path, uint64_t *handle)
{
	struct cordon_cuda *cuda;
	int32_t result;

	if (path == NULL || handle == NULL)
		return -EINVAL;
	cuda = calloc(1, sizeof(*cuda));
	if (cuda == NULL)
		return -ENOMEM;
	cuda->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (cuda->library == NULL) {
		free(cuda);
		return -ENOENT;
	}
	result = find_entry_points(cuda);
	if (result == 0)
		result = cuda->init(0);
	if (result != 0) {
		dlclose(cuda->library);
		free(cuda);
		return result;
	}
	cuda->magic = CORDON_CUDA_MAGIC;
	*handle = (uint64_t)(uintptr_t)cuda;
	return 0;
}

int32_t cordon_cuda_close(void *handle)
{
	struct cordon_cuda *cuda = handle;

	if (!cuda_is_open(cuda))
		return -EINVAL;
	/* The driver has threads of its own: it stays loaded. */
	cuda->magic = 0;
	free(cuda);
	return 0;
}

int32_t cordon_cuda_error_name(void *handle, int32_t result, char *into,
			       uint32_t bytes)
{
	struct cordon_cuda *cuda = handle;
	const char *name = NULL;

	if (!cuda_is_open(cuda) || into == NULL || bytes == 0)
		return -EINVAL;
	if (cuda->error_name(result, &name) != 0 || name == NULL)
		return -ENOENT;
	strncpy(into, name, bytes - 1);
	into[bytes - 1] = '\0';
	return (int32_t)strlen(into);
}

int32_t cordon_cuda_counts(void *handle, int32_t *counts)
{
	struct cordon_cuda *cuda = handle;
	int version = 0, devices = 0;
	cu_result result;

	if (!cuda_is_open(cuda) || counts == NULL)
		return -EINVAL;
	result = cuda->driver_version(&version);
	if (result == 0)
		result = cuda->device_count(&devices);
	counts[0] = version;
	counts[1] = devices;
	return result;
}

static cu_result attribute(struct cordon_cuda *cuda, int which, int device,
			   uint64_t *into)
{
	int value = 0;
	cu_result result = cuda->device_attribute(&value, which, device);

	*into = value < 0 ? 0 : (uint64_t)value;
	return result;
}

int32_t cordon_cuda_device(void *handle, int32_t ordinal, uint64_t *facts,
			   char *name, uint32_t name_bytes, char *uuid)
{
	static const int attributes[] = {
		CU_ATTRIBUTE_MAJOR, CU_ATTRIBUTE_MINOR,
		CU_ATTRIBUTE_VIRTUAL_MEMORY, CU_ATTRIBUTE_POSIX_FD,
	};
	struct cordon_cuda *cuda = handle;
	struct cu_uuid id;
	size_t total = 0;
	int device = 0;
	cu_result result;

	if (!cuda_is_open(cuda) || facts == NULL || name == NULL ||
	    uuid == NULL || name_bytes == 0 || name_bytes > INT32_MAX)
		return -EINVAL;
	result = cuda->device_get(&device, ordinal);
	if (result == 0)
		result = cuda->device_name(name, (int)name_bytes, device);
	if (result == 0)
		result = cuda->device_uuid(&id, device);
	if (result == 0)
		result = cuda->device_memory(&total, device);
	facts[0] = total;
	for (int i = 0; result == 0 && i < 4; i++)
		result = attribute(cuda, attributes[i], device, &facts[1 + i]);
	if (result == 0)
		memcpy(uuid, id.bytes, sizeof(id.bytes));
	return result;
}

int32_t cordon_cuda_context(void *handle, int32_t ordinal, uint64_t *context)
{
	struct cordon_cuda *cuda = handle;
	cu_handle retained = NULL;
	int device = 0;
	cu_result result;

	if (!cuda_is_open(cuda) || context == NULL)
		return -EINVAL;
	result = cuda->device_get(&device, ordinal);
	if (result == 0)
		result = cuda->context_retain(&retained, device);
	if (result == 0)
		*context = (uint64_t)(uintptr_t)retained;
	return result;
}

int32_t cordon_cuda_context_release(void *handle, int32_t ordinal)
{
	struct cordon_cuda *cuda = handle;
	int device = 0;
	cu_result result;

	if (!cuda_is_open(cuda))
		return -EINVAL;
	result = cuda->device_get(&device, ordinal);
	return result == 0 ? cuda->context_release(device) : result;
}

int32_t cordon_cuda_peer(void *handle, uint64_t context, int32_t device,
			 uint64_t peer_context, int32_t peer)
{
	struct cordon_cuda *cuda = handle;
	int can = 0;
	cu_result result;

	if (!cuda_is_open(cuda))
		return -EINVAL;
	result = cuda->can_access_peer(&can, device, peer);
	if (result != 0)
		return result;
	if (can == 0)
		return -EOPNOTSUPP;
	result = cuda->context_push(as_handle(context));
	if (result != 0)
		return result;
	result = cuda->peer_enable(as_handle(peer_context), 0);
	cuda->context_pop(&(cu_handle){ NULL });
	return result == CU_ERROR_PEER_ENABLED ? 0 : result;
}

int32_t cordon_cuda_synchronize(void *handle, uint64_t context)
{
	struct cordon_cuda *cuda = handle;

	CUDA_WITHIN(cuda, context, cuda->context_sync());
}

int32_t cordon_cuda_memory(void *handle, uint64_t context, uint64_t *sizes)
{
	struct cordon_cuda *cuda = handle;
	size_t *out = (size_t *)sizes;

	if (sizes == NULL)
		return -EINVAL;
	CUDA_WITHIN(cuda, context, cuda->memory_info(&out[0], &out[1]));
}

int32_t cordon_cuda_alloc(void *handle, uint64_t context, uint64_t bytes,
			  uint64_t *address)
{
	struct cordon_cuda *cuda = handle;

	if (address == NULL || bytes == 0)
		return -EINVAL;
	CUDA_WITHIN(cuda, context, cuda->alloc(address, bytes));
}

int32_t cordon_cuda_free(void *handle, uint64_t context, uint64_t address)
{
	struct cordon_cuda *cuda = handle;

	CUDA_WITHIN(cuda, context, cuda->free(address));
}

static cu_result write_and_wait(struct cordon_cuda *cuda, cu_address to,
				const void *from, uint64_t bytes, cu_handle stream)
{
	cu_result result = cuda->copy_in(to, from, bytes, stream);

	return result == 0 ? cuda->stream_sync(stream) : result;
}

/* The caller's buffer is only borrowed, so the copy is over when this returns. */
int32_t cordon_cuda_write(void *handle, uint64_t context, uint64_t to,
			  const void *from, uint64_t bytes, uint64_t stream)
{
	struct cordon_cuda *cuda = handle;

	if (from == NULL)
		return -EINVAL;
	CUDA_WITHIN(cuda, context,
		    write_and_wait(cuda, to, from, bytes, as_handle(stream)));
}

static cu_result read_and_wait(struct cordon_cuda *cuda, void *to,
			       cu_address from, uint64_t bytes, cu_handle stream)
{
	cu_result result = cuda->copy_out(to, from, bytes, stream);

	return result == 0 ? cuda->stream_sync(stream) : result;
}

int32_t cordon_cuda_read(void *handle, uint64_t context, void *to,
			 uint64_t from, uint64_t bytes, uint64_t stream)
{
	struct cordon_cuda *cuda = handle;

	if (to == NULL)
		return -EINVAL;
	CUDA_WITHIN(cuda, context,
		    read_and_wait(cuda, to, from, bytes, as_handle(stream)));
}

int32_t cordon_cuda_copy(void *handle, uint64_t context, uint64_t to,
			 uint64_t from_context, uint64_t from, uint64_t bytes,
			 uint64_t stream)
{
	struct cordon_cuda *cuda = handle;

	CUDA_WITHIN(cuda, context, from_context == context ?
		cuda->copy_within(to, from, bytes, as_handle(stream)) :
		cuda->copy_peer(to, as_handle(context), from,
				as_handle(from_context), bytes, as_handle(stream)));
}

int32_t cordon_cuda_fill(void *handle, uint64_t context, uint64_t to,
			 uint32_t value, uint64_t bytes, uint64_t stream)
{
	struct cordon_cuda *cuda = handle;

	if (value > 0xff)
		return -EINVAL;
	CUDA_WITHIN(cuda, context,
		    cuda->set_bytes(to, (unsigned char)value, bytes, as_handle(stream)));
}

static cu_result pointer_facts(struct cordon_cuda *cuda, uint64_t address,
			       uint64_t *facts)
{
	static const int attributes[] = {
		CU_POINTER_MEMORY_TYPE, CU_POINTER_ORDINAL,
		CU_POINTER_RANGE_START, CU_POINTER_RANGE_BYTES,
	};
	cu_result result = 0;

	memset(facts, 0, 4 * sizeof(*facts));
	for (int i = 0; result == 0 && i < 4; i++)
		result = cuda->pointer_attribute(&facts[i], attributes[i], address);
	return result;
}

int32_t cordon_cuda_pointer(void *handle, uint64_t context, uint64_t address,
			    uint64_t *facts)
{
	struct cordon_cuda *cuda = handle;

	if (facts == NULL)
		return -EINVAL;
	CUDA_WITHIN(cuda, context, pointer_facts(cuda, address, facts));
}
