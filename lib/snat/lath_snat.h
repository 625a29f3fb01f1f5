/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * One worker's source ports. A *port pool* exists for each (target VPC, NAT address, protocol,
 * target address, target port) in use: mappings are endpoint-dependent (RFC 7857 section 3), so
 * one NAT address carries 64,512 flows to each target, shared out over the workers by class: a
 * worker gives out only ports whose reply it owns (lath_owner.h).
 *
 * A freed port rests: 60 s when the target sent the first FIN and sits in TIME_WAIT, 2 s else.
 * When a pool has nothing but resting ports, the one that rested longest is used.
 *
 * Everything is @thread dp of one worker but init/fini (init). No allocation after init.
 */
#pragma once

#include <lath_flow.h>
#include <lath_owner.h>

struct lath_portset;

/** What names a pool; 16 bytes. ICMP echo: target_port_be 0, identifiers in place of ports. An IPv6
 *  pool is named by the key of its replies with the port that is given out 0 (echo: both); here it
 *  has a digest of that.
 */
struct lath_snat_key {
	lath_be32_t target_be;
	lath_be32_t nat_be;
	lath_be16_t target_port_be;
	uint16_t is_v6;     /* 1: the addresses are a digest; callers leave it 0 */
	uint32_t proto_vpc; /* as in struct lath_key4, of the target's VPC */
};

enum lath_snat_rest {
	LATH_SNAT_REST_SHORT,
	LATH_SNAT_REST_TIME_WAIT,
	LATH_SNAT_REST_COUNT,
};

struct lath_snat_options {
	uint32_t max_pools;
	uint32_t max_bitmaps; /* pools that may have one: the busy ones */
	uint32_t max_resting;
	lath_tick_t rest_ticks[LATH_SNAT_REST_COUNT];
	uint64_t seed;
};

struct lath_snat_list {
	uint32_t first;
	uint32_t last;
};

/** One port that rests. */
struct lath_snat_rested {
	uint32_t pool;
	uint16_t port;
	uint16_t index; /* its place in a bitmap */
	uint8_t rest;   /* enum lath_snat_rest */
	uint8_t reserved[3];
	lath_tick_t freed;
	uint32_t next; /* in the worker's list of its kind, or in the free list */
	uint32_t prev;
	uint32_t pool_next; /* in its pool's list of its kind */
};

struct lath_snat_pool {
	struct lath_snat_key key;
	uint32_t next; /* of the hash chain, or of the free list */
	uint32_t live;
	uint32_t resting;
	uint32_t high_water;        /* most live at once */
	struct lath_portset *ports; /* NULL while small */
	struct lath_snat_list rested[LATH_SNAT_REST_COUNT];
	uint16_t rest_bucket; /* of the reply tuple with port 0 */
	uint16_t ahead;       /* where the next port is looked for */
	uint16_t after;       /* and the one after it */
	uint8_t reserved[2];
};

_Static_assert(sizeof(struct lath_snat_key) == 16, "hashed as two words");
_Static_assert(sizeof(struct lath_snat_pool) == 64, "one line a pool");

struct lath_snat {
	const struct lath_owner *owner;
	const struct lath_flow_table *flows; /* the truth about a port in use */
	uint32_t worker;
	uint32_t port_count; /* ports this worker may give out in any pool */
	struct lath_snat_options options;
	struct lath_snat_pool *pools;
	struct lath_key6 *replies6; /* by pool: the whole name of an IPv6 one */
	uint32_t *heads;
	uint32_t head_mask;
	uint32_t free_pool;
	uint32_t pool_count;
	uint8_t *bitmaps; /* max_bitmaps slabs */
	size_t bitmap_size;
	uint32_t *free_bitmaps; /* stack */
	uint32_t free_bitmap_count;
	struct lath_snat_rested *resting;
	uint32_t free_resting;
	uint32_t resting_count;
	struct lath_snat_list rested[LATH_SNAT_REST_COUNT];
	uint64_t random;
	uint64_t reused_early; /* counters, read by the pipeline */
	uint64_t small_pools;  /* a pool wanted a bitmap and there was none */
	const struct lath_allocator *allocator;
};

/** Sizes for so many flows. @thread any */
struct lath_snat_options lath_snat_options_for(const struct lath_owner *owner, uint32_t worker,
		uint32_t flows);

/** 0 or -ENOMEM. `owner` and `flows` are borrowed for life. @thread init */
int lath_snat_init(struct lath_snat *snat, const struct lath_owner *owner, uint32_t worker,
		const struct lath_flow_table *flows, const struct lath_snat_options *options,
		const struct lath_allocator *allocator);

/** Accepts a zeroed one. @thread init */
void lath_snat_fini(struct lath_snat *snat);

/** Bytes that lath_snat_init() takes. @thread any */
uint64_t lath_snat_memory(const struct lath_snat_options *options, const struct lath_owner *owner,
		uint32_t worker);

/** The pool of this key and how it is used now; NULL: none. */
const struct lath_snat_pool *lath_snat_find(const struct lath_snat *snat,
		const struct lath_snat_key *key);

/**
 * A port (host order) whose reply this worker owns and no flow has, and the pool that it is from
 * (borrowed until its last port is back). 0; -ENOSPC: no port left; -ENOMEM: no room for another
 * pool.
 */
int lath_snat_take(struct lath_snat *snat, const struct lath_snat_key *key, uint16_t *port,
		const struct lath_snat_pool **pool);

/** A port for the gateway's own probes, from 512..1023, which customers never get. 0 or -ENOSPC. */
int lath_snat_take_probe(struct lath_snat *snat, const struct lath_snat_key *key, uint16_t *port);

/** The flow of a port from lath_snat_take() ended: it rests from now. */
void lath_snat_put(struct lath_snat *snat, const struct lath_snat_key *key, uint16_t port,
		enum lath_snat_rest rest, lath_tick_t now);

/** Takes back a port that was never used: it is free at once. */
void lath_snat_cancel(struct lath_snat *snat, const struct lath_snat_key *key, uint16_t port);

/** The same for IPv6: `reply` is the key of the replies, its port that is given out 0 (echo: both). */
const struct lath_snat_pool *lath_snat_find6(const struct lath_snat *snat,
		const struct lath_key6 *reply);
int lath_snat_take6(struct lath_snat *snat, const struct lath_key6 *reply, uint16_t *port,
		const struct lath_snat_pool **pool);
int lath_snat_take_probe6(struct lath_snat *snat, const struct lath_key6 *reply, uint16_t *port);
void lath_snat_put6(struct lath_snat *snat, const struct lath_key6 *reply, uint16_t port,
		enum lath_snat_rest rest, lath_tick_t now);
void lath_snat_cancel6(struct lath_snat *snat, const struct lath_key6 *reply, uint16_t port);

/** Lets at most `max` ports of each kind go whose rest is over; call it every loop. */
void lath_snat_tick(struct lath_snat *snat, lath_tick_t now, unsigned max);

/** New resting times, for ports that rest already as well. */
void lath_snat_set_rest(struct lath_snat *snat, const lath_tick_t rest_ticks[LATH_SNAT_REST_COUNT]);
