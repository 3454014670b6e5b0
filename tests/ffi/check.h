/* What the tests in C share. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(claim)                                                        \
	do {                                                                \
		if (!(claim)) {                                             \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__,  \
				__LINE__, #claim);                          \
			exit(1);                                            \
		}                                                           \
	} while (0)

#define MIB (1ull << 20)

/* An emulator of another processor has neither filters nor mappings that are filled at once. */
#ifndef IS_EMULATED
#define IS_EMULATED 0
#endif

#endif
