/*
 * Work of the stand-in is late on purpose: a stream only notes what it is to
 * do, and does it when somebody waits for it. So whoever looks at results
 * without waiting sees that they are not there.
 */
#define _GNU_SOURCE
#include "queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static struct stream streams[MAX_THINGS], default_streams[8];
static struct event events[MAX_THINGS];
static pthread_mutex_t queue_mutex = PTHREAD_MUTEX_INITIALIZER;

static bool is_stream(const struct stream *stream)
{
	return stream == NULL ||
	       (stream >= streams && stream < streams + MAX_THINGS && stream->is_made);
}

static bool is_event(const struct event *event)
{
	return event >= events && event < events + MAX_THINGS && event->is_made;
}

static struct stream *own_stream(struct stream *stream)
{
	return stream == NULL ? &default_streams[current_device()] : stream;
}

int enqueue(struct stream *stream, struct job wanted)
{
	struct job *job;
	int result = usable();

	if (result != OK)
		return result;
	if (!is_stream(stream))
		return INVALID_HANDLE;
	job = malloc(sizeof(*job));
	if (job == NULL)
		return OUT_OF_MEMORY;
	*job = wanted;
	job->next = NULL;
	stream = own_stream(stream);
	job->device = current_device();
	pthread_mutex_lock(&queue_mutex);
	if (stream->last == NULL)
		stream->first = job;
	else
		stream->last->next = job;
	stream->last = job;
	pthread_mutex_unlock(&queue_mutex);
	return OK;
}

/* Called with the mutex held: the first thing that a stream is to do, done. */
static bool advance(struct stream *stream)
{
	struct job *job = stream->first;

	if (job == NULL)
		return false;
	stream->first = job->next;
	if (stream->first == NULL)
		stream->last = NULL;
	/* What it waits for comes first; an event without work before it is not waited for. */
	if (job->awaited != NULL)
		while (job->awaited->pending > 0 && advance(job->awaited->stream))
			;
	job->run(job);
	free(job->staged);
	free(job);
	return true;
}

static void finish(struct stream *stream)
{
	pthread_mutex_lock(&queue_mutex);
	while (advance(stream))
		;
	pthread_mutex_unlock(&queue_mutex);
}

int finish_stream(struct stream *stream)
{
	int result = usable();

	if (result != OK)
		return result;
	if (!is_stream(stream))
		return INVALID_HANDLE;
	finish(own_stream(stream));
	return usable();
}

void finish_all(void)
{
	for (int i = 0; i < MAX_THINGS; i++)
		finish(&streams[i]);
	for (int i = 0; i < 8; i++)
		finish(&default_streams[i]);
}

API int cuCtxSynchronize(void)
{
	int result = usable();

	if (result != OK)
		return result;
	finish_all();
	return usable();
}

API int cuStreamCreate(struct stream **stream, unsigned int flags)
{
	int result = usable();

	if (result != OK)
		return result;
	if (flags > 1)
		return INVALID_VALUE;
	for (int i = 0; i < MAX_THINGS; i++) {
		if (streams[i].is_made || streams[i].first != NULL)
			continue;
		streams[i].is_made = true;
		*stream = &streams[i];
		return OK;
	}
	return OUT_OF_MEMORY;
}

/* What was started is still done. */
API int cuStreamDestroy_v2(struct stream *stream)
{
	if (stream == NULL || !is_stream(stream))
		return INVALID_HANDLE;
	stream->is_made = false;
	return OK;
}

API int cuStreamSynchronize(struct stream *stream)
{
	return finish_stream(stream);
}

static void nothing(struct job *job)
{
	(void)job;
}

API int cuStreamWaitEvent(struct stream *stream, struct event *event, unsigned int flags)
{
	if (!is_event(event) || flags != 0)
		return INVALID_HANDLE;
	return enqueue(stream, (struct job){ .run = nothing, .awaited = event });
}

API int cuEventCreate(struct event **event, unsigned int flags)
{
	int result = usable();

	if (result != OK)
		return result;
	/* What other processes see measures no time. */
	if (flags > 7 || ((flags & INTERPROCESS) != 0 && (flags & DISABLE_TIMING) == 0))
		return INVALID_VALUE;
	for (int i = 0; i < MAX_THINGS; i++) {
		if (events[i].is_made || events[i].pending > 0)
			continue;
		events[i] = (struct event){ .is_made = true, .flags = flags };
		*event = &events[i];
		return OK;
	}
	return OUT_OF_MEMORY;
}

API int cuEventDestroy_v2(struct event *event)
{
	if (!is_event(event))
		return INVALID_HANDLE;
	event->is_made = false;
	return OK;
}

static void reach(struct job *job)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	job->event->at = (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
	job->event->is_recorded = true;
	job->event->pending--;
}

API int cuEventRecord(struct event *event, struct stream *stream)
{
	int result;

	if (!is_event(event) || !is_stream(stream))
		return INVALID_HANDLE;
	result = usable();
	if (result != OK)
		return result;
	event->stream = own_stream(stream);
	event->pending++;
	return enqueue(stream, (struct job){ .run = reach, .event = event });
}

API int cuEventSynchronize(struct event *event)
{
	if (!is_event(event))
		return INVALID_HANDLE;
	pthread_mutex_lock(&queue_mutex);
	while (event->pending > 0 && advance(event->stream))
		;
	pthread_mutex_unlock(&queue_mutex);
	return usable();
}

/* Each look lets the device do one thing more. */
API int cuEventQuery(struct event *event)
{
	bool is_over;

	if (!is_event(event))
		return INVALID_HANDLE;
	is_over = event->pending == 0;
	pthread_mutex_lock(&queue_mutex);
	if (!is_over)
		advance(event->stream);
	pthread_mutex_unlock(&queue_mutex);
	return is_over ? usable() : NOT_READY;
}

API int cuEventElapsedTime(float *milliseconds, struct event *from, struct event *to)
{
	if (!is_event(from) || !is_event(to) || ((from->flags | to->flags) & DISABLE_TIMING) != 0)
		return INVALID_HANDLE;
	if (from->pending > 0 || to->pending > 0)
		return NOT_READY;
	if (!from->is_recorded || !to->is_recorded)
		return INVALID_HANDLE;
	*milliseconds = (float)(to->at - from->at);
	return OK;
}
