/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * What every library stands on: byte order types, ticks, errors, thread roles, allocators and a
 * small random generator whose state the caller owns. Nothing here allocates, reads a clock or
 * keeps state, but for the per-thread role of debug builds.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LATH_CACHE_LINE 64u
#define LATH_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define LATH_ALIGNED(n) __attribute__((aligned(n)))
#define LATH_PACKED __attribute__((packed))
#define LATH_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

static inline uint32_t
lath_min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t
lath_max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* ---- byte order ------------------------------------------------------------------------- */

#ifdef __CHECKER__
#define LATH_BITWISE __attribute__((bitwise))
#define LATH_FORCE __attribute__((force))
#else
#define LATH_BITWISE
#define LATH_FORCE
#endif

typedef uint16_t LATH_BITWISE lath_be16_t;
typedef uint32_t LATH_BITWISE lath_be32_t;

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Lath is built and tested on little-endian machines only"
#endif

static inline lath_be16_t
lath_to_be16(uint16_t v)
{
	return (LATH_FORCE lath_be16_t)__builtin_bswap16(v);
}

static inline uint16_t
lath_from_be16(lath_be16_t v)
{
	return __builtin_bswap16((LATH_FORCE uint16_t)v);
}

static inline lath_be32_t
lath_to_be32(uint32_t v)
{
	return (LATH_FORCE lath_be32_t)__builtin_bswap32(v);
}

static inline uint32_t
lath_from_be32(lath_be32_t v)
{
	return __builtin_bswap32((LATH_FORCE uint32_t)v);
}

/* ---- time: always an argument ----------------------------------------------------------- */

/** Time since the process began, in ticks of LATH_TICK_MS. Wraps after 497 days: compare with
 *  lath_tick_reached() only, never with < or >.
 */
typedef uint32_t lath_tick_t;

#define LATH_TICK_MS 10u
#define LATH_TICKS_PER_SECOND (1000u / LATH_TICK_MS)

/** True when `now` is at or past `deadline` (distances up to 2^31 ticks, 248 days). */
static inline bool
lath_tick_reached(lath_tick_t now, lath_tick_t deadline)
{
	return (int32_t)(now - deadline) >= 0;
}

static inline lath_tick_t
lath_ticks_from_ms(uint32_t ms)
{
	return (ms + LATH_TICK_MS - 1) / LATH_TICK_MS;
}

static inline lath_tick_t
lath_ticks_from_seconds(uint32_t seconds)
{
	return seconds * LATH_TICKS_PER_SECOND;
}

/* ---- errors ----------------------------------------------------------------------------- */

/** `return lath_err(ENOSPC);` returns -ENOSPC and sets errno. */
static inline int
lath_err(int code)
{
	errno = code;
	return -code;
}

/** `return lath_null(ENOMEM);` returns NULL and sets errno. */
static inline void *
lath_null(int code)
{
	errno = code;
	return NULL;
}

/** Why a user's input was refused. `pointer` is a JSON pointer ("/services/3/port") or empty. */
struct lath_error {
	char file[256];
	unsigned line; /* 1..; 0: not known */
	char pointer[256];
	char text[512]; /* a full sentence: offending value and accepted range */
};

/**
 * Fills `err` (NULL is allowed) with a pointer and a sentence. The first error wins: a filled
 * `err` is left alone, so that a caller's context never hides the cause.
 * @thread any
 */
void lath_error_set(struct lath_error *err, const char *pointer, const char *fmt, ...)
		LATH_PRINTF(3, 4);

/** Writes "file:line: pointer: text" with what is known. Always terminates `out`. @thread any */
void lath_error_format(const struct lath_error *err, char *out, size_t len);

/** Edit distance of two words, letter case costing nothing; heads of 64 characters count. For "did
 *  you mean". @thread any
 */
unsigned lath_word_distance(const char *a, const char *b);

/* ---- thread roles ----------------------------------------------------------------------- */

enum lath_role {
	LATH_ROLE_NONE, /* tests and tools: every check passes */
	LATH_ROLE_INIT,
	LATH_ROLE_DP,
	LATH_ROLE_MGMT,
	LATH_ROLE_PROBE,
	LATH_ROLE_TEL,
	LATH_ROLE_COUNT,
};

/** Names the calling thread's role for LATH_ASSERT_ROLE. @thread any */
void lath_role_set(enum lath_role role);

/** Aborts with a message when the calling thread has a role and it is not `role`. @thread any */
void lath_role_check(enum lath_role role, const char *function);

#ifdef LATH_DEBUG_THREADS
#define LATH_ASSERT_ROLE(name) lath_role_check(LATH_ROLE_##name, __func__)
#else
#define LATH_ASSERT_ROLE(name) ((void)0)
#endif

/* ---- memory ----------------------------------------------------------------------------- */

/** Where a structure takes its memory: malloc in tests (ASAN sees it), huge pages or a NUMA node
 *  in the daemon. alloc() returns zeroed memory aligned to LATH_CACHE_LINE, or NULL.
 */
struct lath_allocator {
	void *(*alloc)(void *ctx, size_t size);
	void (*free)(void *ctx, void *memory, size_t size);
	void *ctx;
};

/** The C library's heap. @thread any */
extern const struct lath_allocator lath_heap;

/** Two keys of 16 bytes, in two compares and no call. @thread any */
static inline bool
lath_equal16(const void *key, const void *other)
{
	uint64_t a[2];
	uint64_t b[2];

	memcpy(a, key, sizeof(a));
	memcpy(b, other, sizeof(b));
	return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
}

/* ---- randomness: always an argument ------------------------------------------------------ */

/** SplitMix64 (Steele, Lea, Flood, OOPSLA 2014, section 4): good enough to spread, no secret. */
static inline uint64_t
lath_random_next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/** A number in 0..bound-1, bound > 0 (Lemire, "Fast random integer generation", 2019, 3). */
static inline uint32_t
lath_random_below(uint64_t *state, uint32_t bound)
{
	return (uint32_t)(((lath_random_next(state) >> 32) * bound) >> 32);
}
