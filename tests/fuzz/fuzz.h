/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * What every fuzz target starts with.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An invariant; the fuzzer keeps the input that breaks it. */
static inline void
must(bool holds)
{
	if (!holds)
		abort();
}

/* A copy on the heap that ends where the bytes end, so that ASAN sees one read too many. */
static inline uint8_t *
exact_copy(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	must(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}
