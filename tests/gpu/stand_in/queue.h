/* What streams of the stand-in are to do. */
#ifndef QUEUE_H
#define QUEUE_H

#include "stand_in.h"

#define MAX_THINGS 256
#define DISABLE_TIMING 2u
#define INTERPROCESS 4u

struct stream;

struct event {
	bool is_made, is_recorded;
	unsigned int flags;
	/* Marks that were set and not reached yet, all on one stream. */
	int pending;
	struct stream *stream;
	double at;
};

/* One thing to do, when its turn has come. */
struct job {
	struct job *next;
	void (*run)(struct job *job);
	/* The device that was current when it was asked for. */
	int device;
	uint64_t to, from, bytes;
	unsigned char value;
	/* Bytes of the caller, kept until then; freed afterwards. */
	void *staged;
	float factor;
	uint64_t count, threads;
	struct event *event, *awaited;
};

struct stream {
	bool is_made;
	struct job *first, *last;
};

API int cuEventCreate(struct event **event, unsigned int flags);
/* Note something for a stream, NULL being the default one. */
int enqueue(struct stream *stream, struct job wanted);
/* Wait for a stream, or for everything. */
int finish_stream(struct stream *stream);
void finish_all(void);

#endif
