/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * owner() is worth something only while NICs compute the same. So it is compared with two others'
 * arithmetic: the published rows of Microsoft, which NICs are verified against, and DPDK's
 * rte_softrss(). What the software calls a port of worker w must be queue w to them.
 */

#include <arpa/inet.h>

#include <rte_thash.h>

#include <lath_owner.h>

#include "lath_test.h"

#define V4_WORDS_WITH_PORTS 3u
#define V4_WORDS 2u
#define V6_WORDS_WITH_PORTS 9u
#define V6_WORDS 8u

/* "Verifying the RSS hash calculation", Microsoft, NDIS documentation: key and rows. */
static const uint8_t microsoft_key[LATH_TOEPLITZ_KEY_LEN] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b,
		0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
		0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42,
		0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static const struct row {
	int family;
	const char *src;
	const char *dst;
	uint16_t sport;
	uint16_t dport;
	uint32_t with_ports;
	uint32_t addresses;
} rows[] = {
		{AF_INET, "66.9.149.187", "161.142.100.80", 2794, 1766, 0x51ccc178, 0x323e8fc2},
		{AF_INET, "199.92.111.2", "65.69.140.83", 14230, 4739, 0xc626b0ea, 0xd718262a},
		{AF_INET, "24.19.198.95", "12.22.207.184", 12898, 38024, 0x5c2b394a, 0xd2d0a5de},
		{AF_INET, "38.27.205.30", "209.142.163.6", 48228, 2217, 0xafc7327f, 0x82989176},
		{AF_INET, "153.39.163.191", "202.188.127.2", 44251, 1303, 0x10e828a2, 0x5d1809c5},
		{AF_INET6, "3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x40207d3d,
				0x2cc18cd5},
		{AF_INET6, "3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0xdde51bbf,
				0x0f0c461c},
		{AF_INET6, "3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251,
				38024, 0x02d1feef, 0x4b61e985},
};

/* A tuple in both notations: owner()'s and rte_softrss()'s, which wants words in host order. */
struct tuple {
	int family;
	uint8_t src[16];
	uint8_t dst[16];
	uint16_t sport;
	uint16_t dport;
};

static unsigned
owner_bucket(const struct lath_owner *owner, const struct tuple *tuple)
{
	lath_be16_t sport_be = lath_to_be16(tuple->sport);
	lath_be16_t dport_be = lath_to_be16(tuple->dport);
	lath_be32_t src_be;
	lath_be32_t dst_be;

	if (tuple->family == AF_INET6)
		return lath_owner_bucket_v6(owner, tuple->src, tuple->dst, sport_be, dport_be);
	memcpy(&src_be, tuple->src, 4);
	memcpy(&dst_be, tuple->dst, 4);
	return lath_owner_bucket_v4(owner, src_be, dst_be, sport_be, dport_be);
}

static unsigned
owner_worker(const struct lath_owner *owner, const struct tuple *tuple)
{
	lath_be16_t sport_be = lath_to_be16(tuple->sport);
	lath_be16_t dport_be = lath_to_be16(tuple->dport);
	lath_be32_t src_be;
	lath_be32_t dst_be;

	if (tuple->family == AF_INET6)
		return lath_owner_of_v6(owner, tuple->src, tuple->dst, sport_be, dport_be);
	memcpy(&src_be, tuple->src, 4);
	memcpy(&dst_be, tuple->dst, 4);
	return lath_owner_of_v4(owner, src_be, dst_be, sport_be, dport_be);
}

static uint32_t
softrss(const uint8_t *key, const struct tuple *tuple, bool with_ports)
{
	bool is_v4 = tuple->family == AF_INET;
	unsigned address_words = is_v4 ? 1 : 4;
	uint32_t words[V6_WORDS_WITH_PORTS];
	uint32_t len = is_v4 ? V4_WORDS : V6_WORDS;

	for (unsigned i = 0; i < address_words; i++) {
		memcpy(&words[i], tuple->src + 4 * i, 4);
		memcpy(&words[address_words + i], tuple->dst + 4 * i, 4);
	}
	for (unsigned i = 0; i < 2 * address_words; i++)
		words[i] = ntohl(words[i]);
	words[2 * address_words] = (uint32_t)tuple->sport << 16 | tuple->dport;
	if (with_ports)
		len = is_v4 ? V4_WORDS_WITH_PORTS : V6_WORDS_WITH_PORTS;
	return rte_softrss(words, len, key);
}

static struct tuple
tuple_of_row(const struct row *row)
{
	struct tuple tuple = {.family = row->family, .sport = row->sport, .dport = row->dport};

	assert_int_equal(inet_pton(row->family, row->src, tuple.src), 1);
	assert_int_equal(inet_pton(row->family, row->dst, tuple.dst), 1);
	return tuple;
}

/* The low bits of each published hash, ports left out as well: fragments and other protocols are
 * hashed by addresses alone, which owner() says by ports 0.
 */
static void
microsoft_rows_fall_into_the_published_buckets(void **state)
{
	static struct lath_owner owner;

	(void)state;
	for (unsigned bits = LATH_OWNER_BITS_MIN; bits <= LATH_OWNER_BITS_MAX; bits++) {
		assert_int_equal(lath_owner_init_key(&owner, bits, 2, microsoft_key), 0);
		for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
			struct tuple tuple = tuple_of_row(&rows[i]);

			assert_int_equal(owner_bucket(&owner, &tuple),
					rows[i].with_ports & owner.mask);
			tuple.sport = 0;
			tuple.dport = 0;
			assert_int_equal(owner_bucket(&owner, &tuple),
					rows[i].addresses & owner.mask);
		}
	}
}

/* DPDK's arithmetic gives the published rows too, so what follows stands on firm ground. */
static void
softrss_gives_the_published_hashes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct tuple tuple = tuple_of_row(&rows[i]);

		assert_int_equal(softrss(microsoft_key, &tuple, true), rows[i].with_ports);
		assert_int_equal(softrss(microsoft_key, &tuple, false), rows[i].addresses);
	}
}

static struct tuple
draw_tuple(uint64_t *random)
{
	struct tuple tuple;

	lath_test_fill(random, &tuple, sizeof(tuple));
	tuple.family = (lath_random_next(random) & 1) == 0 ? AF_INET : AF_INET6;
	return tuple;
}

/* A NIC takes the low bits of its hash as the number of a table entry, and entry i holds the queue
 * map[i mod 2^bits]: the queue must be owner()'s worker, for a table of any size from 2^bits up.
 */
static void
owner_is_the_queue_that_a_nic_finds(void **state)
{
	static const unsigned workers[] = {1, 2, 3, 8, 64};
	static struct lath_owner owner;
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 500, 20000);

	(void)state;
	for (unsigned bits = 6; bits <= LATH_OWNER_BITS_MAX; bits++) {
		for (unsigned w = 0; w < LATH_ARRAY_SIZE(workers); w++) {
			assert_int_equal(lath_owner_init(&owner, bits, workers[w], &random), 0);
			for (unsigned i = 0; i < rounds; i++) {
				struct tuple tuple = draw_tuple(&random);
				uint32_t hash = softrss(owner.toeplitz.key, &tuple, true);
				uint32_t entry = hash & (LATH_OWNER_BUCKETS_MAX - 1);

				assert_int_equal(owner_worker(&owner, &tuple),
						owner.map[entry & owner.mask]);
				tuple.sport = 0;
				tuple.dport = 0;
				hash = softrss(owner.toeplitz.key, &tuple, false);
				assert_int_equal(owner_bucket(&owner, &tuple), hash & owner.mask);
			}
		}
	}
}

/* Every source port that a worker may give out brings the reply to its queue, by DPDK's hash. */
static void
given_ports_bring_replies_to_the_workers_queue(void **state)
{
	static struct lath_owner owner;
	uint64_t random = lath_test_random(__func__);

	(void)state;
	assert_int_equal(lath_owner_init(&owner, 7, 3, &random), 0);
	for (unsigned round = 0; round < 4; round++) {
		struct tuple reply = draw_tuple(&random);
		enum lath_family family = reply.family == AF_INET ? LATH_FAMILY_IPV4
								  : LATH_FAMILY_IPV6;
		unsigned rest;

		reply.dport = 0;
		rest = owner_bucket(&owner, &reply);
		for (unsigned w = 0; w < owner.workers; w++) {
			unsigned count = lath_owner_port_count(&owner, w);

			for (unsigned i = 0; i < count; i += 7) {
				uint32_t hash;

				reply.dport = lath_owner_port_at(&owner, family, w, rest, i);
				hash = softrss(owner.toeplitz.key, &reply, true);
				assert_int_equal(owner.map[hash & owner.mask], w);
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(microsoft_rows_fall_into_the_published_buckets),
			cmocka_unit_test(softrss_gives_the_published_hashes),
			cmocka_unit_test(owner_is_the_queue_that_a_nic_finds),
			cmocka_unit_test(given_ports_bring_replies_to_the_workers_queue),
	};

	return cmocka_run_group_tests_name("owner_nic", tests, NULL, NULL);
}
