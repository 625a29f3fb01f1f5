/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_cksum.h>

#include "lath_test.h"

/* RFC 1071 section 1, word by word in network order: the model. Returns the complement. */
static uint16_t
model_cksum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return (uint16_t)~sum;
}

static uint16_t
swap16(uint16_t v)
{
	return __builtin_bswap16(v);
}

static void
message_gives_the_sum_of_rfc1071_section_3(void **state)
{
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(swap16(lath_cksum_fold(lath_cksum_partial(data, 8, 0))), 0xddf2);
	assert_int_equal(swap16(lath_cksum_message(data, 8)), 0x220d);
}

static void
apply_gives_the_example_of_rfc1624_section_4(void **state)
{
	uint16_t delta = lath_cksum_add((uint16_t)~0x5555, 0x3285);

	(void)state;
	assert_int_equal(lath_cksum_apply(0xdd2f, delta), 0x0000);
	assert_int_equal(lath_cksum_apply_udp(0xdd2f, delta), 0xffff);
	assert_int_equal(lath_cksum_apply_udp(0, delta), 0);
}

static void
message_equals_the_model(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 2000, 200000);
	uint8_t data[1600];

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		size_t len = lath_random_below(&random, sizeof(data));

		lath_test_fill(&random, data, len);
		assert_int_equal(swap16(lath_cksum_message(data, len)), model_cksum(data, len));
	}
}

static void
partial_sums_chain_at_even_offsets(void **state)
{
	uint64_t random = lath_test_random(__func__);
	uint8_t data[300];

	(void)state;
	lath_test_fill(&random, data, sizeof(data));
	for (size_t cut = 0; cut <= sizeof(data); cut += 2) {
		uint32_t sum = lath_cksum_partial(data, cut, 0);

		sum = lath_cksum_partial(data + cut, sizeof(data) - cut, sum);
		assert_int_equal(swap16((uint16_t)~lath_cksum_fold(sum)),
				model_cksum(data, sizeof(data)));
	}
}

static void
partial_of_ones_does_not_lose_a_carry(void **state)
{
	uint8_t data[4096];

	(void)state;
	/* 2^32 - 1 + 2^32 - 1 + 1: folding the carry carries again. */
	assert_int_equal(lath_cksum_fold(lath_cksum_partial("\377\377\377\377\1\0\0\0", 8,
					 UINT32_MAX)),
			1);
	memset(data, 0xff, sizeof(data));
	assert_int_equal(lath_cksum_fold(lath_cksum_partial(data, sizeof(data), UINT32_MAX)),
			0xffff);
	assert_int_equal(lath_cksum_message(data, sizeof(data)), 0);
}

/* Replaces words at a random place and updates; the result must verify like a fresh one. */
static void
delta_updates_like_a_fresh_sum(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 2000, 200000);
	uint8_t before[64];
	uint8_t after[64];

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		unsigned at = 2 + 2 * lath_random_below(&random, 20);
		unsigned len = 2 * lath_random_below(&random, 11);
		uint16_t cksum;

		lath_test_fill(&random, before, sizeof(before));
		memset(before, 0, 2);
		cksum = lath_cksum_message(before, sizeof(before));
		memcpy(after, before, sizeof(after));
		lath_test_fill(&random, after + at, len);
		cksum = lath_cksum_apply(cksum, lath_cksum_delta(before + at, after + at, len));
		memcpy(after, &cksum, 2);
		assert_int_equal(lath_cksum_message(after, sizeof(after)), 0);
		assert_int_equal(swap16(cksum), model_cksum(after + 2, sizeof(after) - 2));
	}
}

static void
deltas_of_several_fields_join(void **state)
{
	uint64_t random = lath_test_random(__func__);
	uint8_t before[40];
	uint8_t after[40];
	uint16_t whole;
	uint16_t joined;

	(void)state;
	lath_test_fill(&random, before, sizeof(before));
	lath_test_fill(&random, after, sizeof(after));
	whole = lath_cksum_delta(before, after, 40);
	joined = lath_cksum_add(lath_cksum_delta(before, after, 12),
			lath_cksum_delta(before + 12, after + 12, 28));
	/* Both zeros mean the same. */
	assert_int_equal(whole % 0xffff, joined % 0xffff);
}

static void
delta2_changes_the_pseudo_header_of_a_family(void **state)
{
	uint64_t random = lath_test_random(__func__);
	struct lath_ipv4_hdr v4 = {.proto = LATH_PROTO_TCP};
	struct lath_ipv6_hdr v6 = {0};
	uint8_t segment[77];
	uint16_t cksum;

	(void)state;
	lath_test_fill(&random, segment, sizeof(segment));
	lath_test_fill(&random, &v4.src_be, 8);
	lath_test_fill(&random, v6.src, 32);
	memset(segment + 16, 0, 2);
	cksum = lath_cksum_l4_v4(&v4, segment, sizeof(segment));
	memcpy(segment + 16, &cksum, 2);
	assert_int_equal(lath_cksum_l4_v4(&v4, segment, sizeof(segment)), 0);
	cksum = lath_cksum_apply(cksum, lath_cksum_delta2(&v4.src_be, 8, v6.src, 32));
	memcpy(segment + 16, &cksum, 2);
	assert_int_equal(lath_cksum_l4_v6(&v6, LATH_PROTO_TCP, segment, sizeof(segment)), 0);
}

static void
ipv4_header_verifies_a_captured_one(void **state)
{
	/* The header of RFC-style textbooks: 172.16.10.99 to 172.16.10.12, checksum b1e6. */
	static const uint8_t hdr[] = {0x45, 0x00, 0x00, 0x3c, 0x1c, 0x46, 0x40, 0x00, 0x40, 0x06,
			0xb1, 0xe6, 0xac, 0x10, 0x0a, 0x63, 0xac, 0x10, 0x0a, 0x0c};

	(void)state;
	assert_int_equal(lath_cksum_ipv4_header(hdr, sizeof(hdr)), 0);
}

static void
l4_equals_the_model_over_a_pseudo_header(void **state)
{
	uint64_t random = lath_test_random(__func__);
	struct lath_ipv4_hdr v4 = {.proto = LATH_PROTO_UDP};
	struct lath_ipv6_hdr v6 = {0};
	uint8_t flat[40 + 33] = {0};
	uint8_t *datagram = flat + 40;

	(void)state;
	lath_test_fill(&random, datagram, 33);
	lath_test_fill(&random, &v4.src_be, 8);
	lath_test_fill(&random, v6.src, 32);
	memcpy(flat + 28, &v4.src_be, 8);
	flat[37] = LATH_PROTO_UDP;
	flat[39] = 33;
	assert_int_equal(swap16(lath_cksum_l4_v4(&v4, datagram, 33)), model_cksum(flat + 28, 45));
	memcpy(flat, v6.src, 32);
	memcpy(flat + 32, "\0\0\0\41\0\0\0\21", 8);
	assert_int_equal(swap16(lath_cksum_l4_v6(&v6, LATH_PROTO_UDP, datagram, 33)),
			model_cksum(flat, 73));
}

static void
inline_header_check_agrees_with_the_sum(void **state)
{
	uint64_t random = lath_test_random(__func__);

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		struct lath_ipv4_hdr ip;
		uint16_t cksum;

		for (unsigned j = 0; j < sizeof(ip); j++)
			((uint8_t *)&ip)[j] = i % 7 == 0 ? (i % 2 == 0 ? 0xff : 0)
							 : (uint8_t)lath_random_next(&random);
		assert_true(lath_cksum_ipv4_holds(&ip) ==
				(lath_cksum_ipv4_header(&ip, sizeof(ip)) == 0));
		ip.cksum_be = lath_to_be16(0);
		cksum = lath_cksum_ipv4_header(&ip, sizeof(ip));
		memcpy(&ip.cksum_be, &cksum, sizeof(cksum));
		assert_true(lath_cksum_ipv4_holds(&ip) ==
				(lath_cksum_ipv4_header(&ip, sizeof(ip)) == 0));
		ip.ttl ^= 1;
		assert_false(lath_cksum_ipv4_holds(&ip));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(inline_header_check_agrees_with_the_sum),
			cmocka_unit_test(message_gives_the_sum_of_rfc1071_section_3),
			cmocka_unit_test(apply_gives_the_example_of_rfc1624_section_4),
			cmocka_unit_test(message_equals_the_model),
			cmocka_unit_test(partial_sums_chain_at_even_offsets),
			cmocka_unit_test(partial_of_ones_does_not_lose_a_carry),
			cmocka_unit_test(delta_updates_like_a_fresh_sum),
			cmocka_unit_test(deltas_of_several_fields_join),
			cmocka_unit_test(delta2_changes_the_pseudo_header_of_a_family),
			cmocka_unit_test(ipv4_header_verifies_a_captured_one),
			cmocka_unit_test(l4_equals_the_model_over_a_pseudo_header),
	};

	return cmocka_run_group_tests_name("cksum", tests, NULL, NULL);
}
