/*
 * What cordon-exec and the executable's launcher do with text: both have no C library.
 */
#ifndef CORDON_KERNEL_TEXT_H
#define CORDON_KERNEL_TEXT_H

#include "cordon_exec_kernel.h"

static size_t length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

/* The rest of text behind prefix, or NULL. */
static const char *after(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return NULL;
	return text;
}

/* On standard error. */
static void print(const char *text)
{
	kernel_call(NR_WRITE, 2, (long)text, (long)length(text), 0, 0);
}

#endif
