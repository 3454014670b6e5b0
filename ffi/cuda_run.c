/* Streams, events, and programs for the device. */
#define _GNU_SOURCE
#include "cordon.h"
#include "cuda_driver.h"

#include <errno.h>
#include <string.h>

#define MAX_ARGUMENTS 256u
#define MAX_ARGUMENT_BYTES 32768u

static cu_result keep(cu_result result, cu_handle made, uint64_t *into)
{
	*into = (uint64_t)(uintptr_t)made;
	return result;
}

static cu_result new_stream(struct cordon_cuda *cuda, uint64_t *stream)
{
	cu_handle made = NULL;
	cu_result result = cuda->stream_create(&made, CU_STREAM_NON_BLOCKING);

	return keep(result, made, stream);
}

int32_t cordon_cuda_stream(void *handle, uint64_t context, uint64_t *stream)
{
	struct cordon_cuda *cuda = handle;

	if (stream == NULL)
		return -EINVAL;
	CUDA_WITHIN(cuda, context, new_stream(cuda, stream));
}

int32_t cordon_cuda_stream_free(void *handle, uint64_t context, uint64_t stream)
{
	struct cordon_cuda *cuda = handle;

	CUDA_WITHIN(cuda, context, cuda->stream_destroy(as_handle(stream)));
}

int32_t cordon_cuda_stream_synchronize(void *handle, uint64_t context, uint64_t stream)
{
	struct cordon_cuda *cuda = handle;

	CUDA_WITHIN(cuda, context, cuda->stream_sync(as_handle(stream)));
}

int32_t cordon_cuda_stream_wait(void *handle, uint64_t context, uint64_t stream,
				uint64_t event)
{
	struct cordon_cuda *cuda = handle;

	CUDA_WITHIN(cuda, context,
		    cuda->stream_wait(as_handle(stream), as_handle(event), 0));
}

static cu_result new_event(struct cordon_cuda *cuda, unsigned int flags, uint64_t *event)
{
	cu_handle made = NULL;
	cu_result result = cuda->event_create(&made, flags);

	return keep(result, made, event);
}

int32_t cordon_cuda_event(void *handle, uint64_t context, uint32_t is_shared,
			  uint64_t *event)
{
	struct cordon_cuda *cuda = handle;
	unsigned int flags = is_shared == 0 ? 0 : CU_EVENT_INTERPROCESS | CU_EVENT_DISABLE_TIMING;

	if (event == NULL)
		return -EINVAL;
	CUDA_WITHIN(cuda, context, new_event(cuda, flags, event));
}

int32_t cordon_cuda_event_free(void *handle, uint64_t context, uint64_t event)
{
	struct cordon_cuda *cuda = handle;

	CUDA_WITHIN(cuda, context, cuda->event_destroy(as_handle(event)));
}

int32_t cordon_cuda_event_record(void *handle, uint64_t context, uint64_t event,
				 uint64_t stream)
{
	struct cordon_cuda *cuda = handle;

	CUDA_WITHIN(cuda, context,
		    cuda->event_record(as_handle(event), as_handle(stream)));
}

int32_t cordon_cuda_event_synchronize(void *handle, uint64_t context, uint64_t event)
{
	struct cordon_cuda *cuda = handle;

	CUDA_WITHIN(cuda, context, cuda->event_sync(as_handle(event)));
}

int32_t cordon_cuda_event_query(void *handle, uint64_t context, uint64_t event)
{
	struct cordon_cuda *cuda = handle;

	CUDA_WITHIN(cuda, context, cuda->event_query(as_handle(event)));
}

int32_t cordon_cuda_event_elapsed(void *handle, uint64_t context, uint64_t from,
				  uint64_t to, float *milliseconds)
{
	struct cordon_cuda *cuda = handle;

	if (milliseconds == NULL)
		return -EINVAL;
	CUDA_WITHIN(cuda, context,
		    cuda->event_elapsed(milliseconds, as_handle(from), as_handle(to)));
}

static cu_result new_module(struct cordon_cuda *cuda, const char *image, uint64_t *module)
{
	cu_handle made = NULL;
	cu_result result = cuda->module_load(&made, image);

	return keep(result, made, module);
}

int32_t cordon_cuda_module(void *handle, uint64_t context, const char *image,
			   uint64_t bytes, uint64_t *module)
{
	struct cordon_cuda *cuda = handle;

	/* The driver reads a program up to its NUL. */
	if (image == NULL || module == NULL || bytes == 0 || image[bytes - 1] != '\0')
		return -EINVAL;
	CUDA_WITHIN(cuda, context, new_module(cuda, image, module));
}

int32_t cordon_cuda_module_free(void *handle, uint64_t context, uint64_t module)
{
	struct cordon_cuda *cuda = handle;

	CUDA_WITHIN(cuda, context, (settle(cuda), cuda->module_unload(as_handle(module))));
}

static cu_result find_kernel(struct cordon_cuda *cuda, uint64_t module,
			     const char *name, uint64_t *kernel)
{
	cu_handle found = NULL;
	cu_result result = cuda->module_function(&found, as_handle(module), name);

	return keep(result, found, kernel);
}

int32_t cordon_cuda_kernel(void *handle, uint64_t context, uint64_t module,
			   const char *name, uint64_t *kernel)
{
	struct cordon_cuda *cuda = handle;

	if (name == NULL || kernel == NULL)
		return -EINVAL;
	CUDA_WITHIN(cuda, context, find_kernel(cuda, module, name, kernel));
}

int32_t cordon_cuda_launch(void *handle, uint64_t context, uint64_t kernel,
			   const uint32_t *shape, uint64_t stream,
			   void *values, uint32_t bytes,
			   const uint32_t *offsets, uint32_t count)
{
	struct cordon_cuda *cuda = handle;
	void *parameters[MAX_ARGUMENTS + 1] = { NULL };

	if (shape == NULL || count > MAX_ARGUMENTS || bytes > MAX_ARGUMENT_BYTES ||
	    (count > 0 && (values == NULL || offsets == NULL)))
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		if (offsets[i] >= bytes)
			return -EINVAL;
		parameters[i] = (char *)values + offsets[i];
	}
	CUDA_WITHIN(cuda, context,
		    cuda->launch(as_handle(kernel), shape[0], shape[1], shape[2],
				 shape[3], shape[4], shape[5], shape[6],
				 as_handle(stream), parameters, NULL));
}
