/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Port pools towards IPv6 targets. */

#include "snat_kit.h"

static struct lath_key6
name_of(uint32_t number, uint8_t proto)
{
	struct lath_key6 reply = {
			.src = {0xfd, 0, [15] = (uint8_t)number},
			.dst = {0xfd, 0xfe, [15] = 1},
			.src_port_be = lath_to_be16(proto == LATH_PROTO_ICMPV6 ? 0 : 443),
			.proto_vpc = lath_key_proto_vpc(proto, 9),
	};

	return reply;
}

static struct lath_key6
reply_of(const struct lath_key6 *name, uint16_t port)
{
	struct lath_key6 reply = *name;

	reply.dst_port_be = lath_to_be16(port);
	if (name->proto_vpc >> 24 == LATH_PROTO_ICMPV6)
		reply.src_port_be = reply.dst_port_be;
	return reply;
}

static void
open6(struct snat_kit *kit, unsigned workers, uint32_t worker, uint32_t flows)
{
	struct lath_snat_options options = kit_options(kit, workers, worker, flows);
	const uint32_t capacity[] = {0, flows};
	uint64_t random = 7;

	kit->serial = 0;
	kit_table(&kit->flows, capacity, &random);
	assert_int_equal(lath_snat_init(&kit->snat, &kit->owner, kit->worker, &kit->flows, &options,
					 &lath_heap),
			0);
}

/* A flow takes the port; it must come home, and be nobody's. */
static void
use(struct snat_kit *kit, const struct lath_key6 *name, uint16_t port)
{
	lath_flow_ref_t ref = lath_flow_alloc(&kit->flows, LATH_FLOW_POOL_MIXED);
	struct lath_key6 reply = reply_of(name, port);
	struct lath_flow_mixed *flow;

	assert_true(ref != LATH_FLOW_NONE);
	assert_int_equal(lath_owner_of_v6(&kit->owner, reply.src, reply.dst, reply.src_port_be,
					 reply.dst_port_be),
			kit->worker);
	flow = lath_flow_mixed_at(&kit->flows, ref);
	for (unsigned half = 0; half < LATH_FLOW_DIRECTION_COUNT; half++) {
		flow->half[half].family_in = LATH_FAMILY_IPV6;
		flow->half[half].family_out = LATH_FAMILY_IPV6;
	}
	flow->half[LATH_FLOW_FORWARD].key6 = kit_key6(2 * kit->serial++);
	flow->half[LATH_FLOW_REVERSE].key6 = reply;
	if (lath_flow_insert(&kit->flows, ref, LATH_FLOW_CLASS_LIVE, 0, 1) != 0)
		fail_msg("port %u was given out twice", port);
}

static void
end(struct snat_kit *kit, const struct lath_key6 *name, uint16_t port, lath_tick_t now)
{
	struct lath_key6 reply = reply_of(name, port);
	lath_flow_ref_t ref = lath_flow_find6(&kit->flows, &reply,
			lath_flow_hash6(&kit->flows, &reply));

	assert_true(ref != LATH_FLOW_NONE);
	lath_snat_put6(&kit->snat, name, port, LATH_SNAT_REST_SHORT, now);
	lath_flow_remove(&kit->flows, ref);
}

static void
every_port_of_a_share_is_given_once(void **state)
{
	static const uint8_t protocols[] = {LATH_PROTO_TCP, LATH_PROTO_UDP, LATH_PROTO_ICMPV6};
	static struct snat_kit kit;

	(void)state;
	for (unsigned p = 0; p < LATH_ARRAY_SIZE(protocols); p++) {
		struct lath_key6 name = name_of(1, protocols[p]);
		const struct lath_snat_pool *pool;
		uint32_t given = 0;
		uint16_t port;

		open6(&kit, 8, p, 16384);
		while (lath_snat_take6(&kit.snat, &name, &port, &pool) == 0) {
			assert_true(port >= 1024);
			assert_ptr_equal(pool, lath_snat_find6(&kit.snat, &name));
			use(&kit, &name, port);
			given++;
		}
		assert_int_equal(given, kit.snat.port_count);
		assert_int_equal(given, 64512 / 8);
		kit_close(&kit);
	}
}

/* Names that differ in one byte anywhere have pools of their own, and an IPv4 pool is none of them. */
static void
pools_are_told_apart_by_every_byte(void **state)
{
	static struct snat_kit kit;
	struct lath_key6 name = name_of(1, LATH_PROTO_TCP);
	struct lath_snat_key name4 = kit_target(1, LATH_PROTO_TCP);
	const struct lath_snat_pool *first;
	const struct lath_snat_pool *pool;
	uint32_t pools = 2;
	uint16_t port;

	(void)state;
	open6(&kit, 1, 0, 4096);
	assert_int_equal(lath_snat_take6(&kit.snat, &name, &port, &first), 0);
	assert_int_equal(lath_snat_take(&kit.snat, &name4, &port, &pool), 0);
	assert_ptr_not_equal(first, pool);
	for (unsigned at = 0; at < sizeof(name); at++) {
		struct lath_key6 other = name;

		if (at == offsetof(struct lath_key6, dst_port_be) ||
				at == offsetof(struct lath_key6, dst_port_be) + 1)
			continue; /* the port that is given out */
		((uint8_t *)&other)[at] ^= 0x40;
		assert_int_equal(lath_snat_take6(&kit.snat, &other, &port, &pool), 0);
		assert_ptr_not_equal(first, pool);
		assert_int_equal(pool->live, 1);
		assert_int_equal(kit.snat.pool_count, ++pools);
	}
	assert_int_equal(first->live, 1);
	kit_close(&kit);
}

/* Two names whose digests are equal, as chance would have it once in 2^64. */
static void
pools_of_one_digest_are_two(void **state)
{
	static struct snat_kit kit;
	struct lath_key6 name = name_of(1, LATH_PROTO_TCP);
	struct lath_key6 other = name_of(2, LATH_PROTO_TCP);
	const struct lath_snat_pool *pool;
	uint16_t port;

	(void)state;
	open6(&kit, 1, 0, 4096);
	assert_int_equal(lath_snat_take6(&kit.snat, &name, &port, &pool), 0);
	kit.snat.replies6[pool - kit.snat.pools] = other; /* now a stranger with that digest */
	assert_null(lath_snat_find6(&kit.snat, &name));
	assert_int_equal(lath_snat_take6(&kit.snat, &name, &port, &pool), 0);
	assert_int_equal(kit.snat.pool_count, 2);
	assert_ptr_equal(lath_snat_find6(&kit.snat, &name), pool);
	kit_close(&kit);
}

static void
freed_and_cancelled_ports_come_back(void **state)
{
	static struct snat_kit kit;
	struct lath_key6 name = name_of(1, LATH_PROTO_UDP);
	const struct lath_snat_pool *pool;
	uint16_t ports[100];
	uint16_t port;

	(void)state;
	open6(&kit, 2, 1, 4096);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(ports); i++) {
		assert_int_equal(lath_snat_take6(&kit.snat, &name, &ports[i], &pool), 0);
		use(&kit, &name, ports[i]);
	}
	assert_int_equal(lath_snat_take6(&kit.snat, &name, &port, &pool), 0);
	lath_snat_cancel6(&kit.snat, &name, port);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(ports); i++)
		end(&kit, &name, ports[i], 10);
	assert_int_equal(lath_snat_find6(&kit.snat, &name)->resting, 100);
	lath_snat_tick(&kit.snat, 10 + KIT_SHORT, 1000);
	assert_null(lath_snat_find6(&kit.snat, &name));
	assert_int_equal(kit.snat.pool_count, 0);
	kit_close(&kit);
}

static void
probes_have_ports_of_their_own(void **state)
{
	static struct snat_kit kit;
	struct lath_key6 name = name_of(1, LATH_PROTO_TCP);
	unsigned given = 0;
	uint16_t port;

	(void)state;
	open6(&kit, 2, 0, 4096);
	while (lath_snat_take_probe6(&kit.snat, &name, &port) == 0) {
		assert_in_range(port, 512, 1023);
		use(&kit, &name, port);
		given++;
	}
	assert_in_range(given, 128, 384);
	kit_close(&kit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(every_port_of_a_share_is_given_once),
			cmocka_unit_test(pools_are_told_apart_by_every_byte),
			cmocka_unit_test(pools_of_one_digest_are_two),
			cmocka_unit_test(freed_and_cancelled_ports_come_back),
			cmocka_unit_test(probes_have_ports_of_their_own),
	};

	return cmocka_run_group_tests_name("snat6", tests, NULL, NULL);
}
