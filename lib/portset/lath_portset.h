/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * A set of free indexes 0..n-1 in two levels of bitmaps: the next free index at or after a start
 * is found by words, up to the last one. One owner, no lock; lives in the caller's memory.
 */
#pragma once

#include <lath_base.h>

#define LATH_PORTSET_MAX 65536u

struct lath_portset; /* stands at the front of the caller's memory */

/** Bytes for n <= LATH_PORTSET_MAX indexes: n / 8 and less than 160. @thread any */
size_t lath_portset_size(unsigned n);

/** Makes a set of n indexes, all free, in `memory` (lath_portset_size(n) bytes, aligned to 8).
 *  Borrows the memory; there is nothing to undo. @thread any
 */
struct lath_portset *lath_portset_init(void *memory, unsigned n);

/** The index that lath_portset_take() would return, left free. @thread any, one owner */
int lath_portset_peek(const struct lath_portset *set, uint32_t start);

/** Fetches what a search from `start` reads first. @thread any */
void lath_portset_prefetch(const struct lath_portset *set, uint32_t start);

/** Takes the first free index at or after `start` (modulo n), round the end if need be.
 *  @return the index or -ENOSPC. @thread any, one owner
 */
int lath_portset_take(struct lath_portset *set, uint32_t start);

/** Takes `idx` itself. @return 0, -EBUSY, or -EINVAL for idx >= n. @thread any, one owner */
int lath_portset_take_at(struct lath_portset *set, uint32_t idx);

/** Gives a taken index back. @thread any, one owner */
void lath_portset_put(struct lath_portset *set, uint32_t idx);

/** False for taken indexes and for those >= n. @thread any, one owner */
bool lath_portset_is_free(const struct lath_portset *set, uint32_t idx);

/** @thread any, one owner */
unsigned lath_portset_free_count(const struct lath_portset *set);
