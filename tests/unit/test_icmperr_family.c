/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Errors that change the family (RFC 7915): the tables of types and codes row by row, and random
 * errors against ones that are built anew about the packet as it was sent.
 */

#include "icmperr_kit.h"

#define GONE (-1) /* has no counterpart */

static const uint8_t protocols[] = {LATH_PROTO_TCP, LATH_PROTO_UDP, LATH_PROTO_ICMP};

/* The packet as it was sent in one family and as it left in the other. */
struct passage {
	struct kit_quoted sent;
	struct kit_quoted left;
	struct kit_error error;
	struct lath_icmperr_outer outer;
	uint8_t in[KIT_ERROR_MAX];
	uint8_t extension[600];
	uint32_t in_len;
	uint32_t out_len;
	uint8_t out[LATH_ICMPERR_V6_LEN_MAX];
};

/* An error that arrives in `family` about a packet that was sent in the other. */
static void
draw(struct passage *p, uint8_t family, uint8_t proto, uint64_t *random)
{
	uint8_t other = family == LATH_FAMILY_IPV4 ? LATH_FAMILY_IPV6 : LATH_FAMILY_IPV4;
	uint8_t gateway[16];

	kit_draw_quoted(&p->sent, other, proto, random);
	if (proto == LATH_PROTO_ICMP) {
		p->sent.fragment = 0;
		p->sent.atomic = true;
	}
	kit_other_side(&p->left, &p->sent, family, random);
	kit_draw_address(gateway, other, random);
	p->outer = (struct lath_icmperr_outer){
			.src = kit_ip(gateway, other),
			.dst = kit_ip(p->sent.src, other),
	};
}

static void
pass_on(struct passage *p, uint32_t quoted_l4)
{
	bool from_v6 = p->left.family == LATH_FAMILY_IPV6;
	uint32_t max = from_v6 ? LATH_ICMPERR_V4_LEN_MAX : LATH_ICMPERR_V6_LEN_MAX;
	uint8_t *out = malloc(max);
	uint8_t packet[KIT_ERROR_MAX];
	struct lath_icmperr err;
	uint32_t l4_at;
	uint32_t len = kit_quoted_packet(packet, &p->left, &l4_at);
	uint8_t *exact;

	assert_non_null(out);
	p->in_len = kit_error_packet(p->in, &p->error, packet,
			lath_min_u32(len, l4_at + quoted_l4));
	exact = kit_exact(p->in, p->in_len);
	assert_int_equal(kit_parse_error(exact, p->in_len, p->left.family, &err), LATH_DROP_NONE);
	if (from_v6) {
		const struct lath_rewrite4 rewrite = kit_rewrite4(&p->sent);

		p->out_len = lath_icmperr_6to4(out, exact, &err, &rewrite, &p->outer);
	} else {
		const struct lath_rewrite6 rewrite = kit_rewrite6(&p->sent);

		p->out_len = lath_icmperr_4to6(out, exact, &err, &rewrite, &p->outer);
	}
	assert_in_range(p->out_len, 0, max);
	memcpy(p->out, out, p->out_len);
	assert_memory_equal(exact, p->in, p->in_len);
	free(exact);
	free(out);
}

/* One row: what comes in, what goes out. `rest` is the last word of the ICMP header. */
struct row {
	const char *name;
	int type;
	int code;
	uint32_t rest;
	int to_type;
	int to_code;
	uint32_t to_rest;
};

static void
check_rows(const struct row *rows, unsigned count, uint8_t family, const char *test)
{
	uint64_t random = lath_test_random(test);
	static struct passage p;

	for (unsigned i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		const uint8_t *icmp = p.out + (family == LATH_FAMILY_IPV4 ? 40 : 20);

		draw(&p, family, protocols[i % 3], &random);
		kit_draw_error(&p.error, &p.left, (uint8_t)row->type, (uint8_t)row->code, &random);
		p.error.rest = row->rest;
		pass_on(&p, 8);
		if (row->to_type == GONE) {
			if (p.out_len != 0)
				fail_msg("%s: passed on", row->name);
			continue;
		}
		if (p.out_len == 0 || icmp[0] != row->to_type || icmp[1] != row->to_code ||
				kit_get32(icmp + 4) != row->to_rest)
			fail_msg("%s: %u/%u %u (%u bytes)", row->name, icmp[0], icmp[1],
					kit_get32(icmp + 4), p.out_len);
	}
}

//= RFC7915#section-4.2 type=test
static void
types_and_codes_from_v4_to_v6(void **state)
{
	/* RFC 7915 section 4.2; pointers are figure 3's. */
	static const struct row rows[] = {
			{"net unreachable", 3, 0, 0, 1, 0, 0},
			{"host unreachable", 3, 1, 0, 1, 0, 0},
			{"protocol unreachable", 3, 2, 0, 4, 1, 6},
			{"port unreachable", 3, 3, 0, 1, 4, 0},
			{"source route failed", 3, 5, 0, 1, 0, 0},
			{"net unknown", 3, 6, 0, 1, 0, 0},
			{"host unknown", 3, 7, 0, 1, 0, 0},
			{"source isolated", 3, 8, 0, 1, 0, 0},
			{"net prohibited", 3, 9, 0, 1, 1, 0},
			{"host prohibited", 3, 10, 0, 1, 1, 0},
			{"net unreachable for TOS", 3, 11, 0, 1, 0, 0},
			{"host unreachable for TOS", 3, 12, 0, 1, 0, 0},
			{"administratively prohibited", 3, 13, 0, 1, 1, 0},
			{"precedence violation", 3, 14, 0, GONE, 0, 0},
			{"precedence cutoff", 3, 15, 0, 1, 1, 0},
			{"unknown code", 3, 16, 0, GONE, 0, 0},
			{"TTL exceeded", 11, 0, 0, 3, 0, 0},
			{"reassembly time exceeded", 11, 1, 0, 3, 1, 0},
			{"pointer to version", 12, 0, 0u << 24, 4, 0, 0},
			{"pointer to TOS", 12, 0, 1u << 24, 4, 0, 1},
			{"pointer to length", 12, 0, 2u << 24, 4, 0, 4},
			{"pointer into length", 12, 0, 3u << 24, 4, 0, 4},
			{"pointer to identification", 12, 0, 4u << 24, GONE, 0, 0},
			{"pointer into identification", 12, 0, 5u << 24, GONE, 0, 0},
			{"pointer to flags", 12, 0, 6u << 24, GONE, 0, 0},
			{"pointer to fragment offset", 12, 0, 7u << 24, GONE, 0, 0},
			{"pointer to TTL", 12, 0, 8u << 24, 4, 0, 7},
			{"pointer to protocol", 12, 0, 9u << 24, 4, 0, 6},
			{"pointer to checksum", 12, 0, 10u << 24, GONE, 0, 0},
			{"pointer to source", 12, 0, 12u << 24, 4, 0, 8},
			{"pointer into source", 12, 0, 15u << 24, 4, 0, 8},
			{"pointer to destination", 12, 0, 16u << 24, 4, 0, 24},
			{"pointer into destination", 12, 0, 19u << 24, 4, 0, 24},
			{"pointer to options", 12, 0, 20u << 24, GONE, 0, 0},
			{"missing option", 12, 1, 0, GONE, 0, 0},
			{"bad length", 12, 2, 2u << 24, 4, 0, 4},
			{"unknown code of 12", 12, 3, 0, GONE, 0, 0},
	};

	(void)state;
	check_rows(rows, LATH_ARRAY_SIZE(rows), LATH_FAMILY_IPV4, __func__);
}

//= RFC7915#section-5.2 type=test
static void
types_and_codes_from_v6_to_v4(void **state)
{
	/* RFC 7915 section 5.2; pointers are figure 6's. */
	static const struct row rows[] = {
			{"no route", 1, 0, 0, 3, 1, 0},
			{"prohibited", 1, 1, 0, 3, 10, 0},
			{"beyond scope", 1, 2, 0, 3, 1, 0},
			{"address unreachable", 1, 3, 0, 3, 1, 0},
			{"port unreachable", 1, 4, 0, 3, 3, 0},
			{"ingress policy", 1, 5, 0, GONE, 0, 0},
			{"reject route", 1, 6, 0, GONE, 0, 0},
			{"hop limit exceeded", 3, 0, 0, 11, 0, 0},
			{"reassembly time exceeded", 3, 1, 0, 11, 1, 0},
			{"pointer to version", 4, 0, 0, 12, 0, 0u << 24},
			{"pointer to traffic class", 4, 0, 1, 12, 0, 1u << 24},
			{"pointer to flow label", 4, 0, 2, GONE, 0, 0},
			{"pointer into flow label", 4, 0, 3, GONE, 0, 0},
			{"pointer to length", 4, 0, 4, 12, 0, 2u << 24},
			{"pointer into length", 4, 0, 5, 12, 0, 2u << 24},
			{"pointer to next header", 4, 0, 6, 12, 0, 9u << 24},
			{"pointer to hop limit", 4, 0, 7, 12, 0, 8u << 24},
			{"pointer to source", 4, 0, 8, 12, 0, 12u << 24},
			{"pointer into source", 4, 0, 23, 12, 0, 12u << 24},
			{"pointer to destination", 4, 0, 24, 12, 0, 16u << 24},
			{"pointer into destination", 4, 0, 39, 12, 0, 16u << 24},
			{"pointer beyond", 4, 0, 40, GONE, 0, 0},
			{"pointer far beyond", 4, 0, UINT32_MAX, GONE, 0, 0},
			{"unrecognized next header", 4, 1, 40, 3, 2, 0},
			{"unrecognized option", 4, 2, 40, GONE, 0, 0},
			{"unknown code of 4", 4, 3, 0, GONE, 0, 0},
	};

	(void)state;
	check_rows(rows, LATH_ARRAY_SIZE(rows), LATH_FAMILY_IPV6, __func__);
}

/* ---- MTU ---------------------------------------------------------------------------------- */

struct mtu_row {
	const char *name;
	uint32_t mtu;
	uint32_t mtu_max;
	uint32_t quoted_len; /* of the quoted packet; 0: any */
	int64_t to;          /* GONE: nothing */
};

static void
check_mtu_rows(const struct mtu_row *rows, unsigned count, uint8_t family, const char *test)
{
	uint64_t random = lath_test_random(test);
	static struct passage p;

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *icmp = p.out + (family == LATH_FAMILY_IPV4 ? 40 : 20);
		uint32_t expected;

		draw(&p, family, LATH_PROTO_UDP, &random);
		p.sent.fragment = 0;
		p.left.fragment = 0;
		if (rows[i].quoted_len != 0)
			p.left.l4_len = (uint16_t)(rows[i].quoted_len - 20);
		kit_draw_error(&p.error, &p.left, family == LATH_FAMILY_IPV4 ? 3 : 2,
				family == LATH_FAMILY_IPV4 ? 4 : 0, &random);
		p.error.rest = rows[i].mtu;
		p.outer.mtu_max = rows[i].mtu_max;
		pass_on(&p, 8);
		expected = rows[i].to == GONE ? 0 : (uint32_t)rows[i].to;
		if ((p.out_len == 0) != (rows[i].to == GONE))
			fail_msg("%s: %u bytes", rows[i].name, p.out_len);
		if (p.out_len != 0 && kit_get32(icmp + 4) != expected)
			fail_msg("%s: %u", rows[i].name, kit_get32(icmp + 4));
	}
}

//= RFC7915#section-4.2 type=test
//= RFC7915#4.2-mtu RFC7915#4.2-plateau type=test
static void
mtu_grows_by_the_header_from_v4_to_v6(void **state)
{
	static const struct mtu_row rows[] = {
			{"plus 20", 1400, 0, 0, 1420},
			{"next hop is smaller", 1400, 1410, 0, 1410},
			{"next hop is larger", 1400, 1500, 0, 1420},
			{"largest", 65535, 0, 0, 65555},
			{"never below 1280", 576, 0, 0, 1280},
			{"next hop below 1280", 1400, 1000, 0, 1280},
			{"1260 makes 1280", 1260, 0, 0, 1280},
			{"1261 makes 1281", 1261, 0, 0, 1281},
			/* RFC 1191 section 7.1: MTU 0 is an old router's. */
			{"plateau below 1500", 0, 0, 1500, 1512},
			{"plateau below 1492", 0, 0, 1492, 1280},
			{"plateau below 1493", 0, 0, 1493, 1512},
			{"plateau and next hop", 0, 1500, 1500, 1500},
			{"plateau of a small packet", 0, 0, 60, 1280},
	};

	(void)state;
	check_mtu_rows(rows, LATH_ARRAY_SIZE(rows), LATH_FAMILY_IPV4, __func__);
}

//= RFC7915#section-5.2 type=test
//= RFC7915#5.2-mtu type=test
static void
mtu_shrinks_by_the_header_from_v6_to_v4(void **state)
{
	static const struct mtu_row rows[] = {
			{"minus 20", 1500, 0, 0, 1480},
			{"next hop is smaller", 1500, 1400, 0, 1400},
			{"next hop is larger", 1500, 9000, 0, 1480},
			{"least", 1280, 0, 0, 1260},
			/* RFC 8201 section 4: not to be believed. */
			{"below the least", 1279, 0, 0, GONE},
			{"zero", 0, 0, 0, GONE},
			{"more than 16 bits", 0x10000000, 0, 0, 65535},
	};

	(void)state;
	check_mtu_rows(rows, LATH_ARRAY_SIZE(rows), LATH_FAMILY_IPV6, __func__);
}

/* ---- the quote ---------------------------------------------------------------------------- */

/* What fits of the error about the packet that was sent, built anew with its extension. */
static void
check_random(struct passage *p, uint32_t quoted_l4)
{
	bool to_v6 = p->sent.family == LATH_FAMILY_IPV6;
	uint32_t room = to_v6 ? 1232 : 548;
	uint32_t unit = to_v6 ? 8 : 4;
	struct kit_error error = p->error;
	uint8_t packet[KIT_ERROR_MAX];
	uint8_t expected[KIT_ERROR_MAX];
	uint32_t l4_at;
	uint32_t len;

	pass_on(p, quoted_l4);
	error.family = p->sent.family;
	error.ttl--;
	error.type = to_v6 ? 3 : 11;
	memcpy(error.src, p->outer.src.bytes, 16);
	memcpy(error.dst, p->outer.dst.bytes, 16);
	if (error.extension_len > room - 128)
		error.extension_len = 0;
	room = (room - error.extension_len) / unit * unit;
	len = kit_quoted_packet(packet, &p->sent, &l4_at);
	len = lath_min_u32(len, l4_at + quoted_l4);
	len = kit_error_packet(expected, &error, packet, lath_min_u32(len, room));
	assert_int_equal(p->out_len, len);
	assert_memory_equal(p->out, expected, len);
}

static void
check_family(uint8_t family, const char *test)
{
	uint64_t random = lath_test_random(test);
	unsigned rounds = lath_test_size(test, 10000, 300000);
	static struct passage p;

	for (unsigned i = 0; i < rounds; i++) {
		uint32_t quoted_l4 = 8 +
				lath_random_below(&random, 2) * lath_random_below(&random, 1200);

		draw(&p, family, protocols[i % 3], &random);
		p.left.option_len = (uint8_t)(8 * lath_random_below(&random, 4));
		kit_draw_error(&p.error, &p.left, family == LATH_FAMILY_IPV4 ? 11 : 3, i & 1,
				&random);
		quoted_l4 -= quoted_l4 == 17; /* half of TCP's checksum */
		if (lath_random_below(&random, 3) == 0) {
			p.error.extension = p.extension;
			p.error.extension_len = kit_extension(p.extension,
					8 + 4 * lath_random_below(&random, 140), true, &random);
			/* Padding cannot be told from a longer packet's data: only a whole
			 * packet is padded, others are quoted up to a whole unit.
			 */
			quoted_l4 = lath_min_u32(quoted_l4 + 128, 900) & ~7u;
		}
		check_random(&p, quoted_l4);
	}
}

//= RFC7915#section-4.3 type=test
//= RFC4884#section-5.1 type=test
static void
quote_from_v4_to_v6_is_what_was_sent(void **state)
{
	(void)state;
	check_family(LATH_FAMILY_IPV4, __func__);
}

//= RFC7915#section-5.3 type=test
//= RFC4884#section-5.1 type=test
static void
quote_from_v6_to_v4_is_what_was_sent(void **state)
{
	(void)state;
	check_family(LATH_FAMILY_IPV6, __func__);
}

static void
fragmented_echo_ends_with_its_family(void **state)
{
	static const uint8_t families[] = {LATH_FAMILY_IPV4, LATH_FAMILY_IPV6};
	uint64_t random = lath_test_random(__func__);
	static struct passage p;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		draw(&p, families[i], LATH_PROTO_ICMP, &random);
		p.left.l4_len = 64;
		p.left.fragment = 32;
		kit_draw_error(&p.error, &p.left, families[i] == LATH_FAMILY_IPV4 ? 11 : 3, 0,
				&random);
		pass_on(&p, 8);
		assert_int_equal(p.out_len, 0);
	}
}

/* ICMPv6 has no length field in "packet too big" and "parameter problem" (RFC 4884 section 4). */
static void
extension_ends_where_there_is_no_field_for_it(void **state)
{
	static const uint8_t types[][2] = {{3, 4}, {3, 2}, {12, 0}};
	uint64_t random = lath_test_random(__func__);
	static struct passage p;

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(types); i++) {
		draw(&p, LATH_FAMILY_IPV4, LATH_PROTO_UDP, &random);
		p.sent.fragment = p.left.fragment = 0;
		p.left.l4_len = 400;
		kit_draw_error(&p.error, &p.left, types[i][0], types[i][1], &random);
		p.error.extension = p.extension;
		p.error.extension_len = kit_extension(p.extension, 40, true, &random);
		pass_on(&p, 108);
		assert_int_equal(p.out_len, 48 + 40 + 108);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(types_and_codes_from_v4_to_v6),
			cmocka_unit_test(types_and_codes_from_v6_to_v4),
			cmocka_unit_test(mtu_grows_by_the_header_from_v4_to_v6),
			cmocka_unit_test(mtu_shrinks_by_the_header_from_v6_to_v4),
			cmocka_unit_test(quote_from_v4_to_v6_is_what_was_sent),
			cmocka_unit_test(quote_from_v6_to_v4_is_what_was_sent),
			cmocka_unit_test(fragmented_echo_ends_with_its_family),
			cmocka_unit_test(extension_ends_where_there_is_no_field_for_it),
	};

	return cmocka_run_group_tests_name("icmperr_family", tests, NULL, NULL);
}
