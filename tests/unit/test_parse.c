/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "packet_kit.h"

static uint64_t random_state = 1; /* only fills bytes that do not matter */

static const struct kit_spec tcp_spec = {.src = 0x0a000001,
		.dst = 0x0a000002,
		.sport = 40000,
		.dport = 443,
		.proto = LATH_PROTO_TCP,
		.flags = LATH_TCP_ACK,
		.option_len = 12,
		.data_len = 40};

static void
frame_has_at_most_two_tags(void **state)
{
	static const struct {
		const char *name;
		uint16_t words[5]; /* from byte 12 */
		uint32_t len;
		enum lath_drop drop;
		uint16_t vlan;
		uint16_t l3_offset;
		uint16_t ethertype;
		uint16_t outer_vlan;
	} rows[] = {
			{"empty", {0}, 0, LATH_DROP_frame_short, 0, 0, 0, 0},
			{"one short", {0x0800}, 13, LATH_DROP_frame_short, 0, 0, 0, 0},
			{"untagged", {0x0800}, 14, LATH_DROP_NONE, 0, 14, 0x0800, 0},
			{"tag cut", {0x8100, 7, 0x0800}, 14, LATH_DROP_frame_short, 0, 0, 0, 0},
			{"tag one short", {0x8100, 7, 0x0800}, 17, LATH_DROP_frame_short, 0, 0, 0,
					0},
			{"tagged", {0x8100, 7, 0x0806}, 18, LATH_DROP_NONE, 7, 18, 0x0806, 0},
			{"priority", {0x8100, 0xe000, 0x0800}, 18, LATH_DROP_NONE, 0, 18, 0x0800,
					0},
			{"all bits", {0x8100, 0xffff, 0x86dd}, 18, LATH_DROP_NONE, 4095, 18, 0x86dd,
					0},
			{"two tags", {0x8100, 7, 0x8100}, 22, LATH_DROP_NONE, 7, 18, 0x8100, 0},
			{"service tag", {0x88a8, 7, 0x0800}, 18, LATH_DROP_NONE, 0, 18, 0x0800, 7},
			{"service tag cut", {0x88a8, 7, 0x0800}, 17, LATH_DROP_frame_short, 0, 0, 0,
					0},
			{"both", {0x88a8, 0xe007, 0x8100, 0x2009, 0x0800}, 22, LATH_DROP_NONE, 9,
					22, 0x0800, 7},
			{"second cut", {0x88a8, 7, 0x8100, 9, 0x0800}, 21, LATH_DROP_frame_short, 0,
					0, 0, 0},
			{"two of service", {0x88a8, 7, 0x88a8, 9}, 22, LATH_DROP_NONE, 0, 18,
					0x88a8, 7},
			{"service behind the other", {0x8100, 7, 0x88a8, 9}, 22, LATH_DROP_NONE, 7,
					18, 0x88a8, 0},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_packet pkt = {.vlan = 99, .outer_vlan = 99};
		uint8_t frame[22] = {0};
		uint16_t ethertype = 0;
		uint8_t *copy;

		for (unsigned word = 0; word < 5; word++)
			kit_put16(frame + 12 + 2 * word, rows[i].words[word]);
		copy = kit_exact(frame, rows[i].len);
		kit_assert_drop(rows[i].name, lath_parse_frame(copy, rows[i].len, &pkt, &ethertype),
				rows[i].drop);
		free(copy);
		if (rows[i].drop != LATH_DROP_NONE)
			continue;
		assert_int_equal(pkt.vlan, rows[i].vlan);
		assert_int_equal(pkt.outer_vlan, rows[i].outer_vlan);
		assert_int_equal(pkt.l3_offset, rows[i].l3_offset);
		assert_int_equal(ethertype, rows[i].ethertype);
	}
}

static void
whole_packet_fills_everything_but_the_vpc(void **state)
{
	struct kit_spec spec = tcp_spec;
	struct lath_packet pkt = {0};
	uint8_t frame[KIT_FRAME_MAX];
	uint32_t len;

	(void)state;
	spec.tagged = true;
	spec.vlan = 0x2064;
	len = kit_frame4(frame, &spec, &random_state);
	memset(frame + len, 0xaa, 10); /* padding */
	assert_int_equal(kit_parse_exact(frame, len + 10, len + 10, &pkt), LATH_DROP_NONE);
	assert_int_equal(pkt.vlan, 100);
	assert_int_equal(pkt.l3_offset, 18);
	assert_int_equal(pkt.l4_offset, 38);
	assert_int_equal(pkt.ip_len, len - 18);
	assert_int_equal(pkt.family, LATH_FAMILY_IPV4);
	assert_int_equal(pkt.proto, LATH_PROTO_TCP);
	assert_int_equal(pkt.tcp_flags, LATH_TCP_ACK);
	assert_true(pkt.key4.src_be == lath_to_be32(spec.src));
	assert_true(pkt.key4.dst_be == lath_to_be32(spec.dst));
	assert_true(pkt.key4.src_port_be == lath_to_be16(spec.sport));
	assert_true(pkt.key4.dst_port_be == lath_to_be16(spec.dport));
	assert_int_equal(pkt.key4.proto_vpc, lath_key_proto_vpc(LATH_PROTO_TCP, 0));
}

static void
every_shorter_frame_is_dropped_for_its_reason(void **state)
{
	static const uint8_t protocols[] = {LATH_PROTO_TCP, LATH_PROTO_UDP, LATH_PROTO_ICMP};
	struct kit_spec spec = tcp_spec;
	uint8_t frame[KIT_FRAME_MAX];

	(void)state;
	for (unsigned p = 0; p < LATH_ARRAY_SIZE(protocols); p++) {
		uint32_t whole;

		spec.proto = protocols[p];
		whole = kit_frame4(frame, &spec, &random_state);
		for (uint32_t len = 0; len <= whole; len++) {
			struct lath_packet pkt = {0};
			enum lath_drop expected = len == whole ? LATH_DROP_NONE
					: len < 14             ? LATH_DROP_frame_short
							       : LATH_DROP_ip_malformed;

			kit_assert_drop("IPv4", kit_parse_exact(frame, len, len, &pkt), expected);
		}
	}
	spec.proto = LATH_PROTO_TCP;
	for (uint32_t len = 0, whole = kit_frame6(frame, &spec, &random_state); len <= whole;
			len++) {
		struct lath_packet pkt = {0};
		enum lath_drop expected = len == whole ? LATH_DROP_NONE
				: len < 14             ? LATH_DROP_frame_short
						       : LATH_DROP_ip_malformed;

		kit_assert_drop("IPv6", kit_parse_exact(frame, len, len, &pkt), expected);
	}
}

/* The frame goes on in further segments: headers must lie in the first, data need not. */
static void
first_segment_must_hold_the_headers(void **state)
{
	static const struct {
		uint8_t proto;
		uint32_t l4_min; /* bytes of l4 that must be there */
	} rows[] = {
			{LATH_PROTO_TCP, 60},
			{LATH_PROTO_UDP, 8},
			{LATH_PROTO_ICMP, 8},
	};
	struct kit_spec spec = tcp_spec;
	uint8_t frame[KIT_FRAME_MAX];

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		uint32_t whole;

		spec.proto = rows[i].proto;
		whole = kit_frame4(frame, &spec, &random_state);
		for (uint32_t len = 14; len <= whole; len++) {
			struct lath_packet pkt = {0};
			enum lath_drop expected = len < 34          ? LATH_DROP_ip_malformed
					: len < 34 + rows[i].l4_min ? LATH_DROP_l4_malformed
								    : LATH_DROP_NONE;

			kit_assert_drop("segment", kit_parse_exact(frame, len, whole, &pkt),
					expected);
		}
	}
}

/* A change at one byte or word of a good packet; `fix`: with the header checksum mended. */
struct ip_row {
	const char *name;
	uint8_t at;
	uint8_t bytes;
	uint32_t value;
	bool fix;
	enum lath_drop drop;
};

static const struct ip_row ip_rows[] = {
		{"as it was", 9, 1, LATH_PROTO_TCP, true, LATH_DROP_NONE},
		{"version 5", 0, 1, 0x55, true, LATH_DROP_ip_malformed},
		{"version 6", 0, 1, 0x65, true, LATH_DROP_ip_malformed},
		{"version 0", 0, 1, 0x05, true, LATH_DROP_ip_malformed},
		{"header of 16", 0, 1, 0x44, true, LATH_DROP_ip_malformed},
		{"header of 0", 0, 1, 0x40, true, LATH_DROP_ip_malformed},
		{"options", 0, 1, 0x46, true, LATH_DROP_ip_options},
		{"most options", 0, 1, 0x4f, true, LATH_DROP_ip_options},
		{"options, bad sum", 0, 1, 0x46, false, LATH_DROP_ip_cksum},
		{"length 0", 2, 2, 0, true, LATH_DROP_ip_malformed},
		{"length 19", 2, 2, 19, true, LATH_DROP_ip_malformed},
		{"length 20", 2, 2, 20, true, LATH_DROP_l4_malformed},
		{"length 39", 2, 2, 39, true, LATH_DROP_l4_malformed},
		{"length 52", 2, 2, 52, true, LATH_DROP_NONE},
		{"length 51", 2, 2, 51, true, LATH_DROP_l4_malformed},
		{"length one less", 2, 2, 91, true, LATH_DROP_NONE},
		{"length one more", 2, 2, 93, true, LATH_DROP_ip_malformed},
		{"length most", 2, 2, 65535, true, LATH_DROP_ip_malformed},
		{"bad sum", 10, 2, 0, false, LATH_DROP_ip_cksum},
		{"ttl changed", 8, 1, 1, false, LATH_DROP_ip_cksum},
		{"more fragments", 6, 2, 0x2000, true, LATH_DROP_fragment},
		{"last fragment", 6, 2, 1, true, LATH_DROP_fragment},
		{"middle fragment", 6, 2, 0x3fff, true, LATH_DROP_fragment},
		{"DF and offset", 6, 2, 0x4001, true, LATH_DROP_fragment},
		{"reserved bit", 6, 2, 0x8000, true, LATH_DROP_NONE},
		{"protocol 0", 9, 1, 0, true, LATH_DROP_protocol},
		{"GRE", 9, 1, 47, true, LATH_DROP_protocol},
		{"ICMPv6", 9, 1, 58, true, LATH_DROP_protocol},
		{"from 0.0.0.0", 12, 4, 0, true, LATH_DROP_martian},
		{"from 0.255.255.255", 12, 4, 0x00ffffff, true, LATH_DROP_martian},
		{"from 1.0.0.0", 12, 4, 0x01000000, true, LATH_DROP_NONE},
		{"from 126.255.255.255", 12, 4, 0x7effffff, true, LATH_DROP_NONE},
		{"from 127.0.0.0", 12, 4, 0x7f000000, true, LATH_DROP_martian},
		{"from 128.0.0.0", 12, 4, 0x80000000, true, LATH_DROP_NONE},
		{"from 223.255.255.255", 12, 4, 0xdfffffff, true, LATH_DROP_NONE},
		{"from 224.0.0.0", 12, 4, 0xe0000000, true, LATH_DROP_martian},
		{"from 240.0.0.1", 12, 4, 0xf0000001, true, LATH_DROP_martian},
		{"to broadcast", 16, 4, 0xffffffff, true, LATH_DROP_multicast},
		{"to 224.0.0.0", 16, 4, 0xe0000000, true, LATH_DROP_multicast},
		{"to 239.255.255.255", 16, 4, 0xefffffff, true, LATH_DROP_multicast},
		{"to 240.0.0.0", 16, 4, 0xf0000000, true, LATH_DROP_martian},
		{"to 223.255.255.255", 16, 4, 0xdfffffff, true, LATH_DROP_NONE},
		{"to loopback", 16, 4, 0x7f000001, true, LATH_DROP_martian},
		{"to 0.0.0.1", 16, 4, 1, true, LATH_DROP_martian},
		{"to itself", 16, 4, 0x0a000001, true, LATH_DROP_land},
};

static void
ipv4_header_is_checked_field_by_field(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(ip_rows); i++) {
		const struct ip_row *row = &ip_rows[i];
		struct lath_packet pkt = {0};
		uint8_t frame[KIT_FRAME_MAX];
		uint8_t word[4];
		uint32_t len = kit_frame4(frame, &tcp_spec, &random_state);

		assert_int_equal(len, 14 + 92);
		kit_put32(word, row->value);
		memcpy(frame + 14 + row->at, word + 4 - row->bytes, row->bytes);
		if (row->fix)
			kit_fix_ip(frame + 14);
		kit_assert_drop(row->name, kit_parse_exact(frame, len, len, &pkt), row->drop);
	}
}

static void
l4_lengths_are_checked_at_each_boundary(void **state)
{
	static const struct {
		const char *name;
		uint8_t proto;
		uint32_t l4_len;
		uint8_t at; /* of a byte to change */
		uint8_t value;
		enum lath_drop drop;
	} rows[] = {
			{"TCP of nothing", 6, 0, 0, 0, LATH_DROP_l4_malformed},
			{"TCP of 19", 6, 19, 0, 0, LATH_DROP_l4_malformed},
			{"TCP of 20", 6, 20, 12, 0x50, LATH_DROP_NONE},
			{"offset 4", 6, 20, 12, 0x40, LATH_DROP_l4_malformed},
			{"offset 0", 6, 20, 12, 0x00, LATH_DROP_l4_malformed},
			{"offset 6 of 20", 6, 20, 12, 0x60, LATH_DROP_l4_malformed},
			{"offset 6 of 24", 6, 24, 12, 0x60, LATH_DROP_NONE},
			{"offset 15 of 59", 6, 59, 12, 0xf0, LATH_DROP_l4_malformed},
			{"offset 15 of 60", 6, 60, 12, 0xf0, LATH_DROP_NONE},
			{"UDP of nothing", 17, 0, 0, 0, LATH_DROP_l4_malformed},
			{"UDP of 7", 17, 7, 0, 0, LATH_DROP_l4_malformed},
			{"UDP of 8", 17, 8, 5, 8, LATH_DROP_NONE},
			{"UDP says 7", 17, 12, 5, 7, LATH_DROP_l4_malformed},
			{"UDP says 0", 17, 12, 5, 0, LATH_DROP_l4_malformed},
			{"UDP says 8 of 12", 17, 12, 5, 8, LATH_DROP_NONE},
			{"UDP says 13 of 12", 17, 12, 5, 13, LATH_DROP_l4_malformed},
			{"UDP says 12 of 12", 17, 12, 5, 12, LATH_DROP_NONE},
			{"ICMP of nothing", 1, 0, 0, 8, LATH_DROP_l4_malformed},
			{"ICMP of 7", 1, 7, 0, 8, LATH_DROP_l4_malformed},
			{"ICMP of 8", 1, 8, 0, 8, LATH_DROP_NONE},
			{"ICMP of 9", 1, 9, 0, 8, LATH_DROP_NONE},
			{"echo reply", 1, 8, 0, 0, LATH_DROP_NONE},
			{"unreachable", 1, 36, 0, 3, LATH_DROP_NONE},
			{"unreachable of 7", 1, 7, 0, 3, LATH_DROP_l4_malformed},
			{"source quench", 1, 36, 0, 4, LATH_DROP_icmp_type},
			{"redirect", 1, 36, 0, 5, LATH_DROP_icmp_type},
			{"time exceeded", 1, 36, 0, 11, LATH_DROP_NONE},
			{"parameter problem", 1, 36, 0, 12, LATH_DROP_NONE},
			{"timestamp", 1, 20, 0, 13, LATH_DROP_icmp_type},
			{"echo with a code", 1, 8, 1, 1, LATH_DROP_icmp_type},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct kit_spec spec = tcp_spec;
		struct lath_packet pkt = {0};
		uint8_t frame[KIT_FRAME_MAX];
		uint32_t len = 14 + 20 + rows[i].l4_len;

		spec.proto = rows[i].proto;
		spec.option_len = 0;
		kit_frame4(frame, &spec, &random_state);
		kit_put16(frame + 16, 20 + rows[i].l4_len);
		kit_fix_ip(frame + 14);
		frame[34 + rows[i].at] = rows[i].value;
		if (rows[i].proto == LATH_PROTO_ICMP && rows[i].l4_len >= 8)
			kit_fix_l4(frame + 14);
		kit_assert_drop(rows[i].name, kit_parse_exact(frame, len, len, &pkt), rows[i].drop);
	}
}

static void
only_flags_that_a_stack_sends_pass(void **state)
{
	struct kit_spec spec = tcp_spec;
	uint8_t frame[KIT_FRAME_MAX];

	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		bool fin = (flags & LATH_TCP_FIN) != 0;
		bool syn = (flags & LATH_TCP_SYN) != 0;
		bool rst = (flags & LATH_TCP_RST) != 0;
		bool ack = (flags & LATH_TCP_ACK) != 0;
		bool good = (syn || rst || ack) && !(syn && (fin || rst));
		struct lath_packet pkt = {0};
		uint32_t len;

		spec.flags = (uint8_t)flags;
		len = kit_frame4(frame, &spec, &random_state);
		kit_assert_drop("flags", kit_parse_exact(frame, len, len, &pkt),
				good ? LATH_DROP_NONE : LATH_DROP_tcp_flags);
		if (good)
			assert_int_equal(pkt.tcp_flags, flags);
	}
}

static void
icmp_sum_is_verified_when_the_message_is_there(void **state)
{
	struct kit_spec spec = tcp_spec;
	struct lath_packet pkt = {0};
	uint8_t frame[KIT_FRAME_MAX];
	uint32_t len;

	(void)state;
	spec.proto = LATH_PROTO_ICMP;
	spec.data_len = 33;
	len = kit_frame4(frame, &spec, &random_state);
	memset(frame + len, 0x55, 8); /* padding takes no part */
	kit_assert_drop("good", kit_parse_exact(frame, len + 8, len + 8, &pkt), LATH_DROP_NONE);
	assert_int_equal(pkt.icmp_type, LATH_ICMP_ECHO);
	assert_true(pkt.key4.src_port_be == lath_to_be16(spec.sport));
	assert_true(pkt.key4.dst_port_be == lath_to_be16(spec.sport));
	frame[len - 1] ^= 0x10;
	kit_assert_drop("last byte", kit_parse_exact(frame, len, len, &pkt), LATH_DROP_icmp_cksum);
	kit_assert_drop("last byte elsewhere", kit_parse_exact(frame, len - 1, len, &pkt),
			LATH_DROP_NONE);
}

static void
ipv6_is_tcp_behind_a_whole_header(void **state)
{
	static const struct {
		const char *name;
		uint8_t at;
		uint8_t value;
		enum lath_drop drop;
	} rows[] = {
			{"as it was", 6, LATH_PROTO_TCP, LATH_DROP_NONE},
			{"version 4", 0, 0x45, LATH_DROP_ip_malformed},
			{"payload one more", 5, 73, LATH_DROP_ip_malformed},
			{"payload 65,352", 4, 0xff, LATH_DROP_ip_malformed},
			{"payload 20 of 32", 5, 20, LATH_DROP_l4_malformed},
			{"payload 31 of 32", 5, 31, LATH_DROP_l4_malformed},
			{"payload 32 of 32", 5, 32, LATH_DROP_NONE},
			{"payload 19", 5, 19, LATH_DROP_l4_malformed},
			{"payload 0", 5, 0, LATH_DROP_l4_malformed},
			{"ESP", 6, 50, LATH_DROP_protocol},
			{"AH", 6, 51, LATH_DROP_protocol},
			{"no next header", 6, 59, LATH_DROP_protocol},
			{"ICMP", 6, LATH_PROTO_ICMP, LATH_DROP_protocol},
			{"offset 4", 52, 0x40, LATH_DROP_l4_malformed},
			{"offset 15", 52, 0xf0, LATH_DROP_NONE},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_packet pkt = {0};
		uint8_t frame[KIT_FRAME_MAX];
		uint32_t len = kit_frame6(frame, &tcp_spec, &random_state);

		assert_int_equal(len, 14 + 40 + 72);
		frame[14 + rows[i].at] = rows[i].value;
		kit_assert_drop(rows[i].name, kit_parse_exact(frame, len, len, &pkt), rows[i].drop);
		if (rows[i].drop != LATH_DROP_NONE)
			continue;
		assert_int_equal(pkt.family, LATH_FAMILY_IPV6);
		assert_int_equal(pkt.l4_offset, 54);
		assert_memory_equal(pkt.key6.src, frame + 22, 32);
		assert_memory_equal(&pkt.key6.src_port_be, frame + 54, 4);
	}
}

static void
ipv6_longer_than_a_length_can_say_is_refused(void **state)
{
	struct lath_packet pkt = {.l3_offset = 14};
	uint8_t *frame = calloc(1, 70000);

	(void)state;
	assert_non_null(frame);
	kit_frame6(frame, &tcp_spec, &random_state);
	kit_put16(frame + 18, 65535 - 40);
	kit_assert_drop("65,535", lath_parse_ipv6(frame, 70000, 70000, &pkt), LATH_DROP_NONE);
	assert_int_equal(pkt.ip_len, 65535);
	kit_put16(frame + 18, 65535 - 39);
	kit_assert_drop("65,536", lath_parse_ipv6(frame, 70000, 70000, &pkt),
			LATH_DROP_ip_malformed);
	free(frame);
}

static void
ipv6_first_segment_must_hold_the_tcp_header(void **state)
{
	uint8_t frame[KIT_FRAME_MAX];
	uint32_t whole = kit_frame6(frame, &tcp_spec, &random_state);

	(void)state;
	for (uint32_t len = 14; len <= whole; len++) {
		struct lath_packet pkt = {0};
		enum lath_drop expected = len < 54 ? LATH_DROP_ip_malformed
				: len < 54 + 60    ? LATH_DROP_l4_malformed
						   : LATH_DROP_NONE;

		kit_assert_drop("segment", kit_parse_exact(frame, len, whole, &pkt), expected);
	}
}

static void
arp_is_ethernet_and_ipv4_to_the_last_byte(void **state)
{
	static const uint8_t good[28] = {0, 1, 8, 0, 6, 4, 0, 1};
	const struct lath_arp_hdr *arp = NULL;
	struct lath_packet pkt = {.l3_offset = 14};
	uint8_t frame[42] = {0};

	(void)state;
	memcpy(frame + 14, good, sizeof(good));
	for (uint32_t len = 0; len <= 42; len++) {
		uint8_t *copy = kit_exact(frame, len);

		kit_assert_drop("length", lath_parse_arp(copy, len, &pkt, &arp),
				len < 42 ? LATH_DROP_arp_malformed : LATH_DROP_NONE);
		assert_true(len < 42 ? arp == NULL : (const uint8_t *)arp == copy + 14);
		free(copy);
	}
	for (unsigned at = 0; at < 8; at++) {
		frame[14 + at] ^= 0x80;
		/* The operation is the caller's. */
		kit_assert_drop("field", lath_parse_arp(frame, 42, &pkt, &arp),
				at < 6 ? LATH_DROP_arp_malformed : LATH_DROP_NONE);
		frame[14 + at] ^= 0x80;
	}
}

/* Whatever the bytes, what was accepted lies inside; ASAN watches the reads. */
static void
damaged_packets_never_lead_outside(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 20000, 2000000);

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		static const uint8_t protocols[] = {
				LATH_PROTO_TCP, LATH_PROTO_UDP, LATH_PROTO_ICMP};
		struct kit_spec spec = tcp_spec;
		struct lath_packet pkt = {0};
		uint8_t frame[KIT_FRAME_MAX];
		uint32_t frame_len;
		uint32_t len;

		spec.proto = protocols[lath_random_below(&random, 3)];
		spec.tagged = lath_random_below(&random, 2) == 0;
		frame_len = lath_random_below(&random, 4) == 0 ? kit_frame6(frame, &spec, &random)
							       : kit_frame4(frame, &spec, &random);
		for (unsigned n = lath_random_below(&random, 4); n > 0; n--)
			frame[lath_random_below(&random, frame_len)] = (uint8_t)
					lath_random_next(&random);
		if (lath_random_below(&random, 2) == 0)
			kit_fix_ip(frame + (spec.tagged ? 18 : 14));
		frame_len = lath_random_below(&random, frame_len + 1);
		len = lath_random_below(&random, 2) == 0
				? frame_len
				: lath_random_below(&random, frame_len + 1);
		if (kit_parse_exact(frame, len, frame_len, &pkt) != LATH_DROP_NONE)
			continue;
		assert_true(pkt.l3_offset + (uint32_t)pkt.ip_len <= frame_len);
		assert_true(pkt.l3_offset < pkt.l4_offset && pkt.l4_offset + 8u <= len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(frame_has_at_most_two_tags),
			cmocka_unit_test(whole_packet_fills_everything_but_the_vpc),
			cmocka_unit_test(every_shorter_frame_is_dropped_for_its_reason),
			cmocka_unit_test(first_segment_must_hold_the_headers),
			cmocka_unit_test(ipv4_header_is_checked_field_by_field),
			cmocka_unit_test(l4_lengths_are_checked_at_each_boundary),
			cmocka_unit_test(only_flags_that_a_stack_sends_pass),
			cmocka_unit_test(icmp_sum_is_verified_when_the_message_is_there),
			cmocka_unit_test(ipv6_is_tcp_behind_a_whole_header),
			cmocka_unit_test(ipv6_longer_than_a_length_can_say_is_refused),
			cmocka_unit_test(ipv6_first_segment_must_hold_the_tcp_header),
			cmocka_unit_test(arp_is_ethernet_and_ipv4_to_the_last_byte),
			cmocka_unit_test(damaged_packets_never_lead_outside),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
