/* Devices, contexts and names of errors of the stand-in. */
#define _GNU_SOURCE
#include "stand_in.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STACK 16

struct context {
	int device;
	int holders;
	bool peers[8];
};

static struct context contexts[8];
/* Number of each device that the environment lets this process see. */
static int visible[8], visible_count;
static bool is_started, is_faulted;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local struct context *stack[MAX_STACK];
static _Thread_local int depth;

void lock(void)
{
	pthread_mutex_lock(&mutex);
}

void unlock(void)
{
	pthread_mutex_unlock(&mutex);
}

int current_device(void)
{
	return depth == 0 ? -1 : stack[depth - 1]->device;
}

int usable(void)
{
	if (!is_started)
		return NOT_INITIALIZED;
	if (depth == 0 || stack[depth - 1]->holders == 0)
		return INVALID_CONTEXT;
	return is_faulted ? ILLEGAL_ADDRESS : OK;
}

void fault(void)
{
	is_faulted = true;
}

bool is_peer(int device, int peer)
{
	return contexts[device].peers[peer];
}

/* A list of numbers; the first that is none ends it. */
static void look_around(const char *wish)
{
	visible_count = 0;
	for (int i = 0; wish == NULL && i < STAND_IN_DEVICES; i++)
		visible[visible_count++] = i;
	for (; wish != NULL && *wish >= '0' && *wish < '0' + STAND_IN_DEVICES; wish++) {
		visible[visible_count++] = *wish - '0';
		if (wish[1] == ',')
			wish++;
	}
}

API int cuInit(unsigned int flags)
{
	if (flags != 0)
		return INVALID_VALUE;
	if (!is_started)
		look_around(getenv("CUDA_VISIBLE_DEVICES"));
	if (visible_count == 0)
		return NO_DEVICE;
	is_started = true;
	return OK;
}

API int cuDriverGetVersion(int *version)
{
	*version = 12040;
	return OK;
}

API int cuGetErrorName(int result, const char **name)
{
	static const struct { int result; const char *name; } names[] = {
		{ OK, "CUDA_SUCCESS" },
		{ INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE" },
		{ OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY" },
		{ NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED" },
		{ NO_DEVICE, "CUDA_ERROR_NO_DEVICE" },
		{ INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE" },
		{ INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE" },
		{ INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT" },
		{ INVALID_PTX, "CUDA_ERROR_INVALID_PTX" },
		{ INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE" },
		{ NOT_FOUND, "CUDA_ERROR_NOT_FOUND" },
		{ NOT_READY, "CUDA_ERROR_NOT_READY" },
		{ ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS" },
		{ PEER_ALREADY_ENABLED, "CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED" },
		{ PEER_NOT_ENABLED, "CUDA_ERROR_PEER_ACCESS_NOT_ENABLED" },
		{ NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED" },
	};

	*name = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].result == result)
			*name = names[i].name;
	}
	return *name == NULL ? INVALID_VALUE : OK;
}

API int cuDeviceGetCount(int *count)
{
	*count = visible_count;
	return is_started ? OK : NOT_INITIALIZED;
}

API int cuDeviceGet(int *device, int ordinal)
{
	if (!is_started)
		return NOT_INITIALIZED;
	if (ordinal < 0 || ordinal >= visible_count)
		return INVALID_DEVICE;
	*device = ordinal;
	return OK;
}

API int cuDeviceGetName(char *name, int bytes, int device)
{
	snprintf(name, (size_t)bytes, "Stand-in %d", visible[device]);
	return OK;
}

API int cuDeviceGetUuid(char *uuid, int device)
{
	memset(uuid, 0x50 + visible[device], 16);
	return OK;
}

API int cuDeviceTotalMem_v2(size_t *bytes, int device)
{
	*bytes = DEVICE_BYTES;
	return device >= 0 ? OK : INVALID_DEVICE;
}

API int cuDeviceGetAttribute(int *value, int attribute, int device)
{
	if (device < 0 || device >= visible_count)
		return INVALID_DEVICE;
	switch (attribute) {
	case 75:
		*value = 9;
		return OK;
	case 76:
		*value = 0;
		return OK;
	case 102:
		*value = 1;
		return OK;
	case 103:
		*value = STAND_IN_POSIX_FD;
		return OK;
	default:
		return INVALID_VALUE;
	}
}

API int cuDeviceCanAccessPeer(int *can, int device, int peer)
{
	*can = STAND_IN_PEERS && device != peer;
	return OK;
}

API int cuDevicePrimaryCtxRetain(void **context, int device)
{
	if (!is_started)
		return NOT_INITIALIZED;
	contexts[device].device = device;
	contexts[device].holders++;
	*context = &contexts[device];
	return OK;
}

API int cuDevicePrimaryCtxRelease_v2(int device)
{
	if (contexts[device].holders == 0)
		return INVALID_CONTEXT;
	contexts[device].holders--;
	return OK;
}

API int cuCtxPushCurrent_v2(struct context *context)
{
	if (!is_started)
		return NOT_INITIALIZED;
	if (context < contexts || context >= contexts + 8 || context->holders == 0 || depth == MAX_STACK)
		return INVALID_CONTEXT;
	stack[depth++] = context;
	return OK;
}

API int cuCtxPopCurrent_v2(struct context **context)
{
	if (depth == 0)
		return INVALID_CONTEXT;
	*context = stack[--depth];
	return OK;
}

API int cuCtxEnablePeerAccess(struct context *peer, unsigned int flags)
{
	int result = usable();

	if (result != OK)
		return result;
	if (flags != 0 || peer == stack[depth - 1])
		return INVALID_DEVICE;
	if (stack[depth - 1]->peers[peer->device])
		return PEER_ALREADY_ENABLED;
	stack[depth - 1]->peers[peer->device] = true;
	return OK;
}
