/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Errors of the gateway's own, and what no error may be sent about. */

#include "icmperr_kit.h"

static const uint8_t protocols[] = {LATH_PROTO_TCP, LATH_PROTO_UDP, LATH_PROTO_ICMP};

struct made {
	struct kit_quoted about;
	struct lath_icmperr_cause cause;
	uint8_t packet[KIT_ERROR_MAX];
	uint32_t packet_len;
	uint32_t len;
	uint8_t error[LATH_ICMPERR_V6_LEN_MAX];
};

static void
draw(struct made *m, uint8_t family, uint8_t proto, uint64_t *random)
{
	uint8_t gateway[16];
	uint32_t l4_at;

	kit_draw_quoted(&m->about, family, proto, random);
	m->packet_len = kit_quoted_packet(m->packet, &m->about, &l4_at);
	kit_draw_address(gateway, family, random);
	m->cause = (struct lath_icmperr_cause){.src = kit_ip(gateway, family)};
}

/* Makes the error from `present` bytes, once apart and once around the packet in place. */
static void
make(struct made *m, uint32_t present)
{
	bool v6 = kit_is_v6(&m->about);
	uint32_t front = v6 ? LATH_ICMPERR_V6_FRONT : LATH_ICMPERR_V4_FRONT;
	uint32_t max = v6 ? LATH_ICMPERR_V6_LEN_MAX : LATH_ICMPERR_V4_LEN_MAX;
	uint8_t *exact = kit_exact(m->packet, present);
	uint8_t *out = malloc(max);
	uint8_t *room = malloc(front + present);

	assert_non_null(out);
	assert_non_null(room);
	m->len = v6 ? lath_icmperr_make_v6(out, &m->cause, exact, present)
		    : lath_icmperr_make_v4(out, &m->cause, exact, present);
	assert_in_range(m->len, front, max);
	memcpy(m->error, out, m->len);
	memcpy(room + front, m->packet, present);
	assert_int_equal(v6 ? lath_icmperr_make_v6(room, &m->cause, room + front, present)
			    : lath_icmperr_make_v4(room, &m->cause, room + front, present),
			m->len);
	assert_memory_equal(room, m->error, m->len);
	free(exact);
	free(out);
	free(room);
}

/* The error built anew. */
static void
check(const struct made *m, uint32_t present)
{
	bool v6 = kit_is_v6(&m->about);
	struct kit_error error = {
			.family = m->about.family,
			.ttl = v6 ? 255 : 64,
			.tos = v6 ? 0 : 0xc0,
			.type = m->cause.type,
			.code = m->cause.code,
			.atomic = true,
			.rest = m->cause.detail,
	};
	uint8_t expected[KIT_ERROR_MAX];
	uint32_t quote_len = lath_min_u32(m->packet_len, present);
	uint32_t len;

	memcpy(error.src, m->cause.src.bytes, 16);
	memcpy(error.dst, m->about.src, 16);
	len = kit_error_packet(expected, &error, m->packet,
			lath_min_u32(quote_len, v6 ? 1232 : 548));
	assert_int_equal(m->len, len);
	assert_memory_equal(m->error, expected, len);
}

//= RFC1812#section-4.3.2.3 type=test
//= RFC1812#section-4.3.2.5 type=test
//= RFC4443#section-2.4 type=test
static void
error_quotes_what_fits_and_sums_up(void **state)
{
	static const uint8_t types4[][2] = {
			{3, 0}, {3, 1}, {3, 3}, {3, 9}, {3, 10}, {3, 13}, {11, 0}};
	static const uint8_t types6[][2] = {{1, 0}, {1, 1}, {1, 4}, {1, 6}, {3, 0}};
	uint64_t random = lath_test_random(__func__);
	static struct made m;

	(void)state;
	for (unsigned i = 0; i < 6000; i++) {
		bool v6 = i % 2 == 1;
		const uint8_t *type = v6 ? types6[i / 2 % 5] : types4[i / 2 % 7];
		uint32_t present;

		draw(&m, v6 ? LATH_FAMILY_IPV6 : LATH_FAMILY_IPV4, protocols[i % 3], &random);
		m.cause.type = type[0];
		m.cause.code = type[1];
		/* A padded frame has more, a first segment has less. */
		present = i % 4 < 2 ? m.packet_len + i % 40 : 48 + i % 700;
		present = lath_min_u32(present, sizeof(m.packet));
		make(&m, present);
		check(&m, present);
	}
}

//= RFC1191#section-4 type=test
//= RFC4787#REQ-13 type=test
static void
too_big_names_the_mtu(void **state)
{
	static const struct {
		uint8_t family;
		uint32_t mtu;
		uint32_t said;
	} rows[] = {
			{LATH_FAMILY_IPV4, 1400, 1400},
			{LATH_FAMILY_IPV4, 68, 68},
			{LATH_FAMILY_IPV4, 70000, 65535},
			{LATH_FAMILY_IPV6, 1280, 1280},
			{LATH_FAMILY_IPV6, 70000, 70000},
	};
	uint64_t random = lath_test_random(__func__);
	static struct made m;

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		bool v6 = rows[i].family == LATH_FAMILY_IPV6;

		draw(&m, rows[i].family, LATH_PROTO_TCP, &random);
		m.cause.type = v6 ? LATH_ICMPERR_V6_TOO_BIG : LATH_ICMPERR_V4_UNREACHABLE;
		m.cause.code = v6 ? 0 : LATH_ICMPERR_V4_TOO_BIG_CODE;
		m.cause.detail = rows[i].mtu;
		make(&m, m.packet_len);
		assert_int_equal(kit_get32(m.error + (v6 ? 44 : 24)), rows[i].said);
		m.cause.detail = rows[i].said;
		check(&m, m.packet_len);
	}
}

/* An error that the gateway makes is one that it would itself believe. */
static void
made_errors_are_read_back(void **state)
{
	uint64_t random = lath_test_random(__func__);
	static struct made m;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct lath_icmperr err;
		bool v6 = i % 2 == 1;

		draw(&m, v6 ? LATH_FAMILY_IPV6 : LATH_FAMILY_IPV4, protocols[i % 3], &random);
		m.cause.type = v6 ? 2 : 3;
		m.cause.code = v6 ? 0 : 4;
		m.cause.detail = 1400;
		make(&m, m.packet_len);
		assert_int_equal(kit_parse_error(m.error, m.len, m.about.family, &err),
				LATH_DROP_NONE);
		assert_int_equal(err.mtu, 1400);
		assert_int_equal(err.extension_len, 0);
		assert_false(v6 ? lath_icmperr_may_answer_v6(m.error, m.len, false)
				: lath_icmperr_may_answer_v4(m.error, m.len, false));
	}
}

/* ---- what may not be answered ------------------------------------------------------------- */

struct guard4 {
	const char *name;
	uint32_t src;
	uint32_t dst;
	uint16_t fragment; /* flags and offset */
	uint8_t proto;
	uint8_t icmp_type;
	bool link_group;
	bool answered;
};

//= RFC1122#section-3.2.2 type=test
//= RFC1812#section-4.3.2.7 type=test
static void
v4_guards(void **state)
{
	static const uint32_t a = 0x0a000001;
	static const uint32_t b = 0x0a000002;
	static const struct guard4 rows[] = {
			{"TCP", a, b, 0, 6, 0, false, true},
			{"UDP", a, b, 0, 17, 0, false, true},
			{"other protocol", a, b, 0, 47, 0, false, true},
			{"echo", a, b, 0, 1, 8, false, true},
			{"echo reply", a, b, 0, 1, 0, false, true},
			{"timestamp", a, b, 0, 1, 13, false, true},
			{"unreachable", a, b, 0, 1, 3, false, false},
			{"source quench", a, b, 0, 1, 4, false, false},
			{"redirect", a, b, 0, 1, 5, false, false},
			{"time exceeded", a, b, 0, 1, 11, false, false},
			{"parameter problem", a, b, 0, 1, 12, false, false},
			{"unknown ICMP", a, b, 0, 1, 99, false, false},
			{"first fragment", a, b, 0x2000, 17, 0, false, true},
			{"later fragment", a, b, 0x2001, 17, 0, false, false},
			{"last fragment", a, b, 0x0001, 17, 0, false, false},
			{"frame to many", a, b, 0, 17, 0, true, false},
			{"to multicast", a, 0xe0000001, 0, 17, 0, false, false},
			{"to broadcast", a, 0xffffffff, 0, 17, 0, false, false},
			{"to class E", a, 0xf0000001, 0, 17, 0, false, false},
			{"to loopback", a, 0x7f000001, 0, 17, 0, false, false},
			{"from nobody", 0, b, 0, 17, 0, false, false},
			{"from this network", 0x00000001, b, 0, 17, 0, false, false},
			{"from loopback", 0x7f000001, b, 0, 17, 0, false, false},
			{"from multicast", 0xe0000001, b, 0, 17, 0, false, false},
			{"from broadcast", 0xffffffff, b, 0, 17, 0, false, false},
			{"from class E", 0xf0000001, b, 0, 17, 0, false, false},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		uint8_t ip[28] = {0x45, [3] = 28, [9] = rows[i].proto, [20] = rows[i].icmp_type};
		uint8_t *exact;

		kit_put16(ip + 6, rows[i].fragment);
		kit_put32(ip + 12, rows[i].src);
		kit_put32(ip + 16, rows[i].dst);
		exact = kit_exact(ip, sizeof(ip));
		if (lath_icmperr_may_answer_v4(exact, sizeof(ip), rows[i].link_group) !=
				rows[i].answered)
			fail_msg("%s", rows[i].name);
		free(exact);
	}
}

struct guard6 {
	const char *name;
	uint8_t src[2]; /* first and last byte */
	uint8_t dst[2];
	uint8_t next;
	uint8_t body[16];
	bool link_group;
	bool answered;
};

//= RFC4443#section-2.4 type=test
static void
v6_guards(void **state)
{
	static const struct guard6 rows[] = {
			{"TCP", {0x20, 1}, {0x20, 2}, 6, {0}, false, true},
			{"no next header", {0x20, 1}, {0x20, 2}, 59, {0}, false, true},
			{"echo", {0x20, 1}, {0x20, 2}, 58, {128}, false, true},
			{"solicitation", {0x20, 1}, {0x20, 2}, 58, {135}, false, true},
			{"unreachable", {0x20, 1}, {0x20, 2}, 58, {1}, false, false},
			{"too big", {0x20, 1}, {0x20, 2}, 58, {2}, false, false},
			{"unknown error", {0x20, 1}, {0x20, 2}, 58, {127}, false, false},
			{"redirect", {0x20, 1}, {0x20, 2}, 58, {137}, false, false},
			{"error behind options", {0x20, 1}, {0x20, 2}, 60,
					{58, 0, 1, 4, 0, 0, 0, 0, 1}, false, false},
			{"echo behind options", {0x20, 1}, {0x20, 2}, 60,
					{58, 0, 1, 4, 0, 0, 0, 0, 128}, false, true},
			{"first fragment", {0x20, 1}, {0x20, 2}, 44, {17, 0, 0, 1}, false, true},
			{"later fragment", {0x20, 1}, {0x20, 2}, 44, {17, 0, 0, 9}, false, false},
			{"headers cut off", {0x20, 1}, {0x20, 2}, 60, {17, 9}, false, false},
			{"frame to many", {0x20, 1}, {0x20, 2}, 17, {0}, true, false},
			{"to multicast", {0x20, 1}, {0xff, 2}, 17, {0}, false, false},
			{"from multicast", {0xff, 1}, {0x20, 2}, 17, {0}, false, false},
			{"from nobody", {0, 0}, {0x20, 2}, 17, {0}, false, false},
			{"from loopback", {0, 1}, {0x20, 2}, 17, {0}, false, false},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		uint8_t ip[56] = {0x60, [5] = 16, [6] = rows[i].next};
		uint8_t *exact;

		ip[8] = rows[i].src[0];
		ip[23] = rows[i].src[1];
		ip[24] = rows[i].dst[0];
		ip[39] = rows[i].dst[1];
		memcpy(ip + 40, rows[i].body, 16);
		exact = kit_exact(ip, sizeof(ip));
		if (lath_icmperr_may_answer_v6(exact, sizeof(ip), rows[i].link_group) !=
				rows[i].answered)
			fail_msg("%s", rows[i].name);
		free(exact);
	}
}

static void
guards_need_the_header(void **state)
{
	static const uint8_t ip4[28] = {0x45, [3] = 28, [9] = 1, [12] = 10, [16] = 10, [20] = 8};
	static const uint8_t ip6[48] = {
			0x60, [5] = 8, [6] = 58, [8] = 0x20, [24] = 0x20, [40] = 128};

	(void)state;
	for (uint32_t len = 0; len <= sizeof(ip6); len++) {
		uint8_t *exact = kit_exact(ip6, len);

		assert_int_equal(lath_icmperr_may_answer_v6(exact, len, false), len > 40);
		assert_false(lath_icmperr_may_answer_v4(exact, len, false));
		free(exact);
	}
	for (uint32_t len = 0; len <= sizeof(ip4); len++) {
		uint8_t *exact = kit_exact(ip4, len);

		assert_int_equal(lath_icmperr_may_answer_v4(exact, len, false), len > 20);
		assert_false(lath_icmperr_may_answer_v6(exact, len, false));
		free(exact);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(error_quotes_what_fits_and_sums_up),
			cmocka_unit_test(too_big_names_the_mtu),
			cmocka_unit_test(made_errors_are_read_back),
			cmocka_unit_test(v4_guards),
			cmocka_unit_test(v6_guards),
			cmocka_unit_test(guards_need_the_header),
	};

	return cmocka_run_group_tests_name("icmperr_make", tests, NULL, NULL);
}
