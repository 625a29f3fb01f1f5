/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What the files of this folder share. */
#pragma once

#include "lath_snat.h"

#define SNAT_END UINT32_MAX
#define SNAT_SMALL_MAX 64u /* ports in use or resting up to which a pool needs no bitmap */

/* pool.c */
uint32_t lath_snat_pool_find(const struct lath_snat *snat, const struct lath_snat_key *key);
uint32_t lath_snat_pool_get(struct lath_snat *snat, const struct lath_snat_key *key);
uint32_t lath_snat_pool_find6(const struct lath_snat *snat, const struct lath_key6 *reply);
uint32_t lath_snat_pool_get6(struct lath_snat *snat, const struct lath_key6 *reply);
void lath_snat_pool_release(struct lath_snat *snat, uint32_t idx); /* when nothing is in it */
bool lath_snat_pool_grow(struct lath_snat *snat, struct lath_snat_pool *pool);

/* A port of the pool and its place in the pool's bitmap. */
uint16_t lath_snat_port_at(const struct lath_snat *snat, const struct lath_snat_pool *pool,
		uint32_t index);
uint32_t lath_snat_port_index(const struct lath_snat *snat, const struct lath_snat_pool *pool,
		uint16_t port);

/* The bit of a port that rests, and of one that is free again; by its place in the bitmap. */
void lath_snat_pool_mark(struct lath_snat_pool *pool, uint32_t index);
void lath_snat_pool_clear(struct lath_snat_pool *pool, uint32_t index);

/* take.c: no flow has this reply of the pool. */
bool lath_snat_port_is_free(const struct lath_snat *snat, const struct lath_snat_pool *pool,
		uint16_t port);

/* rest.c */
void lath_snat_rest_begin(struct lath_snat *snat, uint32_t pool_idx, uint16_t port,
		enum lath_snat_rest rest, lath_tick_t now);
bool lath_snat_rest_holds(const struct lath_snat *snat, const struct lath_snat_pool *pool,
		uint16_t port);
int lath_snat_rest_take_oldest(struct lath_snat *snat, struct lath_snat_pool *pool, uint16_t *port);
