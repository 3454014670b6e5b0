/* The part of the native library that reaches a graphics driver, over the stand-in, under the sanitizers. */
#define _GNU_SOURCE
#include "check.h"
#include "cordon.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define INVALID_VALUE 1
#define OUT_OF_MEMORY 2
#define INVALID_CONTEXT 201
#define INVALID_HANDLE 400
#define NOT_FOUND 500
#define NOT_READY 600
#define ILLEGAL_ADDRESS 700

static const char PROGRAM[] =
	".version 7.0\n.target sm_52\n.visible .entry scale(.param .u64 v, .param .f32 f, .param .u32 n) {}";

static void *cuda;
static uint64_t context;

static void test_open(const char *driver, const char *other)
{
	uint64_t handle = 0;

	CHECK(cordon_cuda_open(NULL, &handle) == -EINVAL);
	CHECK(cordon_cuda_open(driver, NULL) == -EINVAL);
	CHECK(cordon_cuda_open("/no/such/library", &handle) == -ENOENT);
	CHECK(cordon_cuda_open(other, &handle) == -ENOSYS);
	CHECK(handle == 0);
	CHECK(cordon_cuda_open(driver, &handle) == 0);
	cuda = (void *)(uintptr_t)handle;
	CHECK(cordon_cuda_context(NULL, 0, &context) == -EINVAL);
	CHECK(cordon_cuda_context(cuda, 0, NULL) == -EINVAL);
	CHECK(cordon_cuda_context(cuda, 7, &context) > 0);
	CHECK(cordon_cuda_context(cuda, 0, &context) == 0 && context != 0);
}

static void test_facts(void)
{
	uint64_t facts[5], sizes[2];
	char name[8], uuid[16];
	int32_t counts[2];

	CHECK(cordon_cuda_counts(cuda, counts) == 0 && counts[1] == 2);
	CHECK(cordon_cuda_counts(cuda, NULL) == -EINVAL && cordon_cuda_counts(NULL, counts) == -EINVAL);
	CHECK(cordon_cuda_device(cuda, 0, facts, name, sizeof(name), uuid) == 0);
	CHECK(strnlen(name, sizeof(name)) < sizeof(name));
	CHECK(cordon_cuda_device(cuda, -1, facts, name, sizeof(name), uuid) > 0);
	CHECK(cordon_cuda_device(cuda, 0, NULL, name, sizeof(name), uuid) == -EINVAL);
	CHECK(cordon_cuda_memory(cuda, context, sizes) == 0 && sizes[0] <= sizes[1]);
	CHECK(cordon_cuda_memory(cuda, context, NULL) == -EINVAL);
	CHECK(cordon_cuda_memory(cuda, 0, sizes) == INVALID_CONTEXT);
	CHECK(cordon_cuda_error_name(cuda, INVALID_VALUE, name, sizeof(name)) != 0);
	CHECK(strnlen(name, sizeof(name)) < sizeof(name));
	CHECK(cordon_cuda_error_name(cuda, 12345, name, sizeof(name)) == -ENOENT);
}

static void test_memory(void)
{
	char bytes[64] = "sixty-four bytes", back[64];
	uint64_t address = 0, facts[4];

	CHECK(cordon_cuda_alloc(cuda, context, 0, &address) == -EINVAL);
	CHECK(cordon_cuda_alloc(cuda, context, 64, NULL) == -EINVAL);
	CHECK(cordon_cuda_alloc(cuda, context, UINT64_MAX, &address) == OUT_OF_MEMORY);
	CHECK(cordon_cuda_alloc(cuda, context, 64, &address) == 0);
	CHECK(cordon_cuda_write(cuda, context, address, NULL, 64, 0) == -EINVAL);
	CHECK(cordon_cuda_write(cuda, context, address, bytes, 64, 0) == 0);
	CHECK(cordon_cuda_write(cuda, context, address, bytes, 65, 0) == INVALID_VALUE);
	CHECK(cordon_cuda_read(cuda, context, back, address, 64, 0) == 0);
	CHECK(memcmp(bytes, back, 64) == 0);
	CHECK(cordon_cuda_read(cuda, context, NULL, address, 64, 0) == -EINVAL);
	CHECK(cordon_cuda_read(cuda, context, back, address + 1, 64, 0) == INVALID_VALUE);
	CHECK(cordon_cuda_fill(cuda, context, address, 256, 64, 0) == -EINVAL);
	CHECK(cordon_cuda_fill(cuda, context, address, 7, 64, 0) == 0);
	CHECK(cordon_cuda_copy(cuda, context, address, context, address + 32, 32, 0) == 0);
	CHECK(cordon_cuda_pointer(cuda, context, address + 5, facts) == 0 && facts[2] == address);
	CHECK(cordon_cuda_pointer(cuda, context, address, NULL) == -EINVAL);
	CHECK(cordon_cuda_free(cuda, context, address) == 0);
	CHECK(cordon_cuda_free(cuda, context, address) == INVALID_VALUE);
}

static void test_shared(void)
{
	uint64_t memory[3], other[3];
	int32_t fd = -1, pair[2];
	char byte = 0;

	CHECK(cordon_cuda_share_create(cuda, context, 0, UINT64_MAX, memory) == -EINVAL);
	CHECK(cordon_cuda_share_create(cuda, context, 0, 1, NULL) == -EINVAL);
	CHECK(cordon_cuda_share_create(cuda, context, 99, 1, memory) == INVALID_VALUE);
	CHECK(cordon_cuda_share_create(cuda, context, 0, 1, memory) == 0);
	CHECK(cordon_cuda_share_export(cuda, context, 4096, &fd) == INVALID_VALUE);
	CHECK(cordon_cuda_share_export(cuda, context, memory[CORDON_CUDA_ALLOCATION], NULL) == -EINVAL);
	CHECK(cordon_cuda_share_export(cuda, context, memory[CORDON_CUDA_ALLOCATION], &fd) == 0);
	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK(cordon_cuda_share_import(cuda, context, 0, -1, 1, other) == -EINVAL);
	CHECK(cordon_cuda_share_import(cuda, context, 0, fd, 0, other) == -EINVAL);
	CHECK(cordon_cuda_share_import(cuda, context, 0, fd, memory[CORDON_CUDA_BYTES] * 2, other) > 0);
	CHECK(cordon_cuda_share_import(cuda, context, 0, fd, memory[CORDON_CUDA_BYTES], other) == 0);
	CHECK(cordon_socketpair(pair) == 0);
	CHECK(cordon_cuda_share_import(cuda, context, 0, pair[0], 4096, memory) == INVALID_VALUE);
	CHECK(cordon_cuda_share_open(cuda, context, 1, NULL) == -EINVAL);
	CHECK(cordon_cuda_share_open(cuda, context, 1, other) == 0);
	/* Work that is late is done before the memory goes. */
	CHECK(cordon_cuda_fill(cuda, context, other[CORDON_CUDA_ADDRESS], 9, 4096, 0) == 0);
	CHECK(cordon_cuda_share_free(cuda, context, NULL) == -EINVAL);
	CHECK(cordon_cuda_share_free(cuda, context, other) == 0);
	CHECK(cordon_cuda_share_free(cuda, context, other) == INVALID_VALUE);
	CHECK(cordon_cuda_synchronize(cuda, context) == 0);
	CHECK(cordon_cuda_share_import(cuda, context, 0, fd, memory[CORDON_CUDA_BYTES], other) == 0);
	CHECK(cordon_cuda_read(cuda, context, &byte, other[CORDON_CUDA_ADDRESS] + 4095, 1, 0) == 0);
	CHECK(byte == 9);
	CHECK(cordon_cuda_share_free(cuda, context, other) == 0);
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

static void test_handles(void)
{
	char handle[64] = { 0 }, event_handle[64];
	uint64_t address, event, imported;

	CHECK(cordon_cuda_alloc(cuda, context, 64, &address) == 0);
	CHECK(cordon_cuda_ipc_export(cuda, context, address, NULL) == -EINVAL);
	CHECK(cordon_cuda_ipc_import(cuda, context, handle, &imported) == INVALID_VALUE);
	CHECK(cordon_cuda_ipc_export(cuda, context, address, handle) == 0);
	CHECK(cordon_cuda_ipc_import(cuda, context, handle, &imported) == INVALID_CONTEXT);
	CHECK(cordon_cuda_ipc_import(cuda, context, NULL, &imported) == -EINVAL);
	CHECK(cordon_cuda_ipc_free(cuda, context, address) == INVALID_VALUE);
	CHECK(cordon_cuda_event(cuda, context, 1, &event) == 0);
	CHECK(cordon_cuda_ipc_export_event(cuda, context, event, event_handle) == 0);
	CHECK(cordon_cuda_ipc_import_event(cuda, context, event_handle, &imported) == 0);
	CHECK(cordon_cuda_event_free(cuda, context, imported) == 0);
	CHECK(cordon_cuda_event_free(cuda, context, event) == 0);
	CHECK(cordon_cuda_free(cuda, context, address) == 0);
}

static void test_work(void)
{
	const uint32_t shape[7] = { 1, 1, 1, 4, 1, 1, 0 }, offsets[3] = { 0, 8, 16 };
	uint64_t address, module, kernel, stream, event, values[3] = { 0, 0, 4 };
	float numbers[4] = { 1, 2, 3, 4 }, factor = 2;

	CHECK(cordon_cuda_alloc(cuda, context, sizeof(numbers), &address) == 0);
	CHECK(cordon_cuda_write(cuda, context, address, numbers, sizeof(numbers), 0) == 0);
	CHECK(cordon_cuda_module(cuda, context, PROGRAM, sizeof(PROGRAM) - 1, &module) == -EINVAL);
	CHECK(cordon_cuda_module(cuda, context, PROGRAM, 0, &module) == -EINVAL);
	CHECK(cordon_cuda_module(cuda, context, PROGRAM, sizeof(PROGRAM), &module) == 0);
	CHECK(cordon_cuda_kernel(cuda, context, module, "none", &kernel) == NOT_FOUND);
	CHECK(cordon_cuda_kernel(cuda, context, module, NULL, &kernel) == -EINVAL);
	CHECK(cordon_cuda_kernel(cuda, context, module, "scale", &kernel) == 0);
	CHECK(cordon_cuda_stream(cuda, context, &stream) == 0);
	CHECK(cordon_cuda_event(cuda, context, 0, &event) == 0);
	values[0] = address;
	memcpy(&values[1], &factor, sizeof(factor));
	CHECK(cordon_cuda_launch(cuda, context, kernel, NULL, stream, values, 24, offsets, 3) == -EINVAL);
	CHECK(cordon_cuda_launch(cuda, context, kernel, shape, stream, values, 16, offsets, 3) == -EINVAL);
	CHECK(cordon_cuda_launch(cuda, context, kernel, shape, stream, NULL, 24, offsets, 3) == -EINVAL);
	CHECK(cordon_cuda_launch(cuda, context, kernel, shape, stream, values, 24, offsets, 257) == -EINVAL);
	CHECK(cordon_cuda_launch(cuda, context, kernel, shape, stream, values, 24, offsets, 3) == 0);
	CHECK(cordon_cuda_event_record(cuda, context, event, stream) == 0);
	CHECK(cordon_cuda_event_query(cuda, context, event) == NOT_READY);
	CHECK(cordon_cuda_stream_wait(cuda, context, 0, event) == 0);
	CHECK(cordon_cuda_read(cuda, context, numbers, address, sizeof(numbers), 0) == 0);
	CHECK(numbers[0] == 2 && numbers[3] == 8);
	CHECK(cordon_cuda_event_query(cuda, context, event) == 0);
	CHECK(cordon_cuda_module_free(cuda, context, module) == 0);
	CHECK(cordon_cuda_event_free(cuda, context, event) == 0);
	CHECK(cordon_cuda_stream_free(cuda, context, stream) == 0);
	CHECK(cordon_cuda_stream_free(cuda, context, stream) == INVALID_HANDLE);
	CHECK(cordon_cuda_free(cuda, context, address) == 0);
}

/* After it nothing works in this process, so it comes last. */
static void test_fault(void)
{
	const uint32_t shape[7] = { 1, 1, 1, 4, 1, 1, 0 }, offsets[3] = { 0, 8, 16 };
	uint64_t module, kernel, values[3] = { 1, 0, 4 }, memory[3];

	CHECK(cordon_cuda_share_create(cuda, context, 0, 1, memory) == 0);
	CHECK(cordon_cuda_module(cuda, context, PROGRAM, sizeof(PROGRAM), &module) == 0);
	CHECK(cordon_cuda_kernel(cuda, context, module, "scale", &kernel) == 0);
	CHECK(cordon_cuda_launch(cuda, context, kernel, shape, 0, values, 24, offsets, 3) == 0);
	CHECK(cordon_cuda_synchronize(cuda, context) == ILLEGAL_ADDRESS);
	CHECK(cordon_cuda_share_free(cuda, context, memory) == 0);
	CHECK(cordon_cuda_context_release(cuda, 0) == 0);
	CHECK(cordon_cuda_close(cuda) == 0);
	CHECK(cordon_cuda_close(NULL) == -EINVAL);
}

/* Arguments: the stand-in, and a library that is no driver. */
int main(int argc, char **argv)
{
	CHECK(argc == 3);
	test_open(argv[1], argv[2]);
	test_facts();
	test_memory();
	test_shared();
	test_handles();
	test_work();
	test_fault();
	puts("all claims hold");
	return 0;
}
