/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_xlate.h>

#include "packet_kit.h"

#define HEADROOM 20u /* what a longer header needs in front */

/* One packet and what it is to become. */
struct passage {
	struct kit_spec spec;
	uint8_t frame[KIT_FRAME_MAX];
	uint32_t len;
	struct lath_packet pkt;
	struct lath_rewrite4 rewrite;
};

static uint32_t
draw_ip(uint64_t *random)
{
	return 0x01000000 + lath_random_below(random, 0x7e000000);
}

static void
draw(struct passage *p, uint8_t proto, uint64_t *random)
{
	uint16_t identifier = (uint16_t)lath_random_next(random);

	p->spec = (struct kit_spec){
			.src = draw_ip(random),
			.sport = (uint16_t)lath_random_next(random),
			.dport = (uint16_t)lath_random_next(random),
			.vlan = (uint16_t)lath_random_below(random, 4096),
			.proto = proto,
			.flags = LATH_TCP_ACK,
			.option_len = (uint8_t)(4 * lath_random_below(random, 11)),
			.ttl = (uint8_t)(2 + lath_random_below(random, 254)),
			.data_len = (uint16_t)lath_random_below(random, 300),
			.tagged = lath_random_below(random, 2) == 0,
			.without_cksum = lath_random_below(random, 4) == 0,
	};
	p->spec.dst = p->spec.src ^ 1;
	p->len = kit_frame4(p->frame, &p->spec, random);
	assert_int_equal(kit_parse(p->frame, p->len, p->len, &p->pkt), LATH_DROP_NONE);
	p->rewrite = (struct lath_rewrite4){
			.src_be = lath_to_be32(draw_ip(random)),
			.dst_be = lath_to_be32(draw_ip(random)),
			.src_port_be = lath_to_be16(identifier),
			.dst_port_be = lath_to_be16(proto == LATH_PROTO_ICMP
							? identifier
							: (uint16_t)lath_random_next(random)),
	};
}

/* The same by hand: fields replaced, everything summed anew. */
static void
model_4to4(uint8_t *frame, const struct passage *p)
{
	uint8_t *ip = frame + p->pkt.l3_offset;
	uint8_t *l4 = frame + p->pkt.l4_offset;
	bool without = p->spec.proto == LATH_PROTO_UDP && kit_get16(l4 + 6) == 0;

	ip[8]--;
	memcpy(ip + 12, &p->rewrite.src_be, 8);
	if (p->spec.proto == LATH_PROTO_ICMP)
		memcpy(l4 + 4, &p->rewrite.src_port_be, 2);
	else
		memcpy(l4, &p->rewrite.src_port_be, 4);
	kit_fix_ip(ip);
	if (!without)
		kit_fix_l4(ip);
}

static void
check_4to4(struct passage *p)
{
	struct lath_deltas deltas = lath_xlate_deltas4(&p->pkt.key4, &p->rewrite);
	uint8_t expected[KIT_FRAME_MAX];

	memcpy(expected, p->frame, p->len);
	model_4to4(expected, p);
	lath_xlate_4to4(p->frame, &p->pkt, &p->rewrite, deltas);
	assert_memory_equal(p->frame, expected, p->len);
}

/* Back to what it was, as the other direction would say it. */
static void
check_back(struct passage *p, const uint8_t *before)
{
	const struct lath_rewrite4 back = {p->pkt.key4.src_be, p->pkt.key4.dst_be,
			p->pkt.key4.src_port_be, p->pkt.key4.dst_port_be};
	struct lath_key4 key = {p->rewrite.src_be, p->rewrite.dst_be, p->rewrite.src_port_be,
			p->rewrite.dst_port_be, p->pkt.key4.proto_vpc};
	uint8_t *ip = p->frame + p->pkt.l3_offset;

	lath_xlate_4to4(p->frame, &p->pkt, &back, lath_xlate_deltas4(&key, &back));
	ip[8] = (uint8_t)(ip[8] + 2);
	kit_fix_ip(ip);
	assert_memory_equal(p->frame, before, p->len);
}

static void
updated_sums_equal_new_ones_and_the_way_back_undoes(void **state)
{
	static const uint8_t protocols[] = {LATH_PROTO_TCP, LATH_PROTO_UDP, LATH_PROTO_ICMP};
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 20000, 500000);
	static struct passage p;
	uint8_t before[KIT_FRAME_MAX];

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		draw(&p, protocols[i % 3], &random);
		memcpy(before, p.frame, p.len);
		check_4to4(&p);
		check_back(&p, before);
	}
}

/* Changes a word of the data so that the packet's sum becomes `wanted`. */
static void
steer(struct passage *p, uint32_t wanted)
{
	uint8_t *word = p->frame + p->pkt.l4_offset + 20 + p->spec.option_len;
	uint32_t sum;

	kit_put16(word, 0);
	sum = ~kit_l4_cksum(p->frame + p->pkt.l3_offset) & 0xffffu;
	kit_put16(word, ((~wanted & 0xffff) + (~sum & 0xffff)) % 0xffff);
	kit_fix_l4(p->frame + p->pkt.l3_offset);
}

static void
corners_of_the_sum_come_out_right(void **state)
{
	static const uint32_t wanted[] = {0x0000, 0xffff, 0x0001, 0xfffe, 0x8000, 0x7fff, 0x00ff};
	static const uint8_t protocols[] = {LATH_PROTO_TCP, LATH_PROTO_UDP, LATH_PROTO_ICMP};
	uint64_t random = lath_test_random(__func__);
	static struct passage p;
	uint8_t before[KIT_FRAME_MAX];

	(void)state;
	for (unsigned i = 0; i < 3 * LATH_ARRAY_SIZE(wanted) * 200; i++) {
		do
			draw(&p, protocols[i % 3], &random);
		while (p.spec.without_cksum || p.spec.data_len < 40);
		p.spec.option_len = p.spec.proto == LATH_PROTO_TCP ? p.spec.option_len : 0;
		if (i % 2 == 0) { /* the sum that comes */
			steer(&p, wanted[i % LATH_ARRAY_SIZE(wanted)]);
		} else { /* the sum that goes: as far from it as the rewrite will take it */
			struct lath_deltas deltas = lath_xlate_deltas4(&p.pkt.key4, &p.rewrite);

			steer(&p,
					__builtin_bswap16(lath_cksum_apply(
							(uint16_t)wanted[i %
									LATH_ARRAY_SIZE(wanted)],
							(uint16_t)~deltas.l4)));
		}
		memcpy(before, p.frame, p.len);
		check_4to4(&p);
		check_back(&p, before);
	}
}

static void
udp_without_a_sum_stays_without(void **state)
{
	uint64_t random = lath_test_random(__func__);
	static struct passage p;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		do
			draw(&p, LATH_PROTO_UDP, &random);
		while (!p.spec.without_cksum);
		check_4to4(&p);
		assert_int_equal(kit_get16(p.frame + p.pkt.l4_offset + 6), 0);
	}
}

static void
wrong_sum_stays_wrong(void **state)
{
	uint64_t random = lath_test_random(__func__);
	static struct passage p;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		struct lath_deltas deltas;

		draw(&p, LATH_PROTO_TCP, &random);
		p.frame[p.len - 1] ^= 0x40;
		p.frame[p.pkt.l3_offset + 11] ^= 0x04;
		deltas = lath_xlate_deltas4(&p.pkt.key4, &p.rewrite);
		lath_xlate_4to4(p.frame, &p.pkt, &p.rewrite, deltas);
		assert_true(kit_get16(p.frame + p.pkt.l4_offset + 16) !=
				kit_l4_cksum(p.frame + p.pkt.l3_offset));
		assert_true(kit_sum(p.frame + p.pkt.l3_offset, 20, 0) != 0xffff);
	}
}

/* A TCP packet over IPv6 and what RFC 7915 makes of it, by hand. */
//= RFC7915#5.1 RFC7915#5.1-tc RFC7915#5.5 type=test
static void
tcp_over_ipv6_becomes_tcp_over_ipv4(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 5000, 100000);
	static struct passage p;
	uint8_t expected[KIT_FRAME_MAX];

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		uint8_t *ip;
		struct lath_deltas deltas;

		draw(&p, LATH_PROTO_TCP, &random);
		p.len = kit_frame6(p.frame, &p.spec, &random);
		assert_int_equal(kit_parse(p.frame, p.len, p.len, &p.pkt), LATH_DROP_NONE);
		memcpy(expected, p.frame, p.len);
		ip = expected + p.pkt.l3_offset + 20;
		memcpy(ip + 20, &p.rewrite.src_port_be, 4);
		memset(ip, 0, 20);
		ip[0] = 0x45;
		ip[1] = (uint8_t)(kit_get16(p.frame + p.pkt.l3_offset) >> 4);
		kit_put16(ip + 2, p.len - p.pkt.l3_offset - 20);
		kit_put16(ip + 4, 0x1234); /* up to 1,260 bytes */
		ip[8] = (uint8_t)(p.spec.ttl - 1);
		ip[9] = LATH_PROTO_TCP;
		memcpy(ip + 12, &p.rewrite.src_be, 8);
		kit_fix_ip(ip);
		kit_fix_l4(ip);
		deltas = lath_xlate_deltas_6to4(&p.pkt.key6, &p.rewrite);
		assert_int_equal(deltas.ip, 0);
		lath_xlate_6to4(p.frame, &p.pkt, &p.rewrite, deltas, 0x1234);
		assert_int_equal(p.frame + p.pkt.l3_offset - p.frame, ip - expected);
		assert_memory_equal(p.frame + p.pkt.l3_offset, ip, p.len - p.pkt.l3_offset);
		assert_int_equal(p.pkt.ip_len, p.len - p.pkt.l3_offset);
		assert_int_equal(p.pkt.family, LATH_FAMILY_IPV4);
	}
}

//= RFC7915#4.1 RFC7915#4.1-tos RFC7915#4.5 type=test
static void
tcp_over_ipv4_becomes_tcp_over_ipv6(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 5000, 100000);
	static struct passage p;
	uint8_t room[HEADROOM + KIT_FRAME_MAX];
	uint8_t expected[KIT_FRAME_MAX];

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		struct lath_rewrite6 rewrite;
		uint32_t l3;

		draw(&p, LATH_PROTO_TCP, &random);
		lath_test_fill(&random, &rewrite, sizeof(rewrite));
		l3 = p.pkt.l3_offset;
		memset(expected, 0, 40);
		kit_put32(expected, 0x60000000u | (uint32_t)p.frame[l3 + 1] << 20);
		kit_put16(expected + 4, p.len - l3 - 20);
		expected[6] = LATH_PROTO_TCP;
		expected[7] = (uint8_t)(p.spec.ttl - 1);
		memcpy(expected + 8, rewrite.src, 32);
		memcpy(expected + 40, p.frame + l3 + 20, p.len - l3 - 20);
		memcpy(expected + 40, &rewrite.src_port_be, 4);
		kit_fix_l4(expected);
		memcpy(room + HEADROOM, p.frame, p.len);
		p.pkt.l3_offset += HEADROOM;
		p.pkt.l4_offset += HEADROOM;
		lath_xlate_4to6(room, &p.pkt, &rewrite,
				lath_xlate_deltas_4to6(&p.pkt.key4, &rewrite));
		assert_int_equal(p.pkt.l3_offset, l3);
		assert_memory_equal(room + l3, expected, p.len - l3 + HEADROOM);
		assert_int_equal(p.pkt.ip_len, p.len - l3 + HEADROOM);
		assert_int_equal(p.pkt.family, LATH_FAMILY_IPV6);
	}
}

/* ---- MSS ---------------------------------------------------------------------------------- */

/* A TCP header of `len` bytes alone on the heap, its checksum right over nothing else. */
static uint8_t *
header_of(const uint8_t *options, uint8_t option_len)
{
	uint8_t *l4 = calloc(1, 20u + option_len);

	assert_non_null(l4);
	l4[12] = (uint8_t)((20 + option_len) / 4 << 4);
	l4[13] = LATH_TCP_SYN;
	memcpy(l4 + 20, options, option_len);
	kit_put16(l4 + 16, ~kit_sum(l4, 20u + option_len, 0));
	return l4;
}

static void
mss_is_lowered_wherever_it_stands(void **state)
{
	static const uint16_t values[] = {65535, 9000, 1461, 1460, 1459, 536, 0};

	(void)state;
	for (unsigned at = 0; at <= 36; at++) {
		for (unsigned i = 0; i < LATH_ARRAY_SIZE(values); i++) {
			uint8_t options[40];
			bool lower = values[i] > 1460;
			uint8_t *l4;

			memset(options, LATH_TCP_OPTION_NOP, sizeof(options));
			options[at] = LATH_TCP_OPTION_MSS;
			options[at + 1] = 4;
			kit_put16(options + at + 2, values[i]);
			l4 = header_of(options, sizeof(options));
			assert_int_equal(lath_xlate_clamp_mss(l4, 60, 1460), lower);
			assert_int_equal(kit_get16(l4 + 20 + at + 2), lower ? 1460 : values[i]);
			assert_int_equal(kit_sum(l4, 60, 0), 0xffff);
			kit_put16(l4 + 20 + at + 2, values[i]);
			assert_memory_equal(l4 + 20, options, sizeof(options));
			free(l4);
		}
	}
}

static void
malformed_options_are_left_alone(void **state)
{
	static const struct {
		const char *name;
		uint8_t options[8];
		uint8_t option_len;
	} rows[] = {
			{"none", {0}, 0},
			{"end at once", {0, 2, 4, 0xff, 0xff}, 8},
			{"length 0", {3, 0, 2, 4, 0xff, 0xff}, 8},
			{"length 1", {3, 1, 2, 4, 0xff, 0xff}, 8},
			{"length beyond", {3, 9, 2, 4, 0xff, 0xff}, 8},
			{"kind alone", {1, 1, 1, 1, 1, 1, 1, 2}, 8},
			{"value cut off", {1, 1, 1, 1, 1, 2, 4, 0xff}, 8},
			{"value half there", {1, 1, 1, 1, 2, 4, 0xff}, 7},
			{"MSS of 3 bytes", {2, 3, 0xff, 1, 1, 1, 1, 1}, 8},
			{"MSS of 6 bytes", {2, 6, 0xff, 0xff, 0xff, 0xff, 1, 1}, 8},
			{"inside another", {8, 6, 2, 4, 0xff, 0xff, 1, 1}, 8},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		uint8_t option_len = rows[i].option_len & ~3u;
		uint8_t *l4 = header_of(rows[i].options, option_len);
		uint8_t before[60];

		memcpy(before, l4, 20u + option_len);
		if (lath_xlate_clamp_mss(l4, 20u + option_len, 1460))
			fail_msg("%s: changed", rows[i].name);
		assert_memory_equal(l4, before, 20u + option_len);
		free(l4);
	}
}

static void
header_longer_than_its_bytes_is_left_alone(void **state)
{
	static const uint8_t options[] = {2, 4, 0xff, 0xff};
	uint8_t *l4 = header_of(options, 4);

	(void)state;
	assert_false(lath_xlate_clamp_mss(l4, 23, 1460));
	l4[12] = 0;
	assert_false(lath_xlate_clamp_mss(l4, 24, 1460));
	l4[12] = 0x40;
	assert_false(lath_xlate_clamp_mss(l4, 24, 1460));
	free(l4);
}

/* Where a reader of RFC 9293 section 3.1 finds the value; 0: nowhere. */
static unsigned
model_mss_at(const uint8_t *options, unsigned len)
{
	unsigned at = 0;

	while (at < len && options[at] != 0) {
		if (options[at] == 1) {
			at++;
		} else if (at + 1 == len || options[at + 1] < 2 || at + options[at + 1] > len) {
			return 0;
		} else if (options[at] == 2 && options[at + 1] == 4) {
			return at + 2;
		} else {
			at += options[at + 1];
		}
	}
	return 0;
}

static void
random_options_are_read_as_the_model_reads_them(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 50000, 1000000);
	unsigned changed = 0;

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		uint8_t option_len = (uint8_t)(4 * lath_random_below(&random, 11));
		uint8_t options[40];
		unsigned at;
		bool lower;
		uint8_t *l4;

		for (unsigned n = 0; n < option_len; n++)
			options[n] = (uint8_t)lath_random_below(&random, 6);
		l4 = header_of(options, option_len);
		at = model_mss_at(options, option_len);
		lower = at != 0 && kit_get16(options + at) > 700;
		assert_int_equal(lath_xlate_clamp_mss(l4, 20u + option_len, 700), lower);
		if (lower)
			kit_put16(options + at, 700);
		assert_memory_equal(l4 + 20, options, option_len);
		assert_int_equal(kit_sum(l4, 20u + option_len, 0), 0xffff);
		free(l4);
		changed += lower;
	}
	assert_in_range(changed, 1, rounds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(updated_sums_equal_new_ones_and_the_way_back_undoes),
			cmocka_unit_test(corners_of_the_sum_come_out_right),
			cmocka_unit_test(udp_without_a_sum_stays_without),
			cmocka_unit_test(wrong_sum_stays_wrong),
			cmocka_unit_test(tcp_over_ipv6_becomes_tcp_over_ipv4),
			cmocka_unit_test(tcp_over_ipv4_becomes_tcp_over_ipv6),
			cmocka_unit_test(mss_is_lowered_wherever_it_stands),
			cmocka_unit_test(malformed_options_are_left_alone),
			cmocka_unit_test(header_longer_than_its_bytes_is_left_alone),
			cmocka_unit_test(random_options_are_read_as_the_model_reads_them),
	};

	return cmocka_run_group_tests_name("xlate", tests, NULL, NULL);
}
