/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Choosing a port: random (RFC 6056 section 3.3.1) among those whose reply this worker owns, so a
 * target cannot tell the next one. The flow table says whether a port is in use.
 */

#include <lath_portset.h>

#include "snat_private.h"

#define RANDOM_TRIES 8u
#define PROBE_PORT_FIRST 512u
#define PROBE_PORT_COUNT 512u

static struct lath_key4
reply_key(const struct lath_snat_key *key, uint16_t port)
{
	lath_be16_t port_be = lath_to_be16(port);
	bool echo = key->proto_vpc >> 24 == LATH_PROTO_ICMP;

	return (struct lath_key4){
			.src_be = key->target_be,
			.dst_be = key->nat_be,
			.src_port_be = echo ? port_be : key->target_port_be,
			.dst_port_be = port_be,
			.proto_vpc = key->proto_vpc,
	};
}

static struct lath_key6
reply_key6(const struct lath_key6 *reply, uint16_t port)
{
	struct lath_key6 key = *reply;

	key.dst_port_be = lath_to_be16(port);
	if (key.proto_vpc >> 24 == LATH_PROTO_ICMPV6)
		key.src_port_be = key.dst_port_be;
	return key;
}

static const struct lath_key6 *
name_of(const struct lath_snat *snat, const struct lath_snat_pool *pool)
{
	return &snat->replies6[pool - snat->pools];
}

static bool
is_free(const struct lath_snat *snat, const struct lath_snat_key *key, uint16_t port)
{
	struct lath_key4 reply = reply_key(key, port);

	return lath_flow_find4(snat->flows, &reply, lath_flow_hash4(snat->flows, &reply)) ==
			LATH_FLOW_NONE;
}

static bool
is_free6(const struct lath_snat *snat, const struct lath_key6 *name, uint16_t port)
{
	struct lath_key6 reply = reply_key6(name, port);

	return lath_flow_find6(snat->flows, &reply, lath_flow_hash6(snat->flows, &reply)) ==
			LATH_FLOW_NONE;
}

bool
lath_snat_port_is_free(const struct lath_snat *snat, const struct lath_snat_pool *pool,
		uint16_t port)
{
	return pool->key.is_v6 != 0 ? is_free6(snat, name_of(snat, pool), port)
				    : is_free(snat, &pool->key, port);
}

static uint64_t
hash_of(const struct lath_snat *snat, const struct lath_snat_pool *pool, uint16_t port)
{
	struct lath_key4 reply;
	struct lath_key6 reply6;

	if (pool->key.is_v6 != 0) {
		reply6 = reply_key6(name_of(snat, pool), port);
		return lath_flow_hash6(snat->flows, &reply6);
	}
	reply = reply_key(&pool->key, port);
	return lath_flow_hash4(snat->flows, &reply);
}

/* Two steps ahead: finds the port that the pool's next flow will most likely get and fetches the
 * bucket line that will tell whether it is free; draws where the one after is looked for and fetches
 * what that search reads. So each line is there when its turn comes.
 */
static void
look_ahead(struct lath_snat *snat, struct lath_snat_pool *pool)
{
	int index;

	pool->ahead = pool->after;
	pool->after = (uint16_t)lath_random_below(&snat->random, snat->port_count);
	lath_owner_port_prefetch(snat->owner,
			pool->key.is_v6 != 0 ? LATH_FAMILY_IPV6 : LATH_FAMILY_IPV4, snat->worker,
			pool->rest_bucket, pool->after);
	if (pool->ports != NULL)
		lath_portset_prefetch(pool->ports, pool->after);
	index = pool->ports == NULL ? pool->ahead : lath_portset_peek(pool->ports, pool->ahead);
	if (index < 0)
		return;
	__builtin_prefetch(lath_flow_bucket_of(snat->flows,
					   hash_of(snat, pool,
							   lath_snat_port_at(snat, pool,
									   (uint32_t)index))),
			1);
}

static int
take_random(struct lath_snat *snat, const struct lath_snat_pool *pool, uint16_t *port)
{
	uint32_t index = pool->ahead;

	for (unsigned try = 0; try < RANDOM_TRIES; try++) {
		*port = lath_snat_port_at(snat, pool, index);
		if (!lath_snat_rest_holds(snat, pool, *port) &&
				lath_snat_port_is_free(snat, pool, *port))
			return 0;
		index = lath_random_below(&snat->random, snat->port_count);
	}
	return lath_err(ENOSPC);
}

static int
take_bit(struct lath_snat *snat, struct lath_snat_pool *pool, uint16_t *port)
{
	/* A drawn port may be in use since before the bitmap: at most SNAT_SMALL_MAX are (more if
	 * the slab was full for a while); its bit stays set, so each is met once.
	 */
	uint32_t start = pool->ahead;

	for (uint32_t try = 0; try < snat->port_count; try++) {
		int index = lath_portset_take(pool->ports, start);

		if (index < 0)
			return index;
		*port = lath_snat_port_at(snat, pool, (uint32_t)index);
		if (lath_snat_port_is_free(snat, pool, *port))
			return 0;
		start = lath_random_below(&snat->random, snat->port_count);
	}
	return lath_err(ENOSPC);
}

/* A port of the pool, SNAT_END: there was no room for it. */
static int
take_from(struct lath_snat *snat, uint32_t idx, uint16_t *port, const struct lath_snat_pool **from)
{
	struct lath_snat_pool *pool;
	int rc;

	if (idx == SNAT_END)
		return lath_err(ENOMEM);
	pool = &snat->pools[idx];
	if (pool->ports == NULL && pool->live + pool->resting >= SNAT_SMALL_MAX)
		lath_snat_pool_grow(snat, pool);
	rc = pool->ports == NULL ? take_random(snat, pool, port) : take_bit(snat, pool, port);
	if (rc != 0)
		rc = lath_snat_rest_take_oldest(snat, pool, port);
	if (rc != 0) {
		lath_snat_pool_release(snat, idx);
		return rc;
	}
	look_ahead(snat, pool);
	pool->live++;
	pool->high_water = lath_max_u32(pool->high_water, pool->live);
	*from = pool;
	return 0;
}

int
lath_snat_take(struct lath_snat *snat, const struct lath_snat_key *key, uint16_t *port,
		const struct lath_snat_pool **from)
{
	if (snat->port_count == 0)
		return lath_err(ENOSPC);
	return take_from(snat, lath_snat_pool_get(snat, key), port, from);
}

int
lath_snat_take6(struct lath_snat *snat, const struct lath_key6 *reply, uint16_t *port,
		const struct lath_snat_pool **from)
{
	if (snat->port_count == 0)
		return lath_err(ENOSPC);
	return take_from(snat, lath_snat_pool_get6(snat, reply), port, from);
}

/* The probe port that is tried next. An odd stride meets each of the 2^9 ports once, so the last free
 * one is found as well.
 */
static uint16_t
next_probe_port(uint32_t *at, uint32_t stride)
{
	uint16_t port = (uint16_t)(PROBE_PORT_FIRST + *at % PROBE_PORT_COUNT);

	*at += stride;
	return port;
}

int
lath_snat_take_probe(struct lath_snat *snat, const struct lath_snat_key *key, uint16_t *port)
{
	uint32_t at = lath_random_below(&snat->random, PROBE_PORT_COUNT);
	uint32_t stride = lath_random_below(&snat->random, PROBE_PORT_COUNT) | 1;

	for (unsigned try = 0; try < PROBE_PORT_COUNT; try++) {
		*port = next_probe_port(&at, stride);
		if (lath_owner_of_v4(snat->owner, key->target_be, key->nat_be, key->target_port_be,
				    lath_to_be16(*port)) == snat->worker &&
				is_free(snat, key, *port))
			return 0;
	}
	return lath_err(ENOSPC);
}

int
lath_snat_take_probe6(struct lath_snat *snat, const struct lath_key6 *reply, uint16_t *port)
{
	uint32_t at = lath_random_below(&snat->random, PROBE_PORT_COUNT);
	uint32_t stride = lath_random_below(&snat->random, PROBE_PORT_COUNT) | 1;

	for (unsigned try = 0; try < PROBE_PORT_COUNT; try++) {
		*port = next_probe_port(&at, stride);
		if (lath_owner_of_v6(snat->owner, reply->src, reply->dst, reply->src_port_be,
				    lath_to_be16(*port)) == snat->worker &&
				is_free6(snat, reply, *port))
			return 0;
	}
	return lath_err(ENOSPC);
}

static void
put_into(struct lath_snat *snat, uint32_t idx, uint16_t port, enum lath_snat_rest rest,
		lath_tick_t now)
{
	if (idx == SNAT_END)
		return;
	snat->pools[idx].live--;
	lath_snat_rest_begin(snat, idx, port, rest, now);
}

void
lath_snat_put(struct lath_snat *snat, const struct lath_snat_key *key, uint16_t port,
		enum lath_snat_rest rest, lath_tick_t now)
{
	put_into(snat, lath_snat_pool_find(snat, key), port, rest, now);
}

void
lath_snat_put6(struct lath_snat *snat, const struct lath_key6 *reply, uint16_t port,
		enum lath_snat_rest rest, lath_tick_t now)
{
	put_into(snat, lath_snat_pool_find6(snat, reply), port, rest, now);
}

static void
cancel_in(struct lath_snat *snat, uint32_t idx, uint16_t port)
{
	if (idx == SNAT_END)
		return;
	snat->pools[idx].live--;
	lath_snat_pool_clear(&snat->pools[idx],
			lath_snat_port_index(snat, &snat->pools[idx], port));
	lath_snat_pool_release(snat, idx);
}

void
lath_snat_cancel(struct lath_snat *snat, const struct lath_snat_key *key, uint16_t port)
{
	cancel_in(snat, lath_snat_pool_find(snat, key), port);
}

void
lath_snat_cancel6(struct lath_snat *snat, const struct lath_key6 *reply, uint16_t port)
{
	cancel_in(snat, lath_snat_pool_find6(snat, reply), port);
}
