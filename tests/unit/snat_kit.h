/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * A worker's source ports with the flow table they look into, and flows that hold ports.
 */
#pragma once

#include <lath_snat.h>

#include "flow_kit.h"

#define KIT_SHORT 200u
#define KIT_TIME_WAIT 6000u

struct snat_kit {
	struct lath_owner owner;
	struct lath_flow_table flows;
	struct lath_snat snat;
	uint32_t serial; /* of the flows, so that their forward keys differ */
	uint32_t worker;
};

/* What a worker of `workers` has for `flows` flows. */
static inline struct lath_snat_options
kit_options(struct snat_kit *kit, unsigned workers, uint32_t worker, uint32_t flows)
{
	uint64_t random = 20261;
	struct lath_snat_options options;

	assert_int_equal(lath_owner_init(&kit->owner, 7, workers, &random), 0);
	kit->worker = worker;
	options = lath_snat_options_for(&kit->owner, worker, flows);
	options.rest_ticks[LATH_SNAT_REST_SHORT] = KIT_SHORT;
	options.rest_ticks[LATH_SNAT_REST_TIME_WAIT] = KIT_TIME_WAIT;
	options.seed = 99;
	return options;
}

static inline void
kit_open(struct snat_kit *kit, const struct lath_snat_options *options, uint32_t flows)
{
	const uint32_t capacity[] = {flows, 0};
	uint64_t random = 7;

	kit->serial = 0;
	kit_table(&kit->flows, capacity, &random);
	assert_int_equal(lath_snat_init(&kit->snat, &kit->owner, kit->worker, &kit->flows, options,
					 &lath_heap),
			0);
}

static inline void
kit_close(struct snat_kit *kit)
{
	lath_snat_fini(&kit->snat);
	lath_flow_fini(&kit->flows);
}

static inline struct lath_snat_key
kit_target(uint32_t number, uint8_t proto)
{
	return (struct lath_snat_key){
			.target_be = lath_to_be32(0x0a010000 + number),
			.nat_be = lath_to_be32(0x0a020001),
			.target_port_be = lath_to_be16(proto == LATH_PROTO_ICMP ? 0 : 443),
			.proto_vpc = lath_key_proto_vpc(proto, 9),
	};
}

static inline struct lath_key4
kit_reply(const struct lath_snat_key *key, uint16_t port)
{
	bool echo = key->proto_vpc >> 24 == LATH_PROTO_ICMP;

	return (struct lath_key4){
			.src_be = key->target_be,
			.dst_be = key->nat_be,
			.src_port_be = echo ? lath_to_be16(port) : key->target_port_be,
			.dst_port_be = lath_to_be16(port),
			.proto_vpc = key->proto_vpc,
	};
}

/* The reply to this port comes to the kit's worker. */
static inline bool
kit_is_owned(const struct snat_kit *kit, const struct lath_snat_key *key, uint16_t port)
{
	struct lath_key4 reply = kit_reply(key, port);

	return lath_owner_of_v4(&kit->owner, reply.src_be, reply.dst_be, reply.src_port_be,
			       reply.dst_port_be) == kit->worker;
}

/* A flow takes the port; fails the test when one has it already. */
static inline void
kit_use(struct snat_kit *kit, const struct lath_snat_key *key, uint16_t port)
{
	lath_flow_ref_t ref = lath_flow_alloc(&kit->flows, LATH_FLOW_POOL_IPV4);
	struct lath_flow4 *flow;

	assert_true(ref != LATH_FLOW_NONE);
	flow = lath_flow4_at(&kit->flows, ref);
	flow->half[LATH_FLOW_FORWARD].key = kit_key4(2 * kit->serial++);
	flow->half[LATH_FLOW_REVERSE].key = kit_reply(key, port);
	if (lath_flow_insert(&kit->flows, ref, LATH_FLOW_CLASS_LIVE, 0, 1) != 0)
		fail_msg("port %u was given out twice", port);
}

/* A port that no flow gets; the pool that it comes from must be the key's. */
static inline int
kit_draw(struct snat_kit *kit, const struct lath_snat_key *key, uint16_t *port)
{
	const struct lath_snat_pool *from = NULL;
	int rc = lath_snat_take(&kit->snat, key, port, &from);

	if (rc == 0)
		assert_ptr_equal(from, lath_snat_find(&kit->snat, key));
	return rc;
}

/* Takes a port and makes a flow of it. */
static inline int
kit_take(struct snat_kit *kit, const struct lath_snat_key *key, uint16_t *port)
{
	int rc = kit_draw(kit, key, port);

	if (rc != 0)
		return rc;
	assert_true(*port >= 1024);
	assert_true(kit_is_owned(kit, key, *port));
	kit_use(kit, key, *port);
	return 0;
}

/* The flow of a port ends, in the pipeline's order. */
static inline void
kit_put(struct snat_kit *kit, const struct lath_snat_key *key, uint16_t port,
		enum lath_snat_rest rest, lath_tick_t now)
{
	struct lath_key4 reply = kit_reply(key, port);
	lath_flow_ref_t ref = lath_flow_find4(&kit->flows, &reply,
			lath_flow_hash4(&kit->flows, &reply));

	assert_true(ref != LATH_FLOW_NONE);
	lath_snat_put(&kit->snat, key, port, rest, now);
	lath_flow_remove(&kit->flows, ref);
}
