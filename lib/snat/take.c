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

bool
lath_snat_reply_is_free(const struct lath_snat *snat, const struct lath_snat_key *key,
		uint16_t port)
{
	struct lath_key4 reply = reply_key(key, port);

	return lath_flow_find4(snat->flows, &reply, lath_flow_hash4(snat->flows, &reply)) ==
			LATH_FLOW_NONE;
}

/* Two steps ahead: finds the port that the pool's next flow will most likely get and fetches the
 * bucket line that will tell whether it is free; draws where the one after is looked for and fetches
 * what that search reads. So each line is there when its turn comes.
 */
static void
look_ahead(struct lath_snat *snat, struct lath_snat_pool *pool)
{
	struct lath_key4 reply;
	int index;

	pool->ahead = pool->after;
	pool->after = (uint16_t)lath_random_below(&snat->random, snat->port_count);
	lath_owner_port_prefetch(snat->owner, LATH_FAMILY_IPV4, snat->worker, pool->rest_bucket,
			pool->after);
	if (pool->ports != NULL)
		lath_portset_prefetch(pool->ports, pool->after);
	index = pool->ports == NULL ? pool->ahead : lath_portset_peek(pool->ports, pool->ahead);
	if (index < 0)
		return;
	reply = reply_key(&pool->key, lath_snat_port_at(snat, pool, (uint32_t)index));
	__builtin_prefetch(lath_flow_bucket_of(snat->flows, lath_flow_hash4(snat->flows, &reply)),
			1);
}

static int
take_random(struct lath_snat *snat, const struct lath_snat_pool *pool, uint16_t *port)
{
	uint32_t index = pool->ahead;

	for (unsigned try = 0; try < RANDOM_TRIES; try++) {
		*port = lath_snat_port_at(snat, pool, index);
		if (!lath_snat_rest_holds(snat, pool, *port) &&
				lath_snat_reply_is_free(snat, &pool->key, *port))
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
		if (lath_snat_reply_is_free(snat, &pool->key, *port))
			return 0;
		start = lath_random_below(&snat->random, snat->port_count);
	}
	return lath_err(ENOSPC);
}

int
lath_snat_take(struct lath_snat *snat, const struct lath_snat_key *key, uint16_t *port,
		const struct lath_snat_pool **from)
{
	struct lath_snat_pool *pool;
	uint32_t idx;
	int rc;

	if (snat->port_count == 0)
		return lath_err(ENOSPC);
	idx = lath_snat_pool_get(snat, key);
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
lath_snat_take_probe(struct lath_snat *snat, const struct lath_snat_key *key, uint16_t *port)
{
	/* An odd stride meets each of the 2^9 ports once, so the last free one is found as well. */
	uint32_t at = lath_random_below(&snat->random, PROBE_PORT_COUNT);
	uint32_t stride = lath_random_below(&snat->random, PROBE_PORT_COUNT) | 1;

	for (unsigned try = 0; try < PROBE_PORT_COUNT; try++, at += stride) {
		*port = (uint16_t)(PROBE_PORT_FIRST + at % PROBE_PORT_COUNT);
		if (lath_owner_of_v4(snat->owner, key->target_be, key->nat_be, key->target_port_be,
				    lath_to_be16(*port)) == snat->worker &&
				lath_snat_reply_is_free(snat, key, *port))
			return 0;
	}
	return lath_err(ENOSPC);
}

void
lath_snat_put(struct lath_snat *snat, const struct lath_snat_key *key, uint16_t port,
		enum lath_snat_rest rest, lath_tick_t now)
{
	uint32_t idx = lath_snat_pool_find(snat, key);

	if (idx == SNAT_END)
		return;
	snat->pools[idx].live--;
	lath_snat_rest_begin(snat, idx, port, rest, now);
}

void
lath_snat_cancel(struct lath_snat *snat, const struct lath_snat_key *key, uint16_t port)
{
	uint32_t idx = lath_snat_pool_find(snat, key);

	if (idx == SNAT_END)
		return;
	snat->pools[idx].live--;
	lath_snat_pool_clear(&snat->pools[idx],
			lath_snat_port_index(snat, &snat->pools[idx], port));
	lath_snat_pool_release(snat, idx);
}
