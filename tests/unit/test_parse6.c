/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "packet_kit.h"

/* IPv6 with extension headers, UDP and ICMPv6. */

static uint64_t random_state = 1;

static struct kit_spec
spec_of(uint8_t proto)
{
	return (struct kit_spec){.src = 0x0a000001,
			.dst = 0x0a000002,
			.sport = 40000,
			.dport = 443,
			.proto = proto,
			.flags = LATH_TCP_ACK,
			.data_len = 24};
}

/* `chain_len` bytes of extension headers go between; the first one is `first`. Returns the length. */
static uint32_t
frame_with(uint8_t *frame, uint8_t proto, uint8_t first, const uint8_t *chain, uint32_t chain_len)
{
	struct kit_spec spec = spec_of(proto);
	uint32_t len = kit_frame6(frame, &spec, &random_state);

	if (chain_len == 0)
		return len;
	memmove(frame + 54 + chain_len, frame + 54, len - 54);
	memcpy(frame + 54, chain, chain_len);
	frame[20] = first;
	kit_put16(frame + 18, kit_get16(frame + 18) + chain_len);
	return len + chain_len;
}

//= RFC7915#5.1-extensions type=test
static void
transport_is_found_behind_extension_headers(void **state)
{
	static const struct {
		const char *name;
		uint8_t first;
		uint8_t len;
		enum lath_drop drop;
		uint8_t chain[80];
	} rows[] = {
			{"none", 6, 0, LATH_DROP_NONE, {0}},
			{"hop by hop", 0, 8, LATH_DROP_NONE, {6}},
			{"hop by hop of 16", 0, 16, LATH_DROP_NONE, {6, 1}},
			{"destination", 60, 8, LATH_DROP_NONE, {6}},
			{"destination twice", 60, 16, LATH_DROP_NONE, {60, 0, [8] = 6}},
			{"hop by hop second", 60, 16, LATH_DROP_ipv6_extension, {0, 0, [8] = 6}},
			{"routing done", 43, 8, LATH_DROP_NONE, {6, 0, 4, 0}},
			{"routing type 0", 43, 8, LATH_DROP_ipv6_routing, {6, 0, 0, 0}},
			{"routing left", 43, 8, LATH_DROP_ipv6_routing, {6, 0, 4, 1}},
			{"atomic fragment", 44, 8, LATH_DROP_NONE, {6, 0, 0, 0, 1, 2, 3, 4}},
			{"first fragment", 44, 8, LATH_DROP_fragment, {6, 0, 0, 1}},
			{"later fragment", 44, 8, LATH_DROP_fragment, {6, 0, 0, 8}},
			{"two fragment headers", 44, 16, LATH_DROP_ipv6_extension,
					{44, 0, 0, 0, [8] = 6}},
			{"longer than the packet", 60, 8, LATH_DROP_ipv6_extension, {6, 200}},
			{"eight", 60, 64, LATH_DROP_NONE,
					{60, 0, [8] = 60, [16] = 60, [24] = 60, [32] = 60,
							[40] = 60, [48] = 60, [56] = 6}},
			{"nine", 60, 72, LATH_DROP_ipv6_extension,
					{60, 0, [8] = 60, [16] = 60, [24] = 60, [32] = 60,
							[40] = 60, [48] = 60, [56] = 60, [64] = 6}},
			{"AH", 51, 8, LATH_DROP_protocol, {6}},
			{"AH behind", 60, 16, LATH_DROP_protocol, {51, 0, [8] = 6}},
			{"mobility", 135, 8, LATH_DROP_protocol, {6}},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_packet pkt = {0};
		uint8_t frame[KIT_FRAME_MAX];
		uint32_t len = frame_with(frame, LATH_PROTO_TCP, rows[i].first, rows[i].chain,
				rows[i].len);

		kit_assert_drop(rows[i].name, kit_parse_exact(frame, len, len, &pkt), rows[i].drop);
		if (rows[i].drop != LATH_DROP_NONE)
			continue;
		assert_int_equal(pkt.proto, LATH_PROTO_TCP);
		assert_int_equal(pkt.l4_offset, 54 + rows[i].len);
		assert_int_equal(pkt.ip_len, len - 14);
		assert_int_equal(lath_from_be16(pkt.key6.dst_port_be), 443);
	}
}

/* A packet that ends anywhere in its headers, and one whose first segment does. */
static void
cut_headers_are_never_read_beyond(void **state)
{
	static const uint8_t chain[24] = {60, 0, [8] = 44, [16] = LATH_PROTO_TCP};
	uint8_t frame[KIT_FRAME_MAX];
	uint32_t whole = frame_with(frame, LATH_PROTO_TCP, 0, chain, sizeof(chain));

	(void)state;
	for (uint32_t len = 14; len < whole; len++) {
		struct lath_packet pkt = {0};
		enum lath_drop expected = len < 54 + 24                  ? LATH_DROP_ip_malformed
				: len < whole - 0u && len < 54 + 24 + 44 ? LATH_DROP_l4_malformed
									 : LATH_DROP_NONE;

		kit_assert_drop("segment", kit_parse_exact(frame, len, whole, &pkt), expected);
	}
	for (uint32_t payload = 0; payload < 24 + 20; payload++) {
		struct lath_packet pkt = {0};

		kit_put16(frame + 18, payload);
		kit_assert_drop("packet", kit_parse_exact(frame, 54 + payload, 54 + payload, &pkt),
				payload < 24 ? LATH_DROP_ipv6_extension : LATH_DROP_l4_malformed);
	}
}

static void
udp_without_a_checksum_is_dropped(void **state)
{
	struct kit_spec spec = spec_of(LATH_PROTO_UDP);
	struct lath_packet pkt = {0};
	uint8_t frame[KIT_FRAME_MAX];
	uint32_t len = kit_frame6(frame, &spec, &random_state);

	(void)state;
	kit_assert_drop("UDP", kit_parse_exact(frame, len, len, &pkt), LATH_DROP_NONE);
	assert_int_equal(lath_from_be16(pkt.key6.src_port_be), 40000);
	kit_put16(frame + 54 + 6, 0);
	kit_assert_drop("none", kit_parse_exact(frame, len, len, &pkt), LATH_DROP_udp_no_cksum);
	kit_put16(frame + 54 + 4, 7);
	kit_assert_drop("short", kit_parse_exact(frame, len, len, &pkt), LATH_DROP_l4_malformed);
}

static void
icmpv6_is_echo_or_error(void **state)
{
	static const struct {
		uint8_t type;
		uint8_t code;
		enum lath_drop drop;
	} rows[] = {
			{128, 0, LATH_DROP_NONE},
			{129, 0, LATH_DROP_NONE},
			{128, 1, LATH_DROP_icmp_type},
			{0, 0, LATH_DROP_icmp_type},
			{1, 4, LATH_DROP_NONE},
			{2, 0, LATH_DROP_NONE},
			{3, 0, LATH_DROP_NONE},
			{4, 1, LATH_DROP_NONE},
			{5, 0, LATH_DROP_icmp_type},
			{127, 0, LATH_DROP_icmp_type},
			{133, 0, LATH_DROP_icmp_type},
			{137, 0, LATH_DROP_icmp_type},
			{255, 0, LATH_DROP_icmp_type},
	};
	struct kit_spec spec = spec_of(LATH_PROTO_ICMPV6);
	uint8_t frame[KIT_FRAME_MAX];

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_packet pkt = {0};
		uint32_t len = kit_frame6(frame, &spec, &random_state);

		frame[54] = rows[i].type;
		frame[55] = rows[i].code;
		kit_fix_l4(frame + 14);
		kit_assert_drop("type", kit_parse_exact(frame, len, len, &pkt), rows[i].drop);
		if (rows[i].drop != LATH_DROP_NONE)
			continue;
		assert_int_equal(lath_packet_is_error(&pkt), rows[i].type < 128);
		assert_int_equal(lath_packet_is_echo_request(&pkt), rows[i].type == 128);
		assert_int_equal(lath_from_be16(pkt.key6.src_port_be),
				rows[i].type < 128 ? 0 : 40000);
		frame[len - 1] ^= 1;
		kit_assert_drop("sum", kit_parse_exact(frame, len, len, &pkt),
				rows[i].type < 128 ? LATH_DROP_NONE : LATH_DROP_icmp_cksum);
	}
}

static void
addresses_of_no_host_are_martians(void **state)
{
	static const struct {
		uint8_t ip[16];
		bool martian;
	} rows[] = {
			{{0}, true},
			{{[15] = 1}, true},
			{{[12] = 10, [15] = 1}, true},
			{{[10] = 0xff, 0xff, 10, 0, 0, 1}, true},
			{{0xff, 2, [15] = 1}, true},
			{{0xff, 0x0e, [15] = 1}, true},
			{{0xfe, 0x80, [15] = 1}, true},
			{{0xfe, 0xbf, [15] = 1}, true},
			{{0xfe, 0xc0, [15] = 1}, false},
			{{0xfd, 0, [15] = 1}, false},
			{{0x20, 1, 0x0d, 0xb8, [15] = 1}, false},
			{{0, 0x64, 0xff, 0x9b, [12] = 10, [15] = 1}, false},
	};
	struct kit_spec spec = spec_of(LATH_PROTO_TCP);
	uint8_t frame[KIT_FRAME_MAX];
	uint32_t len = kit_frame6(frame, &spec, &random_state);
	struct lath_packet pkt = {0};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		enum lath_drop expected = rows[i].martian ? LATH_DROP_martian : LATH_DROP_NONE;

		assert_int_equal(lath_parse_is_martian_v6(rows[i].ip), rows[i].martian);
		for (unsigned at = 22; at <= 38; at += 16) {
			uint8_t before[16];

			memcpy(before, frame + at, 16);
			memcpy(frame + at, rows[i].ip, 16);
			kit_assert_drop("address", kit_parse_exact(frame, len, len, &pkt),
					expected);
			memcpy(frame + at, before, 16);
		}
	}
	memcpy(frame + 22, frame + 38, 16);
	kit_assert_drop("itself", kit_parse_exact(frame, len, len, &pkt), LATH_DROP_martian);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(transport_is_found_behind_extension_headers),
			cmocka_unit_test(cut_headers_are_never_read_beyond),
			cmocka_unit_test(udp_without_a_checksum_is_dropped),
			cmocka_unit_test(icmpv6_is_echo_or_error),
			cmocka_unit_test(addresses_of_no_host_are_martians),
	};

	return cmocka_run_group_tests_name("parse6", tests, NULL, NULL);
}
