/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lath_base.h"

void
lath_error_set(struct lath_error *err, const char *pointer, const char *fmt, ...)
{
	va_list args;

	if (err == NULL || err->text[0] != '\0')
		return;
	snprintf(err->pointer, sizeof(err->pointer), "%s", pointer);
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
}

void
lath_error_format(const struct lath_error *err, char *out, size_t len)
{
	char place[300] = "";

	if (err->file[0] != '\0' && err->line != 0)
		snprintf(place, sizeof(place), "%s:%u: ", err->file, err->line);
	else if (err->file[0] != '\0')
		snprintf(place, sizeof(place), "%s: ", err->file);
	snprintf(out, len, "%s%s%s%s", place, err->pointer, err->pointer[0] != '\0' ? ": " : "",
			err->text);
}

static void *
heap_alloc(void *ctx, size_t size)
{
	size_t rounded = (size + LATH_CACHE_LINE - 1) & ~(size_t)(LATH_CACHE_LINE - 1);
	void *memory = aligned_alloc(LATH_CACHE_LINE, rounded);

	(void)ctx;
	if (memory != NULL)
		memset(memory, 0, rounded);
	return memory;
}

static void
heap_free(void *ctx, void *memory, size_t size)
{
	(void)ctx;
	(void)size;
	free(memory);
}

const struct lath_allocator lath_heap = {.alloc = heap_alloc, .free = heap_free};
