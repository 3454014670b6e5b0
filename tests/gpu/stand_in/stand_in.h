/* What the files of the stand-in for the graphics driver share. */
#ifndef STAND_IN_H
#define STAND_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define API __attribute__((visibility("default")))

#ifndef STAND_IN_DEVICES
#define STAND_IN_DEVICES 2
#endif
#ifndef STAND_IN_POSIX_FD
#define STAND_IN_POSIX_FD 1
#endif
#ifndef STAND_IN_PEERS
#define STAND_IN_PEERS 1
#endif
#ifndef STAND_IN_IMPORTS
#define STAND_IN_IMPORTS 1
#endif

enum {
	OK = 0,
	INVALID_VALUE = 1,
	OUT_OF_MEMORY = 2,
	NOT_INITIALIZED = 3,
	NO_DEVICE = 100,
	INVALID_DEVICE = 101,
	INVALID_IMAGE = 200,
	INVALID_CONTEXT = 201,
	INVALID_PTX = 218,
	INVALID_HANDLE = 400,
	NOT_FOUND = 500,
	NOT_READY = 600,
	ILLEGAL_ADDRESS = 700,
	PEER_ALREADY_ENABLED = 704,
	PEER_NOT_ENABLED = 705,
	NOT_SUPPORTED = 801,
};

#define MIB (1024u * 1024u)
#define STEP (2u * MIB)
#define DEVICE_BYTES ((uint64_t)1024 * MIB)

/* The device of the context that is current on this thread; -1 without one. */
int current_device(void);
/* OK, or what every call answers at present: not started, no context, or a fault that stays. */
int usable(void);
/* Whether a device may reach another one's memory. */
bool is_peer(int device, int peer);
/* From here on every call in this process answers with an illegal address. */
void fault(void);
/* The bytes at [address, address + bytes) if one mapped allocation holds them all. */
void *bytes_at(uint64_t address, uint64_t bytes);
/* The same, if a device may reach them. */
void *bytes_for(int device, uint64_t address, uint64_t bytes);
/* One caller at a time looks at the tables. */
void lock(void);
void unlock(void);

#endif
