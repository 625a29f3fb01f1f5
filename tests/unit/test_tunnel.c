/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_tunnel.h>

#include "packet_kit.h"

#define L3 14u
#define INNER_LEN 40u

static const uint8_t gwlb_options[] = {
		0x01, 0x08, 0x01, 0x02, 0x0a, 1, 2, 3, 4, 5, 6, 7, /* endpoint */
		0x01, 0x08, 0x02, 0x02, 0x0b, 1, 2, 3, 4, 5, 6, 7, /* attachment */
		0x01, 0x08, 0x03, 0x01, 0xde, 0xad, 0xbe, 0xef,    /* cookie */
};

static struct lath_ip
ip_of(const char *text)
{
	struct lath_ip ip;

	assert_int_equal(lath_ip_parse(text, &ip), 0);
	return ip;
}

static struct lath_tunnel_spec
spec_of(enum lath_tunnel_kind kind, bool v6, bool ethernet)
{
	return (struct lath_tunnel_spec){
			.kind = kind,
			.src = ip_of(v6 ? "fd00::1" : "192.0.2.1"),
			.dst = ip_of(v6 ? "fd00::2" : "192.0.2.2"),
			.vni = 0xabcdef,
			.protocol = ethernet ? LATH_TUNNEL_ETHERNET : LATH_ETHERTYPE_IPV4,
			.inner_ethertype = LATH_ETHERTYPE_IPV4,
			.inner_dst = {{2, 0, 0, 0, 0, 7}},
			.inner_src = {{2, 0, 0, 0, 0, 8}},
	};
}

/* A whole frame: Ethernet of zeros, the headers, INNER_LEN bytes. */
static uint32_t
frame_of(uint8_t *frame, const struct lath_tunnel_spec *spec, uint8_t tos, uint32_t entropy)
{
	uint32_t len;

	memset(frame, 0, L3);
	len = lath_tunnel_header(frame + L3, spec);
	for (uint32_t i = 0; i < INNER_LEN; i++)
		frame[L3 + len + i] = (uint8_t)(0x40 + i);
	len += INNER_LEN;
	lath_tunnel_finish(frame + L3,
			&(struct lath_tunnel_packet){.len = len, .tos = tos, .entropy = entropy});
	return L3 + len;
}

static void
what_is_written_is_read_back(void **state)
{
	static const enum lath_tunnel_kind kinds[] = {LATH_TUNNEL_VXLAN, LATH_TUNNEL_GENEVE};
	uint8_t frame[256];

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		bool v6 = (i & 1) != 0;
		bool ethernet = (i & 2) != 0;
		struct lath_tunnel_spec spec = spec_of(kinds[i >> 2], v6, ethernet);
		uint32_t header_len = lath_tunnel_header_len(spec.kind, spec.dst.family, ethernet,
				0);
		struct lath_tunnel_outer outer;
		uint32_t len = frame_of(frame, &spec, 0xb9, 0x12345678 * i);

		if (spec.kind == LATH_TUNNEL_VXLAN && !ethernet)
			continue; /* RFC 7348 has no bare IP */
		assert_int_equal(len, L3 + header_len + INNER_LEN);
		assert_int_equal(lath_tunnel_parse(frame, len, len, L3, &outer), LATH_DROP_NONE);
		assert_int_equal(outer.kind, spec.kind);
		assert_int_equal(outer.vni, spec.vni);
		assert_int_equal(outer.protocol, spec.protocol);
		assert_int_equal(outer.tos, 0xb9);
		assert_int_equal(outer.inner_offset,
				L3 + header_len - (ethernet ? sizeof(struct lath_eth_hdr) : 0));
		assert_true(lath_ip_equal(&outer.src, &spec.src));
		assert_true(lath_ip_equal(&outer.dst, &spec.dst));
		assert_false(outer.has_cksum);
		assert_int_equal(outer.options_len, 0);
		assert_true(lath_from_be16(outer.src_port_be) >= LATH_TUNNEL_SOURCE_PORT_MIN);
	}
}

//= RFC7348#section-5 type=test
static void
source_ports_spread_and_stay_in_range(void **state)
{
	struct lath_tunnel_spec spec = spec_of(LATH_TUNNEL_VXLAN, false, true);
	uint64_t random = lath_test_random("source_ports");
	bool seen[65536] = {false};
	unsigned distinct = 0;
	uint8_t frame[256];

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		unsigned port;

		frame_of(frame, &spec, 0, (uint32_t)lath_random_next(&random));
		port = kit_get16(frame + L3 + 20);
		assert_true(port >= 49152);
		distinct += !seen[port];
		seen[port] = true;
	}
	assert_true(distinct > 10000);
}

//= RFC7348#section-4.3 type=test
static void
outer_ipv4_sums_up_and_must_not_be_fragmented(void **state)
{
	struct lath_tunnel_spec spec = spec_of(LATH_TUNNEL_VXLAN, false, true);
	uint64_t random = lath_test_random("outer_ipv4");
	uint8_t frame[256];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		spec.dst = lath_ip_from_v4_be(lath_to_be32((uint32_t)lath_random_next(&random)));
		frame_of(frame, &spec, (uint8_t)lath_random_next(&random), 0);
		assert_int_equal(kit_sum(frame + L3, 20, 0), 0xffff);
		assert_int_equal(kit_get16(frame + L3 + 6), LATH_IPV4_DF);
		assert_int_equal(kit_get16(frame + L3 + 26), 0); /* UDP checksum */
	}
}

static void
every_shorter_frame_is_dropped_or_no_tunnel(void **state)
{
	struct lath_tunnel_outer outer;
	uint8_t frame[256];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct lath_tunnel_spec spec = spec_of(LATH_TUNNEL_GENEVE, (i & 1) != 0, false);
		uint32_t whole;

		spec.options = gwlb_options;
		spec.options_len = sizeof(gwlb_options);
		whole = frame_of(frame, &spec, 0, 0);
		for (uint32_t len = 0; len < whole; len++) {
			uint8_t *exact = kit_exact(frame, len);
			/* Cut for good, or just in the first segment. */
			uint32_t frame_len = (i & 2) != 0 ? whole : len;
			enum lath_drop drop = lath_tunnel_parse(exact, len, frame_len, L3, &outer);

			assert_int_equal(drop == LATH_DROP_NONE,
					frame_len == whole && len >= whole - INNER_LEN);
			free(exact);
		}
	}
}

/* One byte of a good frame changed. */
static void
bad_headers_have_names(void **state)
{
	static const struct {
		const char *name;
		enum lath_tunnel_kind kind;
		unsigned at; /* from the outer IP header */
		uint8_t value;
		enum lath_drop drop;
	} rows[] = {
			{"version 5", LATH_TUNNEL_VXLAN, 0, 0x55, LATH_DROP_ip_malformed},
			{"options", LATH_TUNNEL_VXLAN, 0, 0x46, LATH_DROP_ip_options},
			{"too long", LATH_TUNNEL_VXLAN, 2, 0xff, LATH_DROP_ip_malformed},
			{"more fragments", LATH_TUNNEL_VXLAN, 6, 0x20, LATH_DROP_tunnel_fragment},
			{"a later fragment", LATH_TUNNEL_VXLAN, 7, 0x09, LATH_DROP_tunnel_fragment},
			{"UDP too long", LATH_TUNNEL_VXLAN, 24, 0x10, LATH_DROP_tunnel_malformed},
			{"UDP too short", LATH_TUNNEL_VXLAN, 25, 15, LATH_DROP_tunnel_malformed},
			{"no VNI", LATH_TUNNEL_VXLAN, 28, 0xf7, LATH_DROP_tunnel_flags},
			{"reserved bits", LATH_TUNNEL_VXLAN, 28, 0xff, LATH_DROP_NONE},
			{"reserved byte", LATH_TUNNEL_VXLAN, 29, 0xff, LATH_DROP_NONE},
			{"version 1", LATH_TUNNEL_GENEVE, 28, 0x40, LATH_DROP_tunnel_flags},
			{"options too long", LATH_TUNNEL_GENEVE, 28, 63,
					LATH_DROP_tunnel_malformed},
			{"control", LATH_TUNNEL_GENEVE, 29, 0x80, LATH_DROP_tunnel_control},
			{"reserved", LATH_TUNNEL_GENEVE, 29, 0x3f, LATH_DROP_NONE},
			{"other port", LATH_TUNNEL_VXLAN, 23, 0xb6, LATH_DROP_NONE},
			{"TCP", LATH_TUNNEL_VXLAN, 9, 6, LATH_DROP_NONE},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_tunnel_spec spec = spec_of(rows[i].kind, false, true);
		struct lath_tunnel_outer outer;
		uint8_t frame[256];
		uint32_t len = frame_of(frame, &spec, 0, 0);
		enum lath_drop drop;

		frame[L3 + rows[i].at] = rows[i].value;
		kit_fix_ip(frame + L3);
		drop = lath_tunnel_parse(frame, len, len, L3, &outer);
		if (drop != rows[i].drop)
			fail_msg("%s: %s, expected %s", rows[i].name, lath_drop_name(drop),
					lath_drop_name(rows[i].drop));
		if (i >= LATH_ARRAY_SIZE(rows) - 2)
			assert_int_equal(outer.kind, LATH_TUNNEL_NONE);
	}
}

static void
wrong_ip_checksum_and_ipv6_fragments_are_dropped(void **state)
{
	struct lath_tunnel_spec spec = spec_of(LATH_TUNNEL_VXLAN, false, true);
	struct lath_tunnel_outer outer;
	uint8_t frame[256];
	uint32_t len = frame_of(frame, &spec, 0, 0);

	(void)state;
	frame[L3 + 10] ^= 1;
	assert_int_equal(lath_tunnel_parse(frame, len, len, L3, &outer), LATH_DROP_ip_cksum);
	spec = spec_of(LATH_TUNNEL_VXLAN, true, true);
	len = frame_of(frame, &spec, 0, 0);
	frame[L3 + 6] = 44;
	assert_int_equal(lath_tunnel_parse(frame, len, len, L3, &outer), LATH_DROP_tunnel_fragment);
}

//= RFC8926#section-3.3 type=test
static void
outer_checksum_that_is_there_is_verified(void **state)
{
	uint8_t frame[256];

	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct lath_tunnel_spec spec = spec_of(LATH_TUNNEL_GENEVE, v6 != 0, true);
		uint32_t len = frame_of(frame, &spec, 3, 9);
		struct lath_tunnel_outer outer;

		kit_fix_l4(frame + L3);
		assert_int_equal(lath_tunnel_parse(frame, len, len, L3, &outer), LATH_DROP_NONE);
		assert_true(outer.has_cksum);
		assert_true(lath_tunnel_cksum_holds(frame, L3, &outer));
		frame[len - 1] ^= 1;
		assert_false(lath_tunnel_cksum_holds(frame, L3, &outer));
	}
}

//= RFC8926#section-3.5 type=test
static void
options_are_bounded_and_critical_ones_known(void **state)
{
	static const struct {
		const char *name;
		uint8_t bytes[12];
		uint32_t len;
		enum lath_drop plain;
		enum lath_drop gwlb;
	} rows[] = {
			{"none", {0}, 0, LATH_DROP_NONE, LATH_DROP_NONE},
			{"empty one", {1, 2, 3, 0}, 4, LATH_DROP_NONE, LATH_DROP_NONE},
			{"cut value", {1, 2, 3, 1}, 4, LATH_DROP_tunnel_malformed,
					LATH_DROP_tunnel_malformed},
			{"value over the end", {1, 2, 3, 2, 0, 0, 0, 0}, 8,
					LATH_DROP_tunnel_malformed, LATH_DROP_tunnel_malformed},
			{"critical", {1, 2, 0x83, 0}, 4, LATH_DROP_tunnel_option,
					LATH_DROP_tunnel_option},
			{"critical second", {1, 2, 3, 0, 1, 2, 0x80, 0}, 8, LATH_DROP_tunnel_option,
					LATH_DROP_tunnel_option},
			{"critical cookie", {1, 8, 0x83, 1, 9, 9, 9, 9}, 8, LATH_DROP_tunnel_option,
					LATH_DROP_NONE},
			{"critical of AWS", {1, 8, 0x84, 0}, 4, LATH_DROP_tunnel_option,
					LATH_DROP_tunnel_option},
			{"cookie too short", {1, 8, 3, 0}, 4, LATH_DROP_NONE,
					LATH_DROP_tunnel_option},
			{"endpoint too short", {1, 8, 1, 1, 1, 2, 3, 4}, 8, LATH_DROP_NONE,
					LATH_DROP_tunnel_option},
			{"reserved bits", {1, 2, 3, 0xe0}, 4, LATH_DROP_NONE, LATH_DROP_NONE},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		uint8_t *exact = kit_exact(rows[i].bytes, rows[i].len);
		struct lath_tunnel_gwlb gwlb;

		if (lath_tunnel_options(exact, rows[i].len, NULL) != rows[i].plain ||
				lath_tunnel_options(exact, rows[i].len, &gwlb) != rows[i].gwlb)
			fail_msg("%s", rows[i].name);
		free(exact);
	}
}

static void
balancers_options_are_read(void **state)
{
	struct lath_tunnel_gwlb gwlb;

	(void)state;
	assert_int_equal(lath_tunnel_options(gwlb_options, sizeof(gwlb_options), &gwlb),
			LATH_DROP_NONE);
	assert_true(gwlb.has_endpoint);
	assert_true(gwlb.endpoint == UINT64_C(0x0a01020304050607));
	assert_true(gwlb.attachment == UINT64_C(0x0b01020304050607));
	assert_int_equal(gwlb.cookie, 0xdeadbeef);
}

//= RFC6040#section-4.2 type=test
static void
ecn_comes_in_by_the_table(void **state)
{
	/* By inner and outer: Not-ECT, ECT(1), ECT(0), CE. */
	static const int table[4][4] = {{0, 0, 0, -1}, {1, 1, 1, 3}, {2, 1, 2, 3}, {3, 3, 3, 3}};
	uint64_t random = lath_test_random("ecn");
	static const struct kit_spec tcp = {.src = 1, .dst = 2, .proto = LATH_PROTO_TCP};

	(void)state;
	for (unsigned i = 0; i < 32; i++) {
		unsigned inner = i & 3;
		unsigned outer = i >> 2 & 3;
		bool v6 = i >= 16;
		uint8_t frame[KIT_FRAME_MAX];
		uint8_t *ip = frame + 14;
		bool passes;

		if (v6) {
			kit_frame6(frame, &tcp, &random);
			kit_put16(ip, 0x6b80 | inner << 4);
		} else {
			kit_frame4(frame, &tcp, &random);
			ip[1] = (uint8_t)(0xb8 | inner);
			kit_fix_ip(ip);
		}
		passes = lath_tunnel_apply_ecn(ip, (uint8_t)(0x44 | outer));
		assert_int_equal(passes, table[inner][outer] >= 0);
		if (!passes)
			continue;
		if (v6) {
			assert_int_equal(kit_get16(ip), 0x6b80 | table[inner][outer] << 4);
		} else {
			assert_int_equal(ip[1], 0xb8 | table[inner][outer]);
			assert_int_equal(kit_sum(ip, 20, 0), 0xffff);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(what_is_written_is_read_back),
			cmocka_unit_test(source_ports_spread_and_stay_in_range),
			cmocka_unit_test(outer_ipv4_sums_up_and_must_not_be_fragmented),
			cmocka_unit_test(every_shorter_frame_is_dropped_or_no_tunnel),
			cmocka_unit_test(bad_headers_have_names),
			cmocka_unit_test(wrong_ip_checksum_and_ipv6_fragments_are_dropped),
			cmocka_unit_test(outer_checksum_that_is_there_is_verified),
			cmocka_unit_test(options_are_bounded_and_critical_ones_known),
			cmocka_unit_test(balancers_options_are_read),
			cmocka_unit_test(ecn_comes_in_by_the_table),
	};

	return cmocka_run_group_tests_name("tunnel", tests, NULL, NULL);
}
