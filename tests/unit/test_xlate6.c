/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* IPv6 to IPv6, and every protocol across families, against headers written by hand and sums worked out
 * anew.
 */

#include <lath_xlate.h>

#include "packet_kit.h"

#define HEADROOM 20u
#define FRAGMENT_LEN 8u

static const uint8_t protocols[] = {LATH_PROTO_TCP, LATH_PROTO_UDP, LATH_PROTO_ICMP};

static uint8_t
in_ipv6(uint8_t proto)
{
	return proto == LATH_PROTO_ICMP ? LATH_PROTO_ICMPV6 : proto;
}

static struct kit_spec
draw(uint8_t proto, uint64_t *random)
{
	struct kit_spec spec = {
			.src = 0x01000000 + lath_random_below(random, 0x7e000000),
			.sport = (uint16_t)lath_random_next(random),
			.dport = (uint16_t)lath_random_next(random),
			.proto = proto,
			.flags = LATH_TCP_ACK,
			.ttl = (uint8_t)(2 + lath_random_below(random, 254)),
			.data_len = (uint16_t)lath_random_below(random, 1800),
			.tagged = lath_random_below(random, 2) == 0,
	};

	spec.dst = spec.src ^ 1;
	return spec;
}

static struct lath_rewrite6
draw6(uint8_t proto, uint64_t *random)
{
	struct lath_rewrite6 rewrite;

	lath_test_fill(random, &rewrite, sizeof(rewrite));
	if (in_ipv6(proto) == LATH_PROTO_ICMPV6)
		rewrite.dst_port_be = rewrite.src_port_be;
	return rewrite;
}

/* Ports or the identifier, and the type where it is another one. */
static void
put_l4(uint8_t *l4, uint8_t proto, const lath_be16_t *ports, uint8_t type)
{
	if (proto == LATH_PROTO_TCP || proto == LATH_PROTO_UDP) {
		memcpy(l4, ports, 4);
		return;
	}
	l4[0] = type;
	memcpy(l4 + 4, ports, 2);
}

static void
ipv6_to_ipv6_changes_ends_and_nothing_else(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 3000, 60000);
	static uint8_t frame[KIT_FRAME_MAX];
	static uint8_t expected[KIT_FRAME_MAX];

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		uint8_t proto = in_ipv6(protocols[i % 3]);
		struct kit_spec spec = draw(proto, &random);
		struct lath_rewrite6 rewrite = draw6(proto, &random);
		struct lath_packet pkt = {0};
		uint32_t len = kit_frame6(frame, &spec, &random);
		uint8_t *ip;

		assert_int_equal(kit_parse(frame, len, len, &pkt), LATH_DROP_NONE);
		memcpy(expected, frame, len);
		ip = expected + pkt.l3_offset;
		ip[7]--;
		memcpy(ip + 8, rewrite.src, 32);
		put_l4(ip + 40, proto, &rewrite.src_port_be, LATH_ICMPV6_ECHO);
		kit_fix_l4(ip);
		lath_xlate_6to6(frame, &pkt, &rewrite, lath_xlate_deltas6(&pkt.key6, &rewrite));
		assert_memory_equal(frame, expected, len);
	}
}

/* What an IPv6 packet of `spec` becomes, written to `ip`; `id` 0: DF. */
static void
model_6to4(uint8_t *ip, const uint8_t *ip6, const uint8_t *l4, uint32_t l4_len,
		const struct lath_rewrite4 *rewrite, uint16_t id, bool df)
{
	uint8_t proto = ip6[6] == LATH_IPV6_FRAGMENT ? ip6[40] : ip6[6];
	bool echo = proto == LATH_PROTO_ICMPV6;

	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[1] = (uint8_t)(kit_get16(ip6) >> 4);
	kit_put16(ip + 2, 20 + l4_len);
	kit_put16(ip + 4, df ? 0 : id);
	kit_put16(ip + 6, df ? LATH_IPV4_DF : 0);
	ip[8] = (uint8_t)(ip6[7] - 1);
	ip[9] = echo ? LATH_PROTO_ICMP : proto;
	memcpy(ip + 12, &rewrite->src_be, 8);
	memcpy(ip + 20, l4, l4_len);
	put_l4(ip + 20, proto, &rewrite->src_port_be, l4[0] == 128 ? 8 : 0);
	kit_fix_ip(ip);
	kit_fix_l4(ip);
}

//= RFC7915#5.1 type=test
//= RFC7915#5.1-tc type=test
//= RFC7915#5.1-df type=test
//= RFC7915#5.1-id type=test
//= RFC7915#5.1-hop-limit type=test
//= RFC7915#5.1.1 type=test
//= RFC7915#5.2 type=test
//= RFC7915#5.5 type=test
static void
ipv6_becomes_ipv4(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 3000, 60000);
	static uint8_t frame[KIT_FRAME_MAX + FRAGMENT_LEN];
	static uint8_t expected[KIT_FRAME_MAX];

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		uint8_t proto = in_ipv6(protocols[i % 3]);
		struct kit_spec spec = draw(proto, &random);
		struct lath_rewrite4 rewrite;
		struct lath_packet pkt = {0};
		uint32_t len = kit_frame6(frame, &spec, &random);
		uint32_t l3 = spec.tagged ? 18 : 14;
		uint32_t l4_len = len - l3 - 40;
		bool atomic = lath_random_below(&random, 4) == 0;
		uint16_t id = (uint16_t)lath_random_next(&random);
		uint16_t drawn = (uint16_t)lath_random_next(&random);

		lath_test_fill(&random, &rewrite, sizeof(rewrite));
		if (proto == LATH_PROTO_ICMPV6 && lath_random_below(&random, 2) == 0) {
			frame[l3 + 40] = LATH_ICMPV6_ECHO_REPLY;
			kit_fix_l4(frame + l3);
		}
		if (atomic) {
			memmove(frame + l3 + 48, frame + l3 + 40, l4_len);
			memset(frame + l3 + 40, 0, FRAGMENT_LEN);
			frame[l3 + 40] = proto;
			frame[l3 + 6] = LATH_IPV6_FRAGMENT;
			kit_put16(frame + l3 + 46, id);
			kit_put16(frame + l3 + 4, l4_len + FRAGMENT_LEN);
			len += FRAGMENT_LEN;
		}
		assert_int_equal(kit_parse(frame, len, len, &pkt), LATH_DROP_NONE);
		model_6to4(expected, frame + l3, frame + pkt.l4_offset, l4_len, &rewrite,
				atomic ? id : drawn, !atomic && l4_len + 20 > 1260);
		lath_xlate_6to4(frame, &pkt, &rewrite, lath_xlate_deltas_6to4(&pkt.key6, &rewrite),
				drawn);
		assert_memory_equal(frame + pkt.l3_offset, expected, 20 + l4_len);
		assert_int_equal(pkt.l3_offset + 20, pkt.l4_offset);
		assert_int_equal(pkt.ip_len, 20 + l4_len);
		assert_int_equal(pkt.family, LATH_FAMILY_IPV4);
		assert_int_equal(pkt.proto, expected[9]);
	}
}

//= RFC7915#4.1 type=test
//= RFC7915#4.1-tos type=test
//= RFC7915#4.1-ttl type=test
//= RFC7915#4.2 type=test
//= RFC7915#4.5 type=test
//= RFC7915#4.5-zero type=test
static void
ipv4_becomes_ipv6(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 3000, 60000);
	static uint8_t room[HEADROOM + KIT_FRAME_MAX];
	static uint8_t ip[KIT_FRAME_MAX];

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		uint8_t proto = protocols[i % 3];
		struct kit_spec spec = draw(proto, &random);
		struct lath_rewrite6 rewrite = draw6(proto, &random);
		struct lath_packet pkt = {0};
		uint8_t *frame = room + HEADROOM;
		uint32_t l4_len;
		uint32_t len;

		spec.without_cksum = lath_random_below(&random, 2) == 0;
		len = kit_frame4(frame, &spec, &random);
		assert_int_equal(kit_parse(frame, len, len, &pkt), LATH_DROP_NONE);
		l4_len = len - pkt.l4_offset;
		memset(ip, 0, 40);
		kit_put32(ip, 0x60000000u | (uint32_t)frame[pkt.l3_offset + 1] << 20);
		kit_put16(ip + 4, l4_len);
		ip[6] = in_ipv6(proto);
		ip[7] = (uint8_t)(spec.ttl - 1);
		memcpy(ip + 8, rewrite.src, 32);
		memcpy(ip + 40, frame + pkt.l4_offset, l4_len);
		put_l4(ip + 40, proto, &rewrite.src_port_be, LATH_ICMPV6_ECHO);
		kit_fix_l4(ip);
		pkt.l3_offset += HEADROOM;
		pkt.l4_offset += HEADROOM;
		lath_xlate_4to6(room, &pkt, &rewrite, lath_xlate_deltas_4to6(&pkt.key4, &rewrite));
		assert_memory_equal(room + pkt.l3_offset, ip, 40 + l4_len);
		assert_int_equal(pkt.l3_offset + 40, pkt.l4_offset);
		assert_int_equal(pkt.ip_len, 40 + l4_len);
		assert_int_equal(pkt.family, LATH_FAMILY_IPV6);
		assert_int_equal(pkt.proto, in_ipv6(proto));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(ipv6_to_ipv6_changes_ends_and_nothing_else),
			cmocka_unit_test(ipv6_becomes_ipv4),
			cmocka_unit_test(ipv4_becomes_ipv6),
	};

	return cmocka_run_group_tests_name("xlate6", tests, NULL, NULL);
}
