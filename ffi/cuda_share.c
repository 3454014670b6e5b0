/* Device memory that another process can map. */
#define _GNU_SOURCE
#include "cordon.h"
#include "cuda_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct cu_allocation allocation_on(int32_t device)
{
	return (struct cu_allocation){
		.type = CU_ALLOCATION_PINNED,
		.handle_types = CU_HANDLE_POSIX_FD,
		.location = { .type = CU_LOCATION_DEVICE, .id = device },
	};
}

/* Give an allocation an address that this process may read and write. */
static cu_result map_allocation(struct cordon_cuda *cuda, int32_t device,
				uint64_t bytes, uint64_t allocation,
				cu_address *address)
{
	struct cu_access access = {
		.location = { .type = CU_LOCATION_DEVICE, .id = device },
		.flags = CU_ACCESS_READ_WRITE,
	};
	cu_result result = cuda->reserve(address, bytes, 0, 0, 0);

	if (result != 0)
		return result;
	result = cuda->map(*address, bytes, 0, allocation, 0);
	if (result == 0) {
		result = cuda->set_access(*address, bytes, &access, 1);
		if (result == 0)
			return 0;
		cuda->unmap(*address, bytes);
	}
	cuda->unreserve(*address, bytes);
	return result;
}

static int32_t create_shared(struct cordon_cuda *cuda, int32_t device,
			     uint64_t bytes, uint64_t *memory)
{
	struct cu_allocation properties = allocation_on(device);
	size_t step = 0;
	cu_result result = cuda->granularity(&step, &properties, CU_GRANULARITY_MINIMUM);

	if (result != 0)
		return result;
	if (step == 0 || bytes > UINT64_MAX - step)
		return -EINVAL;
	bytes = (bytes + step - 1) / step * step;
	result = cuda->create(&memory[CORDON_CUDA_ALLOCATION], bytes, &properties, 0);
	if (result != 0)
		return result;
	result = map_allocation(cuda, device, bytes,
				memory[CORDON_CUDA_ALLOCATION],
				&memory[CORDON_CUDA_ADDRESS]);
	if (result != 0)
		cuda->release(memory[CORDON_CUDA_ALLOCATION]);
	memory[CORDON_CUDA_BYTES] = bytes;
	return result;
}

int32_t cordon_cuda_share_create(void *handle, uint64_t context, int32_t device,
				 uint64_t bytes, uint64_t *memory)
{
	struct cordon_cuda *cuda = handle;

	if (memory == NULL || bytes == 0)
		return -EINVAL;
	CUDA_WITHIN(cuda, context, create_shared(cuda, device, bytes, memory));
}

static int32_t export_shared(struct cordon_cuda *cuda, uint64_t allocation, int32_t *fd)
{
	int exported = -1;
	cu_result result = cuda->export_fd(&exported, allocation, CU_HANDLE_POSIX_FD, 0);

	if (result != 0)
		return result;
	if (fcntl(exported, F_SETFD, FD_CLOEXEC) != 0) {
		close(exported);
		return -EBADF;
	}
	*fd = exported;
	return 0;
}

int32_t cordon_cuda_share_export(void *handle, uint64_t context,
				 uint64_t allocation, int32_t *fd)
{
	struct cordon_cuda *cuda = handle;

	if (fd == NULL)
		return -EINVAL;
	CUDA_WITHIN(cuda, context, export_shared(cuda, allocation, fd));
}

static int32_t import_shared(struct cordon_cuda *cuda, int32_t device, int32_t fd,
			     uint64_t bytes, uint64_t *memory)
{
	cu_result result = cuda->import_fd(&memory[CORDON_CUDA_ALLOCATION],
					   as_handle((uint64_t)fd), CU_HANDLE_POSIX_FD);

	if (result != 0)
		return result;
	result = map_allocation(cuda, device, bytes,
				memory[CORDON_CUDA_ALLOCATION],
				&memory[CORDON_CUDA_ADDRESS]);
	if (result != 0)
		cuda->release(memory[CORDON_CUDA_ALLOCATION]);
	memory[CORDON_CUDA_BYTES] = bytes;
	return result;
}

int32_t cordon_cuda_share_import(void *handle, uint64_t context, int32_t device,
				 int32_t fd, uint64_t bytes, uint64_t *memory)
{
	struct cordon_cuda *cuda = handle;

	if (memory == NULL || fd < 0 || bytes == 0)
		return -EINVAL;
	CUDA_WITHIN(cuda, context, import_shared(cuda, device, fd, bytes, memory));
}

static cu_result first_failure(cu_result a, cu_result b)
{
	return a != 0 ? a : b;
}

static cu_result free_shared(struct cordon_cuda *cuda, const uint64_t *memory)
{
	cu_result result = cuda->unmap(memory[CORDON_CUDA_ADDRESS], memory[CORDON_CUDA_BYTES]);

	result = first_failure(result, cuda->unreserve(memory[CORDON_CUDA_ADDRESS],
						       memory[CORDON_CUDA_BYTES]));
	return first_failure(result, cuda->release(memory[CORDON_CUDA_ALLOCATION]));
}

int32_t cordon_cuda_share_free(void *handle, uint64_t context, const uint64_t *memory)
{
	struct cordon_cuda *cuda = handle;

	if (memory == NULL)
		return -EINVAL;
	CUDA_WITHIN(cuda, context, (settle(cuda), free_shared(cuda, memory)));
}

int32_t cordon_cuda_share_open(void *handle, uint64_t context, int32_t device,
			       const uint64_t *memory)
{
	struct cordon_cuda *cuda = handle;
	struct cu_access access = {
		.location = { .type = CU_LOCATION_DEVICE, .id = device },
		.flags = CU_ACCESS_READ_WRITE,
	};

	if (memory == NULL)
		return -EINVAL;
	CUDA_WITHIN(cuda, context, cuda->set_access(memory[CORDON_CUDA_ADDRESS],
						    memory[CORDON_CUDA_BYTES], &access, 1));
}

int32_t cordon_cuda_ipc_export(void *handle, uint64_t context, uint64_t address,
			       void *ipc)
{
	struct cordon_cuda *cuda = handle;

	if (ipc == NULL)
		return -EINVAL;
	CUDA_WITHIN(cuda, context, cuda->ipc_get_memory(ipc, address));
}

int32_t cordon_cuda_ipc_import(void *handle, uint64_t context, const void *ipc,
			       uint64_t *address)
{
	struct cordon_cuda *cuda = handle;
	struct cu_ipc_handle copy;

	if (ipc == NULL || address == NULL)
		return -EINVAL;
	memcpy(&copy, ipc, sizeof(copy));
	CUDA_WITHIN(cuda, context,
		    cuda->ipc_open_memory(address, copy, CU_IPC_LAZY_PEER_ACCESS));
}

int32_t cordon_cuda_ipc_free(void *handle, uint64_t context, uint64_t address)
{
	struct cordon_cuda *cuda = handle;

	CUDA_WITHIN(cuda, context, (settle(cuda), cuda->ipc_close_memory(address)));
}

int32_t cordon_cuda_ipc_export_event(void *handle, uint64_t context,
				     uint64_t event, void *ipc)
{
	struct cordon_cuda *cuda = handle;

	if (ipc == NULL)
		return -EINVAL;
	CUDA_WITHIN(cuda, context, cuda->ipc_get_event(ipc, as_handle(event)));
}

static cu_result open_event(struct cordon_cuda *cuda, const void *ipc, uint64_t *event)
{
	struct cu_ipc_handle copy;
	cu_handle opened = NULL;
	cu_result result;

	memcpy(&copy, ipc, sizeof(copy));
	result = cuda->ipc_open_event(&opened, copy);
	*event = (uint64_t)(uintptr_t)opened;
	return result;
}

int32_t cordon_cuda_ipc_import_event(void *handle, uint64_t context,
				     const void *ipc, uint64_t *event)
{
	struct cordon_cuda *cuda = handle;

	if (ipc == NULL || event == NULL)
		return -EINVAL;
	CUDA_WITHIN(cuda, context, open_event(cuda, ipc, event));
}
