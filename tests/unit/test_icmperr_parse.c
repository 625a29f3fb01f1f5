/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What is read out of an error, and what is not believed. */

#include "icmperr_kit.h"

static const uint8_t protocols[] = {LATH_PROTO_TCP, LATH_PROTO_UDP, LATH_PROTO_ICMP};
static const uint8_t families[] = {LATH_FAMILY_IPV4, LATH_FAMILY_IPV6};

struct fixture {
	struct kit_quoted quoted;
	struct kit_error error;
	uint8_t extension[64];
	uint8_t packet[KIT_ERROR_MAX]; /* quoted */
	uint8_t ip[KIT_ERROR_MAX];
	uint32_t quote_at;
	uint32_t l4_at; /* in the quote */
	uint32_t len;
};

static void
draw(struct fixture *f, uint8_t family, uint8_t proto, uint64_t *random)
{
	bool v6 = family == LATH_FAMILY_IPV6;

	kit_draw_quoted(&f->quoted, family, proto, random);
	f->quoted.option_len = (uint8_t)(8 * lath_random_below(random, 4));
	kit_draw_error(&f->error, &f->quoted, v6 ? 1 : 3, v6 ? 4 : 3, random);
	f->error.option_len = (uint8_t)(v6 ? 0 : 4 * lath_random_below(random, 11));
	f->quote_at = (v6 ? 40 : 20u + f->error.option_len) + 8;
}

static void
build(struct fixture *f, uint32_t quoted_l4)
{
	uint32_t len = kit_quoted_packet(f->packet, &f->quoted, &f->l4_at);

	f->len = kit_error_packet(f->ip, &f->error, f->packet,
			lath_min_u32(len, f->l4_at + quoted_l4));
}

static enum lath_drop
parse(const struct fixture *f, struct lath_icmperr *err)
{
	uint8_t *exact = kit_exact(f->ip, f->len);
	enum lath_drop drop = kit_parse_error(exact, f->len, f->error.family, err);

	free(exact);
	return drop;
}

static void
check_key(const struct fixture *f, const struct lath_icmperr *err)
{
	uint8_t proto = err->quote_proto;

	if (kit_is_v6(&f->quoted)) {
		assert_memory_equal(err->key6.src, f->quoted.dst, 16);
		assert_memory_equal(err->key6.dst, f->quoted.src, 16);
		assert_int_equal(lath_from_be16(err->key6.src_port_be), f->quoted.dport);
		assert_int_equal(lath_from_be16(err->key6.dst_port_be), f->quoted.sport);
		assert_int_equal(err->key6.proto_vpc, lath_key_proto_vpc(proto, 0));
		assert_int_equal(proto, f->quoted.proto == 1 ? 58 : f->quoted.proto);
	} else {
		assert_memory_equal(&err->key4.src_be, f->quoted.dst, 4);
		assert_memory_equal(&err->key4.dst_be, f->quoted.src, 4);
		assert_int_equal(lath_from_be16(err->key4.src_port_be), f->quoted.dport);
		assert_int_equal(lath_from_be16(err->key4.dst_port_be), f->quoted.sport);
		assert_int_equal(err->key4.proto_vpc, lath_key_proto_vpc(proto, 0));
		assert_int_equal(proto, f->quoted.proto);
	}
}

//= RFC5508#REQ-3b type=test
//= RFC5508#REQ-3d type=test
static void
key_is_the_quoted_tuple_with_its_ends_swapped(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 20000, 300000);
	static struct fixture f;

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		uint32_t quoted_l4 = 8 +
				lath_random_below(&random, 2) * lath_random_below(&random, 1200);
		struct lath_icmperr err;
		uint32_t whole;

		draw(&f, families[i % 2], protocols[i / 2 % 3], &random);
		if (lath_random_below(&random, 3) == 0) {
			f.error.extension = f.extension;
			f.error.extension_len = kit_extension(f.extension, sizeof(f.extension),
					i % 4 < 2, &random);
			quoted_l4 = lath_min_u32((quoted_l4 + 120) & ~7u, 880);
		}
		build(&f, quoted_l4);
		assert_int_equal(parse(&f, &err), LATH_DROP_NONE);
		check_key(&f, &err);
		assert_int_equal(err.family, f.quoted.family);
		assert_int_equal(err.len, f.len);
		assert_int_equal(err.icmp_offset, f.quote_at - 8);
		assert_int_equal(err.quote_offset, f.quote_at);
		assert_int_equal(err.quote_l4_offset, f.quote_at + f.l4_at);
		whole = f.l4_at + (f.quoted.fragment ? f.quoted.fragment : f.quoted.l4_len);
		assert_int_equal(err.quote_len, lath_min_u32(whole, f.l4_at + quoted_l4));
		assert_int_equal(err.extension_len, f.error.extension_len);
		if (err.extension_len != 0)
			assert_memory_equal(f.ip + err.extension_offset, f.extension,
					err.extension_len);
	}
}

static void
mtu_and_pointer_are_read(void **state)
{
	static const struct {
		const char *name;
		uint8_t family;
		uint8_t type;
		uint8_t code;
		uint32_t rest;
		uint32_t mtu;
		uint32_t pointer;
	} rows[] = {
			{"fragmentation needed", 4, 3, 4, 1400, 1400, 0},
			{"without an MTU", 4, 3, 4, 0, 0, 0},
			{"upper half is not the MTU's", 4, 3, 4, 0xff000578, 1400, 0},
			{"other code", 4, 3, 3, 1400, 0, 0},
			{"parameter problem", 4, 12, 0, 9u << 24, 0, 9},
			{"time exceeded", 4, 11, 0, 9u << 24, 0, 0},
			{"packet too big", 6, 2, 0, 70000, 70000, 0},
			{"parameter problem 6", 6, 4, 0, 70000, 0, 70000},
			{"unreachable 6", 6, 1, 0, 7, 0, 0},
	};
	uint64_t random = lath_test_random(__func__);
	static struct fixture f;

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_icmperr err;

		draw(&f, rows[i].family, LATH_PROTO_TCP, &random);
		f.error.type = rows[i].type;
		f.error.code = rows[i].code;
		f.error.rest = rows[i].rest;
		build(&f, 8);
		assert_int_equal(parse(&f, &err), LATH_DROP_NONE);
		if (err.mtu != rows[i].mtu || err.pointer != rows[i].pointer ||
				err.type != rows[i].type || err.code != rows[i].code)
			fail_msg("%s: MTU %u, pointer %u", rows[i].name, err.mtu, err.pointer);
	}
}

/* ---- what is not believed ----------------------------------------------------------------- */

/* A byte of a good error is changed; `fix` then mends the error's own sums, `fix_quote` the quoted
 * IP header's.
 */
struct damage {
	const char *name;
	uint8_t family;
	enum {
		IN_OUTER,
		IN_ICMP,
		IN_QUOTE,
		IN_L4
	} where;
	unsigned at;
	uint8_t value;
	bool fix;
	bool fix_quote;
	enum lath_drop drop;
};

static const struct damage damages[] = {
		{"as it is", 4, IN_ICMP, 1, 3, false, false, LATH_DROP_NONE},
		{"ICMP sum", 4, IN_ICMP, 1, 1, false, false, LATH_DROP_icmp_cksum},
		{"ICMPv6 sum", 6, IN_ICMP, 1, 1, false, false, LATH_DROP_icmp_cksum},
		{"quoted header's sum", 4, IN_QUOTE, 10, 0x5a, true, false,
				LATH_DROP_icmp_quote_cksum},
		{"quoted TTL, sum not mended", 4, IN_QUOTE, 8, 77, true, false,
				LATH_DROP_icmp_quote_cksum},
		{"quoted UDP's sum", 4, IN_L4, 6, 0x5a, true, false, LATH_DROP_NONE},
		{"quoted UDP's sum 6", 6, IN_L4, 6, 0x5a, true, false, LATH_DROP_NONE},
		{"outer version", 4, IN_OUTER, 0, 0x65, false, false, LATH_DROP_ip_malformed},
		{"outer header length", 4, IN_OUTER, 0, 0x44, false, false, LATH_DROP_ip_malformed},
		{"outer version 6", 6, IN_OUTER, 0, 0x40, false, false, LATH_DROP_ip_malformed},
		{"outer length", 4, IN_OUTER, 2, 0xff, false, false, LATH_DROP_ip_malformed},
		{"outer length 6", 6, IN_OUTER, 4, 0xff, false, false, LATH_DROP_ip_malformed},
		{"outer fragment", 4, IN_OUTER, 6, 0x20, false, false, LATH_DROP_fragment},
		{"outer later fragment", 4, IN_OUTER, 7, 1, false, false, LATH_DROP_fragment},
		{"outer protocol", 4, IN_OUTER, 9, 6, false, false, LATH_DROP_protocol},
		{"outer protocol 6", 6, IN_OUTER, 6, 6, false, false, LATH_DROP_protocol},
		{"echo", 4, IN_ICMP, 0, 8, true, false, LATH_DROP_icmp_type},
		{"source quench", 4, IN_ICMP, 0, 4, true, false, LATH_DROP_icmp_type},
		{"redirect", 4, IN_ICMP, 0, 5, true, false, LATH_DROP_icmp_type},
		{"type 0 of 6", 6, IN_ICMP, 0, 0, true, false, LATH_DROP_icmp_type},
		{"type 5 of 6", 6, IN_ICMP, 0, 5, true, false, LATH_DROP_icmp_type},
		{"redirect 6", 6, IN_ICMP, 0, 137, true, false, LATH_DROP_icmp_type},
		{"quoted version", 4, IN_QUOTE, 0, 0x65, true, true, LATH_DROP_icmp_quote},
		{"quoted version 6", 6, IN_QUOTE, 0, 0x40, true, false, LATH_DROP_icmp_quote},
		{"quoted header short", 4, IN_QUOTE, 0, 0x44, true, false, LATH_DROP_icmp_quote},
		{"quoted header longer", 4, IN_QUOTE, 0, 0x4f, true, false, LATH_DROP_icmp_quote},
		{"quoted length too small", 4, IN_QUOTE, 3, 27, true, true, LATH_DROP_icmp_quote},
		{"quoted length too small 6", 6, IN_QUOTE, 5, 7, true, false, LATH_DROP_icmp_quote},
		{"quoted later fragment", 4, IN_QUOTE, 7, 1, true, true, LATH_DROP_icmp_quote},
		{"quoted first fragment", 4, IN_QUOTE, 6, 0x20, true, true, LATH_DROP_NONE},
		{"quoted protocol", 4, IN_QUOTE, 9, 47, true, true, LATH_DROP_icmp_quote},
		{"quoted tunnel", 4, IN_QUOTE, 9, 4, true, true, LATH_DROP_icmp_quote},
		{"quoted ICMPv6 over IPv4", 4, IN_QUOTE, 9, 58, true, true, LATH_DROP_icmp_quote},
		{"quoted ICMP over IPv6", 6, IN_QUOTE, 6, 1, true, false, LATH_DROP_icmp_quote},
		{"quoted protocol 6", 6, IN_QUOTE, 6, 50, true, false, LATH_DROP_icmp_quote},
};

static void
apply(struct fixture *f, const struct damage *damage)
{
	const uint32_t starts[] = {0, f->quote_at - 8, f->quote_at, f->quote_at + f->l4_at};

	f->ip[starts[damage->where] + damage->at] = damage->value;
	if (damage->fix_quote)
		kit_fix_ip(f->ip + f->quote_at);
	if (damage->fix)
		kit_fix_error(f->ip, f->len);
}

//= RFC5508#REQ-3 type=test
//= RFC5508#REQ-3a type=test
//= RFC5508#REQ-3c type=test
static void
damaged_errors_are_named(void **state)
{
	uint64_t random = lath_test_random(__func__);
	static struct fixture f;

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(damages); i++) {
		struct lath_icmperr err;

		draw(&f, damages[i].family, LATH_PROTO_UDP, &random);
		f.quoted.l4_len = 8;
		f.quoted.dport = 0x0900; /* as an ICMP type: a query that no flow is made of */
		f.quoted.sport = 0x0900;
		f.quoted.fragment = 0;
		f.quoted.option_len = 0;
		f.error.option_len = 0;
		f.quote_at = (damages[i].family == 6 ? 40 : 20) + 8;
		build(&f, 8);
		apply(&f, &damages[i]);
		if (parse(&f, &err) != damages[i].drop)
			fail_msg("%s: %s", damages[i].name, lath_drop_name(parse(&f, &err)));
	}
}

//= RFC1122#section-3.2.2 type=test
static void
quoted_icmp_must_be_echo(void **state)
{
	uint64_t random = lath_test_random(__func__);
	static struct fixture f;

	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		for (unsigned i = 0; i < 2; i++) {
			struct lath_icmperr err;
			bool echo = i == 0 ? type == 0 || type == 8 : type == 128 || type == 129;

			draw(&f, families[i], LATH_PROTO_ICMP, &random);
			build(&f, 8);
			f.ip[f.quote_at + f.l4_at] = (uint8_t)type;
			kit_fix_error(f.ip, f.len);
			assert_int_equal(parse(&f, &err),
					echo ? LATH_DROP_NONE : LATH_DROP_icmp_quote);
			f.ip[f.quote_at + f.l4_at + 1] = 1;
			kit_fix_error(f.ip, f.len);
			assert_int_equal(parse(&f, &err), LATH_DROP_icmp_quote);
		}
	}
}

/* Cut anywhere, with lengths and sums made to fit: eight bytes of transport are needed. */
static void
every_length_is_checked(void **state)
{
	uint64_t random = lath_test_random(__func__);
	static struct fixture f;

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		uint32_t whole;

		draw(&f, families[i % 2], protocols[i / 2 % 3], &random);
		build(&f, 8);
		whole = f.len;
		for (uint32_t len = 0; len <= whole; len++) {
			struct lath_icmperr err = {.len = 1};
			enum lath_drop drop;

			f.len = len;
			drop = parse(&f, &err);
			assert_int_equal(drop == LATH_DROP_NONE, len == whole);
			if (len < f.quote_at)
				continue;
			if (i % 2 == 0)
				kit_put16(f.ip + 2, len);
			else
				kit_put16(f.ip + 4, len - 40);
			kit_fix_error(f.ip, len);
			drop = parse(&f, &err);
			assert_int_equal(drop,
					len == whole ? LATH_DROP_NONE : LATH_DROP_icmp_quote);
			assert_int_equal(err.len, len == whole ? whole : 1);
			build(&f, 8);
		}
	}
}

/* ---- extensions --------------------------------------------------------------------------- */

//= RFC4884#section-7 type=test
//= RFC5508#REQ-3d type=test
static void
only_a_valid_extension_counts(void **state)
{
	static const struct {
		const char *name;
		uint8_t bytes[16];
		uint8_t len;
		uint8_t stated; /* words of the family; 0: the right number */
		bool sum;
		bool found;
	} rows[] = {
			{"one object", {0x20, 0, 0, 0, 0, 8, 1, 1, 1, 2, 3, 4}, 12, 0, true, true},
			{"no sum", {0x20, 0, 0, 0, 0, 8, 1, 1, 1, 2, 3, 4}, 12, 0, false, true},
			{"wrong sum", {0x20, 0, 9, 9, 0, 8, 1, 1, 1, 2, 3, 4}, 12, 0, false, false},
			{"version 1", {0x10, 0, 0, 0, 0, 8, 1, 1, 1, 2, 3, 4}, 12, 0, true, false},
			{"no object", {0x20, 0, 0, 0}, 4, 0, true, false},
			{"object too short", {0x20, 0, 0, 0, 0, 3, 1, 1, 1, 2, 3, 4}, 12, 0, true,
					false},
			{"object too long", {0x20, 0, 0, 0, 0, 9, 1, 1, 1, 2, 3, 4}, 12, 0, true,
					false},
			{"object of 0", {0x20, 0, 0, 0, 0, 0, 1, 1, 1, 2, 3, 4}, 12, 0, true,
					false},
			{"rest too short", {0x20, 0, 0, 0, 0, 4, 1, 1, 1, 2}, 10, 0, true, false},
			{"two objects", {0x20, 0, 0, 0, 0, 4, 1, 1, 0, 8, 1, 2, 3, 4, 5, 6}, 16, 0,
					true, true},
			{"length below 128", {0x20, 0, 0, 0, 0, 8, 1, 1, 1, 2, 3, 4}, 12, 15, true,
					false},
			{"length beyond", {0x20, 0, 0, 0, 0, 8, 1, 1, 1, 2, 3, 4}, 12, 200, true,
					false},
	};
	uint64_t random = lath_test_random(__func__);
	static struct fixture f;

	(void)state;
	for (unsigned i = 0; i < 2 * LATH_ARRAY_SIZE(rows); i++) {
		bool v6 = i % 2 == 1;
		struct lath_icmperr err;

		draw(&f, families[i % 2], LATH_PROTO_TCP, &random);
		f.quoted.l4_len = 400;
		f.quoted.fragment = 0;
		f.quoted.option_len = 0;
		f.error.extension = f.extension;
		f.error.extension_len = rows[i / 2].len;
		memcpy(f.extension, rows[i / 2].bytes, rows[i / 2].len);
		if (rows[i / 2].sum)
			kit_put16(f.extension + 2, ~kit_sum(f.extension, rows[i / 2].len, 0));
		build(&f, 120);
		if (rows[i / 2].stated != 0) {
			f.ip[f.quote_at - (v6 ? 4 : 3)] = rows[i / 2].stated;
			kit_fix_error(f.ip, f.len);
		}
		assert_int_equal(parse(&f, &err), LATH_DROP_NONE);
		if ((err.extension_len != 0) != rows[i / 2].found)
			fail_msg("%s: %u bytes", rows[i / 2].name, err.extension_len);
		check_key(&f, &err);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(key_is_the_quoted_tuple_with_its_ends_swapped),
			cmocka_unit_test(mtu_and_pointer_are_read),
			cmocka_unit_test(damaged_errors_are_named),
			cmocka_unit_test(quoted_icmp_must_be_echo),
			cmocka_unit_test(every_length_is_checked),
			cmocka_unit_test(only_a_valid_extension_counts),
	};

	return cmocka_run_group_tests_name("icmperr_parse", tests, NULL, NULL);
}
