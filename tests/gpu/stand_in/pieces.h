/* Address space of the stand-in, and what lies there. */
#ifndef PIECES_H
#define PIECES_H

#include "stand_in.h"

#define MAX_PIECES 4096

enum kind { NOTHING, PLAIN, OPENED, RESERVED };

/* Address space; for memory by pieces also what is mapped there. */
struct piece {
	enum kind kind;
	uint64_t address, bytes;
	int fd, device;
	/* Number of the file that stands for it, for handles; 0 without one. */
	int32_t number;
	uint64_t allocation;
	bool is_mapped, is_accessible;
	/* Devices that may reach it, a bit each. */
	unsigned int devices;
};

/* How much of each device is taken. */
extern uint64_t used_bytes[8];

/* A free entry, or NULL. */
struct piece *new_piece(void);
/* The piece that starts at an address, and the one that it lies in; NULL without one. */
struct piece *piece_at(uint64_t address);
struct piece *piece_around(uint64_t address);
/* Memory for an allocation, which another process can map; -1 without. */
int backing(uint64_t bytes);
/* Give the memory of a piece a name, for handles; false where there is no place for it. */
bool name_piece(struct piece *piece);
/* Where the file of a handle is, in a buffer of 64 bytes. */
void path_of(char *path, int32_t pid, int32_t number);
void *mapped(uint64_t bytes, int fd);
/* Take a piece of that kind away. */
int drop(uint64_t address, enum kind kind);

#endif
