/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_craft.h>

#include "packet_kit.h"

static uint64_t random_state = 1; /* only fills bytes that do not matter */

static const struct lath_mac gateway = {{2, 0, 0, 0, 0, 1}};
static const struct lath_mac client = {{2, 0, 0, 0, 0, 2}};

static const struct kit_spec tcp_spec = {.src = 0x0a000001,
		.dst = 0x0a000002,
		.sport = 40000,
		.dport = 443,
		.proto = LATH_PROTO_TCP};

static void
arp_request_is_this_to_the_byte(void **state)
{
	static const uint8_t expected[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1,
			8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 254, 0, 0, 0, 0,
			0, 0, 10, 0, 0, 7};
	const struct lath_craft_arp arp = {
			.op = LATH_ARP_REQUEST,
			.eth_dst = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
			.sender_mac = gateway,
			.sender_ip_be = lath_to_be32(0x0a0000fe),
			.target_ip_be = lath_to_be32(0x0a000007),
	};
	uint8_t *frame = malloc(60);

	(void)state;
	assert_non_null(frame);
	memset(frame, 0xaa, 60);
	assert_int_equal(lath_craft_arp(frame, &arp), 60);
	assert_memory_equal(frame, expected, 60);
	free(frame);
}

static void
tagged_arp_is_four_bytes_longer(void **state)
{
	static const uint8_t head[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0x0f, 0xfe, 8,
			6, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 254, 2, 0, 0, 0, 0,
			2, 10, 0, 0, 7, 0};
	const struct lath_craft_arp arp = {
			.op = LATH_ARP_REPLY,
			.vlan = 4094,
			.eth_dst = client,
			.sender_mac = gateway,
			.target_mac = client,
			.sender_ip_be = lath_to_be32(0x0a0000fe),
			.target_ip_be = lath_to_be32(0x0a000007),
	};
	uint8_t *frame = malloc(64);

	(void)state;
	assert_non_null(frame);
	assert_int_equal(lath_craft_arp(frame, &arp), 64);
	assert_memory_equal(frame, head, sizeof(head));
	assert_int_equal(frame[63], 0);
	assert_true(LATH_CRAFT_ARP_MAX >= 64);
	free(frame);
}

static void
ethernet_is_14_bytes_or_18_with_a_tag(void **state)
{
	static const uint8_t tagged[18] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 5, 8, 0};
	uint8_t frame[18];

	(void)state;
	assert_int_equal(lath_craft_ethernet(frame, &client, &gateway, 5, 0x0800), 18);
	assert_memory_equal(frame, tagged, 18);
	assert_int_equal(lath_craft_ethernet(frame, &client, &gateway, 0, 0x0800), 14);
	assert_memory_equal(frame, tagged, 12);
	assert_int_equal(kit_get16(frame + 12), 0x0800);
}

static void
arp_request_is_turned_into_its_reply(void **state)
{
	const struct lath_craft_arp asked = {
			.op = LATH_ARP_REQUEST,
			.vlan = 7,
			.eth_dst = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
			.sender_mac = client,
			.sender_ip_be = lath_to_be32(0x0a000007),
			.target_ip_be = lath_to_be32(0x0a0000fe),
	};
	const struct lath_craft_arp answer = {
			.op = LATH_ARP_REPLY,
			.vlan = 7,
			.eth_dst = client,
			.sender_mac = gateway,
			.target_mac = client,
			.sender_ip_be = lath_to_be32(0x0a0000fe),
			.target_ip_be = lath_to_be32(0x0a000007),
	};
	const struct lath_packet pkt = {.l3_offset = 18};
	uint8_t frame[64];
	uint8_t expected[64];

	(void)state;
	lath_craft_arp(frame, &asked);
	lath_craft_arp_reply(frame, &pkt, &gateway);
	lath_craft_arp(expected, &answer);
	assert_memory_equal(frame, expected, 64);
}

static void
echo_reply_has_the_ends_swapped_and_good_sums(void **state)
{
	uint64_t random = lath_test_random(__func__);
	struct kit_spec spec = tcp_spec;

	(void)state;
	spec.proto = LATH_PROTO_ICMP;
	for (unsigned i = 0; i < 2000; i++) {
		uint8_t frame[KIT_FRAME_MAX];
		uint8_t before[KIT_FRAME_MAX];
		struct lath_packet pkt = {0};
		uint32_t len;

		spec.data_len = (uint16_t)lath_random_below(&random, 1400);
		spec.sport = (uint16_t)lath_random_next(&random);
		len = kit_frame4(frame, &spec, &random);
		assert_int_equal(kit_parse(frame, len, len, &pkt), LATH_DROP_NONE);
		memcpy(before, frame, len);
		lath_craft_echo_reply(frame, &pkt);
		kit_put32(before + 26, spec.dst);
		kit_put32(before + 30, spec.src);
		before[22] = 64;
		before[34] = LATH_ICMP_ECHO_REPLY;
		kit_fix_ip(before + 14);
		kit_fix_l4(before + 14);
		assert_memory_equal(frame, before, len);
	}
}

/* ---- RST ---------------------------------------------------------------------------------- */

/* RFC 9293 section 3.10.7.1: what answers a segment that belongs to nothing. */
static void
answer_takes_its_numbers_from_the_segment(void **state)
{
	static const struct {
		const char *name;
		uint8_t flags;
		uint8_t option_len;
		uint16_t data_len;
		uint32_t seq;
		uint32_t ack;
		uint32_t answer_seq;
		uint32_t answer_ack;
		uint8_t answer_flags;
	} rows[] = {
			{"SYN", 0x02, 20, 0, 1000, 77, 0, 1001, 0x14},
			{"SYN with data", 0x02, 0, 5, 1000, 0, 0, 1006, 0x14},
			{"SYN at the wrap", 0x02, 4, 0, 0xffffffff, 0, 0, 0, 0x14},
			{"SYN+ACK", 0x12, 0, 0, 1000, 77, 77, 0, 0x04},
			{"ACK", 0x10, 12, 9, 1000, 77, 77, 0, 0x04},
			{"FIN+ACK", 0x11, 0, 0, 1000, 0xfffffffe, 0xfffffffe, 0, 0x04},
			{"FIN", 0x01, 40, 3, 1000, 0, 0, 1004, 0x14},
			{"nothing but data", 0x08, 0, 10, 0xfffffffa, 0, 0, 4, 0x14},
			{"ECN bits", 0xc2, 0, 0, 1000, 0, 0, 1001, 0x14},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct kit_spec spec = tcp_spec;
		struct lath_packet pkt = {.l3_offset = 14, .l4_offset = 34, .family = 4};
		uint8_t frame[KIT_FRAME_MAX];

		spec.flags = rows[i].flags;
		spec.option_len = rows[i].option_len;
		spec.data_len = rows[i].data_len;
		pkt.ip_len = (uint16_t)(kit_frame4(frame, &spec, &random_state) - 14);
		kit_put32(frame + 38, rows[i].seq);
		kit_put32(frame + 42, rows[i].ack);
		lath_craft_reset_answer(frame, &pkt);
		if (kit_get32(frame + 38) != rows[i].answer_seq ||
				kit_get32(frame + 42) != rows[i].answer_ack ||
				frame[47] != rows[i].answer_flags)
			fail_msg("%s: seq %u, ack %u, flags %x", rows[i].name,
					kit_get32(frame + 38), kit_get32(frame + 42), frame[47]);
	}
}

static void
answer_is_a_bare_header_with_the_ends_swapped(void **state)
{
	struct kit_spec spec = tcp_spec;
	struct lath_packet pkt = {0};
	uint8_t frame[KIT_FRAME_MAX];
	uint8_t expected[40];
	uint32_t len;

	(void)state;
	spec.flags = LATH_TCP_SYN;
	spec.option_len = 8;
	spec.data_len = 3;
	spec.tagged = true;
	spec.vlan = 5;
	spec.ttl = 3;
	len = kit_frame4(frame, &spec, &random_state);
	assert_int_equal(kit_parse(frame, len, len, &pkt), LATH_DROP_NONE);
	memset(expected, 0, sizeof(expected));
	memcpy(expected, "\x45\0\0\x28\0\0\x40\0\x40\6\0\0\12\0\0\2\12\0\0\1", 20);
	kit_put16(expected + 20, 443);
	kit_put16(expected + 22, 40000);
	kit_put32(expected + 28, kit_get32(frame + 42) + 4);
	expected[32] = 0x50;
	expected[33] = LATH_TCP_RST | LATH_TCP_ACK;
	kit_fix_ip(expected);
	kit_fix_l4(expected);
	lath_craft_reset_answer(frame, &pkt);
	assert_int_equal(pkt.ip_len, 40);
	assert_memory_equal(frame + 18, expected, 40);
}

/* RFC 5961 section 3.2: only the exact sequence number is believed. */
static void
onward_reset_keeps_direction_and_numbers(void **state)
{
	static const uint8_t flags[] = {LATH_TCP_ACK, LATH_TCP_SYN, LATH_TCP_PSH | LATH_TCP_ACK,
			LATH_TCP_FIN | LATH_TCP_ACK};

	(void)state;
	for (unsigned i = 0; i < 2 * LATH_ARRAY_SIZE(flags); i++) {
		bool v6 = i % 2 == 1;
		unsigned header = v6 ? 40 : 20;
		struct kit_spec spec = tcp_spec;
		struct lath_packet pkt = {0};
		uint8_t frame[KIT_FRAME_MAX];
		uint8_t expected[60];
		uint32_t len;

		spec.flags = flags[i / 2];
		spec.option_len = 12;
		spec.data_len = 77;
		len = v6 ? kit_frame6(frame, &spec, &random_state)
			 : kit_frame4(frame, &spec, &random_state);
		assert_int_equal(kit_parse(frame, len, len, &pkt), LATH_DROP_NONE);
		memcpy(expected, frame + 14, header + 20);
		kit_put16(expected + (v6 ? 4 : 2), v6 ? 20 : 40);
		expected[header + 12] = 0x50;
		expected[header + 13] = (uint8_t)(LATH_TCP_RST | (spec.flags & LATH_TCP_ACK));
		memset(expected + header + 14, 0, 6);
		if (!v6)
			kit_fix_ip(expected);
		kit_fix_l4(expected);
		lath_craft_reset_onward(frame, &pkt);
		assert_int_equal(pkt.ip_len, header + 20);
		assert_memory_equal(frame + 14, expected, header + 20);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(arp_request_is_this_to_the_byte),
			cmocka_unit_test(tagged_arp_is_four_bytes_longer),
			cmocka_unit_test(ethernet_is_14_bytes_or_18_with_a_tag),
			cmocka_unit_test(arp_request_is_turned_into_its_reply),
			cmocka_unit_test(echo_reply_has_the_ends_swapped_and_good_sums),
			cmocka_unit_test(answer_takes_its_numbers_from_the_segment),
			cmocka_unit_test(answer_is_a_bare_header_with_the_ends_swapped),
			cmocka_unit_test(onward_reset_keeps_direction_and_numbers),
	};

	return cmocka_run_group_tests_name("craft", tests, NULL, NULL);
}
