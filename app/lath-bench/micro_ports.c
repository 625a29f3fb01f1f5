/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Source ports up to the last one: the bitmap alone (portset), and a worker's pools with the flow
 * table that they look into (snat). A port is taken and given back at once, so that a row's fill
 * stays what it says.
 */

#include <lath_portset.h>
#include <lath_snat.h>

#include "micro.h"

#define PORTS 64512u /* of a pool, one worker */
#define ALL_FREE 0u
#define LAST_ONE (PORTS - 1)

/* How many ports are taken. */
static const struct fill {
	const char *name;
	uint32_t taken;
} fills[] = {
		{"0 % full", ALL_FREE},
		{"50 % full", PORTS / 2},
		{"90 % full", PORTS / 10 * 9},
		{"99 % full", PORTS / 100 * 99},
		{"1 port left", LAST_ONE},
		{"0 left, fails", PORTS},
};

/* ---- portset ---------------------------------------------------------------------------------- */

#define SETS 256u /* 2 MiB, for cold ones */
#define OPERATIONS 1024u

struct sets {
	struct micro *micro;
	uint8_t *memory;
	size_t stride;
	uint32_t taken;
};

static struct lath_portset *
set_at(const struct sets *sets, uint32_t idx)
{
	return (void *)(sets->memory + idx * sets->stride);
}

static inline void
take_and_put(struct sets *sets, struct lath_portset *set)
{
	int idx = lath_portset_take(set, lath_random_below(&sets->micro->random, PORTS));

	if (idx >= 0)
		lath_portset_put(set, (uint32_t)idx);
	if ((idx >= 0) != (sets->taken < PORTS))
		rig_die("portset: a port was there, or none, against what was taken");
}

/* One set over and over. */
static uint64_t
lap_warm(void *ctx)
{
	struct sets *sets = ctx;

	for (unsigned i = 0; i < OPERATIONS; i++)
		take_and_put(sets, set_at(sets, 0));
	return OPERATIONS;
}

static void
prepare_cold(void *ctx)
{
	struct sets *sets = ctx;

	micro_flush(sets->memory, SETS * sets->stride);
}

/* Each set once. */
static uint64_t
lap_cold(void *ctx)
{
	struct sets *sets = ctx;

	for (unsigned i = 0; i < SETS; i++)
		take_and_put(sets, set_at(sets, i));
	return SETS;
}

static void
fill_sets(struct sets *sets)
{
	for (unsigned i = 0; i < SETS; i++) {
		struct lath_portset *set = lath_portset_init(set_at(sets, i), PORTS);

		for (uint32_t j = 0; j < sets->taken; j++)
			lath_portset_take(set, lath_random_below(&sets->micro->random, PORTS));
	}
}

static void
run_portset(struct micro *micro)
{
	const size_t stride = (lath_portset_size(PORTS) + 63) & ~(size_t)63;
	struct sets sets[LATH_ARRAY_SIZE(fills)];
	struct micro_case cases[2 * LATH_ARRAY_SIZE(fills)];
	unsigned count = 0;

	for (unsigned i = 0; i < LATH_ARRAY_SIZE(fills); i++) {
		sets[i] = (struct sets){
				micro, micro_alloc(micro, SETS * stride), stride, fills[i].taken};
		fill_sets(&sets[i]);
	}
	for (unsigned i = 0; i < 2 * LATH_ARRAY_SIZE(fills); i++) {
		bool cold = i >= LATH_ARRAY_SIZE(fills);
		struct micro_case *one = &cases[count];

		*one = (struct micro_case){
				.variant = cold ? "take, put; cold" : "take, put",
				.unit = "port",
				.prepare = cold ? prepare_cold : NULL,
				.lap = cold ? lap_cold : lap_warm,
				.ctx = &sets[i % LATH_ARRAY_SIZE(fills)],
		};
		snprintf(one->condition, sizeof(one->condition), "%s",
				fills[i % LATH_ARRAY_SIZE(fills)].name);
		count += !cold || micro_flush(NULL, 0);
	}
	micro_measure(micro, cases, count);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(fills); i++)
		micro_free(micro, sets[i].memory, SETS * stride);
}

const struct micro_test micro_portset_test = {
		"portset", "a port from the bitmap and back, up to the last one", run_portset};

/* ---- snat ------------------------------------------------------------------------------------- */

#define POOLS 16u      /* visited in turn: a million flows when full, so look-ups are cold */
#define POOL_SMALL 64u /* lib/snat: up to here a pool needs no bitmap */
#define GROWING 64u

struct pools {
	struct micro *micro;
	struct lath_owner owner;
	struct lath_flow_table flows;
	struct lath_snat snat;
	uint32_t taken; /* of each pool */
	uint32_t serial;
	lath_tick_t now;
	uint16_t ports[GROWING][POOL_SMALL + 1];
	bool grown;
};

static struct lath_snat_key
pool_key(uint32_t number)
{
	return (struct lath_snat_key){
			.target_be = lath_to_be32(0x0a000005 + number),
			.nat_be = lath_to_be32(0x0afe0001),
			.target_port_be = lath_to_be16(8080),
			.proto_vpc = lath_key_proto_vpc(LATH_PROTO_TCP, 2),
	};
}

static int
take(struct pools *pools, const struct lath_snat_key *key, uint16_t *port)
{
	const struct lath_snat_pool *pool;

	return lath_snat_take(&pools->snat, key, port, &pool);
}

/* A flow that holds the port: the flow table is the truth. */
static void
add_flow(struct pools *pools, const struct lath_snat_key *key, uint16_t port)
{
	lath_flow_ref_t ref = lath_flow_alloc(&pools->flows, LATH_FLOW_POOL_IPV4);
	struct lath_flow4 *flow;

	if (ref == LATH_FLOW_NONE)
		rig_die("snat: the flow table is full");
	flow = lath_flow4_at(&pools->flows, ref);
	flow->half[LATH_FLOW_FORWARD].key = (struct lath_key4){
			.src_be = lath_to_be32(0x0b000000 + pools->serial++),
			.dst_be = lath_to_be32(0xc612000a),
			.src_port_be = lath_to_be16(1024),
			.dst_port_be = lath_to_be16(80),
			.proto_vpc = lath_key_proto_vpc(LATH_PROTO_TCP, 1),
	};
	flow->half[LATH_FLOW_REVERSE].key = (struct lath_key4){
			.src_be = key->target_be,
			.dst_be = key->nat_be,
			.src_port_be = key->target_port_be,
			.dst_port_be = lath_to_be16(port),
			.proto_vpc = key->proto_vpc,
	};
	if (lath_flow_insert(&pools->flows, ref, LATH_FLOW_CLASS_LIVE, 0, 1000) != 0)
		rig_die("snat: port %u was given out twice", port);
}

static void
fill_pools(struct pools *pools, uint32_t taken)
{
	for (; pools->taken < taken; pools->taken++)
		for (unsigned i = 0; i < POOLS; i++) {
			struct lath_snat_key key = pool_key(i);
			uint16_t port;

			if (take(pools, &key, &port) != 0)
				rig_die("snat: no port after %u of %u", pools->taken, PORTS);
			add_flow(pools, &key, port);
		}
}

/* As for a flow that opens and ends; its rest is over with the next one. */
static uint64_t
lap_snat(void *ctx)
{
	struct pools *pools = ctx;

	for (unsigned i = 0; i < OPERATIONS; i++) {
		struct lath_snat_key key = pool_key(i % POOLS);
		uint16_t port;
		int rc = take(pools, &key, &port);

		if (rc == 0)
			lath_snat_put(&pools->snat, &key, port, LATH_SNAT_REST_SHORT, pools->now);
		if ((rc == 0) != (pools->taken < PORTS))
			rig_die("snat: a port was there, or none, against what was taken");
		lath_snat_tick(&pools->snat, ++pools->now, 64);
	}
	return OPERATIONS;
}

/* Empties the growing pools and takes all ports that a small one gives. */
static void
prepare_growth(void *ctx)
{
	struct pools *pools = ctx;

	for (unsigned i = 0; i < GROWING; i++) {
		struct lath_snat_key key = pool_key(1000 + i);

		for (unsigned j = 0; pools->grown && j <= POOL_SMALL; j++)
			lath_snat_cancel(&pools->snat, &key, pools->ports[i][j]);
		for (unsigned j = 0; j < POOL_SMALL; j++)
			if (take(pools, &key, &pools->ports[i][j]) != 0)
				rig_die("snat: a small pool has no port");
	}
}

static uint64_t
lap_growth(void *ctx)
{
	struct pools *pools = ctx;

	for (unsigned i = 0; i < GROWING; i++) {
		struct lath_snat_key key = pool_key(1000 + i);

		if (take(pools, &key, &pools->ports[i][POOL_SMALL]) != 0)
			rig_die("snat: a pool that grows has no port");
	}
	pools->grown = true;
	return GROWING;
}

static void
open_pools(struct pools *pools, struct micro *micro)
{
	const uint32_t capacity[LATH_FLOW_POOL_COUNT] = {POOLS * PORTS, 0};
	struct lath_siphash_key secret = {lath_random_next(&micro->random), 2};
	struct lath_snat_options options;

	pools->micro = micro;
	if (lath_owner_init(&pools->owner, 7, 1, &micro->random) != 0 ||
			lath_flow_init(&pools->flows, capacity, secret, 0, 0, &micro->allocator) !=
					0)
		rig_die("snat: no memory for flows");
	options = lath_snat_options_for(&pools->owner, 0, POOLS * PORTS);
	options.max_bitmaps = POOLS + GROWING;
	options.rest_ticks[LATH_SNAT_REST_SHORT] = 1;
	options.rest_ticks[LATH_SNAT_REST_TIME_WAIT] = 1;
	options.seed = lath_random_next(&micro->random);
	if (lath_snat_init(&pools->snat, &pools->owner, 0, &pools->flows, &options,
			    &micro->allocator) != 0)
		rig_die("snat: no memory for pools");
	if (pools->snat.port_count != PORTS)
		rig_die("snat: a pool has %u ports", pools->snat.port_count);
}

static void
run_snat(struct micro *micro)
{
	static const struct fill steps[] = {
			{"empty", 0},
			{"32 ports taken", POOL_SMALL / 2},
			{"50 % full", PORTS / 2},
			{"90 % full", PORTS / 10 * 9},
			{"99 % full", PORTS / 100 * 99},
			{"1 port left", LAST_ONE},
			{"0 left, fails", PORTS},
	};
	struct pools *pools = micro_alloc(micro, sizeof(*pools));
	struct micro_case one = {.variant = "a pool gets its bitmap",
			.unit = "pool",
			.prepare = prepare_growth,
			.lap = lap_growth,
			.ctx = pools};

	open_pools(pools, micro);
	snprintf(one.condition, sizeof(one.condition), "%u ports taken", POOL_SMALL);
	micro_measure(micro, &one, 1);
	one = (struct micro_case){.variant = "take, put, rest",
			.unit = "port",
			.lap = lap_snat,
			.ctx = pools};
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(steps); i++) {
		fill_pools(pools, steps[i].taken);
		snprintf(one.condition, sizeof(one.condition), "%s", steps[i].name);
		micro_measure(micro, &one, 1);
	}
	lath_snat_fini(&pools->snat);
	lath_flow_fini(&pools->flows);
	micro_free(micro, pools, sizeof(*pools));
}

const struct micro_test micro_snat_test = {
		"snat", "a source port and back: 16 pools in turn, up to the last port", run_snat};
