/*
 * The part of NVIDIA's driver API that is used, declared anew: the library is
 * found when the program runs, so that nothing of it is needed to compile.
 * Names of structures and numbers follow the driver's documented binary
 * interface.
 */
#ifndef CORDON_CUDA_DRIVER_H
#define CORDON_CUDA_DRIVER_H

#include <stddef.h>
#include <stdint.h>

typedef int32_t cu_result;
typedef uint64_t cu_address;
typedef void *cu_handle;

struct cu_uuid {
	char bytes[16];
};

struct cu_ipc_handle {
	char bytes[64];
};

struct cu_location {
	int32_t type;
	int32_t id;
};

struct cu_allocation {
	int32_t type;
	int32_t handle_types;
	struct cu_location location;
	void *windows_metadata;
	unsigned char compression;
	unsigned char rdma;
	uint16_t usage;
	unsigned char reserved[4];
};

struct cu_access {
	struct cu_location location;
	int32_t flags;
};

#define CU_LOCATION_DEVICE 1
#define CU_ALLOCATION_PINNED 1
#define CU_HANDLE_POSIX_FD 1
#define CU_ACCESS_READ_WRITE 3
#define CU_GRANULARITY_MINIMUM 0
#define CU_IPC_LAZY_PEER_ACCESS 1
#define CU_STREAM_NON_BLOCKING 1
#define CU_EVENT_DISABLE_TIMING 2
#define CU_EVENT_INTERPROCESS 4

#define CU_ATTRIBUTE_MAJOR 75
#define CU_ATTRIBUTE_MINOR 76
#define CU_ATTRIBUTE_VIRTUAL_MEMORY 102
#define CU_ATTRIBUTE_POSIX_FD 103

#define CU_POINTER_MEMORY_TYPE 2
#define CU_POINTER_ORDINAL 9
#define CU_POINTER_RANGE_START 11
#define CU_POINTER_RANGE_BYTES 12

#define CU_ERROR_PEER_ENABLED 704

/* Member, exported name, parameters. */
#define CU_CALLS(X) \
	X(init, "cuInit", (unsigned int)) \
	X(driver_version, "cuDriverGetVersion", (int *)) \
	X(error_name, "cuGetErrorName", (cu_result, const char **)) \
	X(device_count, "cuDeviceGetCount", (int *)) \
	X(device_get, "cuDeviceGet", (int *, int)) \
	X(device_name, "cuDeviceGetName", (char *, int, int)) \
	X(device_uuid, "cuDeviceGetUuid", (struct cu_uuid *, int)) \
	X(device_memory, "cuDeviceTotalMem_v2", (size_t *, int)) \
	X(device_attribute, "cuDeviceGetAttribute", (int *, int, int)) \
	X(can_access_peer, "cuDeviceCanAccessPeer", (int *, int, int)) \
	X(context_retain, "cuDevicePrimaryCtxRetain", (cu_handle *, int)) \
	X(context_release, "cuDevicePrimaryCtxRelease_v2", (int)) \
	X(context_push, "cuCtxPushCurrent_v2", (cu_handle)) \
	X(context_pop, "cuCtxPopCurrent_v2", (cu_handle *)) \
	X(context_sync, "cuCtxSynchronize", (void)) \
	X(peer_enable, "cuCtxEnablePeerAccess", (cu_handle, unsigned int)) \
	X(memory_info, "cuMemGetInfo_v2", (size_t *, size_t *)) \
	X(alloc, "cuMemAlloc_v2", (cu_address *, size_t)) \
	X(free, "cuMemFree_v2", (cu_address)) \
	X(copy_in, "cuMemcpyHtoDAsync_v2", (cu_address, const void *, size_t, cu_handle)) \
	X(copy_out, "cuMemcpyDtoHAsync_v2", (void *, cu_address, size_t, cu_handle)) \
	X(copy_within, "cuMemcpyDtoDAsync_v2", (cu_address, cu_address, size_t, cu_handle)) \
	X(copy_peer, "cuMemcpyPeerAsync", (cu_address, cu_handle, cu_address, cu_handle, size_t, cu_handle)) \
	X(set_bytes, "cuMemsetD8Async", (cu_address, unsigned char, size_t, cu_handle)) \
	X(pointer_attribute, "cuPointerGetAttribute", (void *, int, cu_address)) \
	X(stream_create, "cuStreamCreate", (cu_handle *, unsigned int)) \
	X(stream_destroy, "cuStreamDestroy_v2", (cu_handle)) \
	X(stream_sync, "cuStreamSynchronize", (cu_handle)) \
	X(stream_wait, "cuStreamWaitEvent", (cu_handle, cu_handle, unsigned int)) \
	X(event_create, "cuEventCreate", (cu_handle *, unsigned int)) \
	X(event_destroy, "cuEventDestroy_v2", (cu_handle)) \
	X(event_record, "cuEventRecord", (cu_handle, cu_handle)) \
	X(event_sync, "cuEventSynchronize", (cu_handle)) \
	X(event_query, "cuEventQuery", (cu_handle)) \
	X(event_elapsed, "cuEventElapsedTime", (float *, cu_handle, cu_handle)) \
	X(ipc_get_memory, "cuIpcGetMemHandle", (struct cu_ipc_handle *, cu_address)) \
	X(ipc_open_memory, "cuIpcOpenMemHandle_v2", (cu_address *, struct cu_ipc_handle, unsigned int)) \
	X(ipc_close_memory, "cuIpcCloseMemHandle", (cu_address)) \
	X(ipc_get_event, "cuIpcGetEventHandle", (struct cu_ipc_handle *, cu_handle)) \
	X(ipc_open_event, "cuIpcOpenEventHandle", (cu_handle *, struct cu_ipc_handle)) \
	X(granularity, "cuMemGetAllocationGranularity", (size_t *, const struct cu_allocation *, int)) \
	X(reserve, "cuMemAddressReserve", (cu_address *, size_t, size_t, cu_address, unsigned long long)) \
	X(unreserve, "cuMemAddressFree", (cu_address, size_t)) \
	X(create, "cuMemCreate", (uint64_t *, size_t, const struct cu_allocation *, unsigned long long)) \
	X(release, "cuMemRelease", (uint64_t)) \
	X(map, "cuMemMap", (cu_address, size_t, size_t, uint64_t, unsigned long long)) \
	X(unmap, "cuMemUnmap", (cu_address, size_t)) \
	X(set_access, "cuMemSetAccess", (cu_address, size_t, const struct cu_access *, size_t)) \
	X(export_fd, "cuMemExportToShareableHandle", (void *, uint64_t, int, unsigned long long)) \
	X(import_fd, "cuMemImportFromShareableHandle", (uint64_t *, void *, int)) \
	X(module_load, "cuModuleLoadData", (cu_handle *, const void *)) \
	X(module_unload, "cuModuleUnload", (cu_handle)) \
	X(module_function, "cuModuleGetFunction", (cu_handle *, cu_handle, const char *)) \
	X(launch, "cuLaunchKernel", (cu_handle, unsigned int, unsigned int, unsigned int, \
		unsigned int, unsigned int, unsigned int, unsigned int, cu_handle, void **, void **))

/* A loaded driver. Every member but the first two is one of its functions. */
struct cordon_cuda {
	uint64_t magic;
	void *library;
#define CU_MEMBER(member, name, parameters) cu_result (*member) parameters;
	CU_CALLS(CU_MEMBER)
#undef CU_MEMBER
};

#define CORDON_CUDA_MAGIC 0x6175646364726f63ULL

/* Numbers above it are not pointers that a caller can have been given. */
static inline int cuda_is_open(const struct cordon_cuda *cuda)
{
	return cuda != NULL && cuda->magic == CORDON_CUDA_MAGIC;
}

static inline cu_handle as_handle(uint64_t value)
{
	return (cu_handle)(uintptr_t)value;
}

/*
 * cuMemFree() waits for the work that uses the memory; unmapping does not, and
 * work that comes too late then is a fault. A fault that is there already must
 * not keep what is to be freed.
 */
static inline void settle(struct cordon_cuda *cuda)
{
	(void)cuda->context_sync();
}

/* Run EXPRESSION with a context current on this thread, whatever thread it is. */
#define CUDA_WITHIN(cuda, context, expression) do { \
	cu_handle previous_; \
	cu_result result_; \
	if (!cuda_is_open(cuda)) \
		return -EINVAL; \
	result_ = (cuda)->context_push(as_handle(context)); \
	if (result_ != 0) \
		return result_; \
	result_ = (expression); \
	(cuda)->context_pop(&previous_); \
	return result_; \
} while (0)

#endif
