/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Errors that stay within their family: the packet as it left the gateway is quoted, and what comes
 * out must be byte for byte the error about the packet as it was sent, built anew.
 */

#include "icmperr_kit.h"

static const uint8_t protocols[] = {LATH_PROTO_TCP, LATH_PROTO_UDP, LATH_PROTO_ICMP};

/* One error, and what its receiver is to see. */
struct passage {
	struct kit_quoted sent;
	struct kit_quoted left;
	struct kit_error error;
	struct lath_icmperr_outer outer;
	uint8_t extension[64];
	uint32_t mtu;
	uint32_t quoted_l4; /* bytes */
	uint8_t out[KIT_ERROR_MAX];
	uint32_t out_len;
};

static void
draw(struct passage *p, uint8_t family, uint8_t proto, uint64_t *random)
{
	static const uint8_t types[][2] = {{3, 1}, {3, 4}, {11, 0}, {12, 0}};
	static const uint8_t types6[][2] = {{1, 4}, {2, 0}, {3, 0}, {4, 1}};
	const uint8_t *type = family == LATH_FAMILY_IPV6
			? types6[lath_random_below(random, LATH_ARRAY_SIZE(types6))]
			: types[lath_random_below(random, LATH_ARRAY_SIZE(types))];
	uint8_t router[16];

	kit_draw_quoted(&p->sent, family, proto, random);
	p->sent.option_len = (uint8_t)(8 * lath_random_below(random, 4));
	kit_other_side(&p->left, &p->sent, family, random);
	kit_draw_error(&p->error, &p->left, type[0], type[1], random);
	p->error.atomic = lath_random_below(random, 2) == 0;
	if (lath_random_below(random, 4) == 0 && type[0] != 2 && type[0] != 4) {
		p->error.extension = p->extension;
		p->error.extension_len = kit_extension(p->extension, sizeof(p->extension),
				lath_random_below(random, 2) == 0, random);
	}
	p->mtu = 0;
	if (type[1] == 4 && type[0] == 3)
		p->mtu = lath_random_below(random, 65536);
	else if (type[0] == 2)
		p->mtu = (uint32_t)lath_random_next(random);
	p->error.rest = p->mtu;
	kit_draw_address(router, family, random);
	p->outer = (struct lath_icmperr_outer){
			.src = kit_ip(router, family),
			.dst = kit_ip(p->sent.src, family),
			.mtu_max = lath_random_below(random, 2) * lath_random_below(random, 65536),
	};
	p->quoted_l4 = 8 + (lath_random_below(random, 2) ? lath_random_below(random, 1400) : 0);
	/* Half of TCP's checksum is of no use to anybody and stays as it is. */
	p->quoted_l4 -= p->quoted_l4 == 17;
	/* RFC 4884 section 3: 128 bytes of the packet stand before an extension, if it had them. */
	if (p->error.extension_len != 0)
		p->quoted_l4 += 120;
}

/* The error about `quoted` with what p says around it. */
static uint32_t
build(uint8_t *ip, const struct passage *p, const struct kit_quoted *quoted,
		const struct kit_error *error)
{
	uint8_t packet[KIT_ERROR_MAX];
	uint32_t l4_at;
	uint32_t len = kit_quoted_packet(packet, quoted, &l4_at);

	return kit_error_packet(ip, error, packet, lath_min_u32(len, l4_at + p->quoted_l4));
}

/* Passes the error on; the result lies in p->out. */
static void
pass_on(struct passage *p)
{
	uint8_t *exact;
	struct lath_icmperr err;

	p->out_len = build(p->out, p, &p->left, &p->error);
	exact = kit_exact(p->out, p->out_len);
	assert_int_equal(kit_parse_error(exact, p->out_len, p->sent.family, &err), LATH_DROP_NONE);
	if (p->sent.family == LATH_FAMILY_IPV6) {
		const struct lath_rewrite6 rewrite = kit_rewrite6(&p->sent);

		lath_icmperr_6to6(exact, &err, &rewrite, &p->outer);
	} else {
		const struct lath_rewrite4 rewrite = kit_rewrite4(&p->sent);

		lath_icmperr_4to4(exact, &err, &rewrite, &p->outer);
	}
	memcpy(p->out, exact, p->out_len);
	free(exact);
}

static void
check(struct passage *p)
{
	struct kit_error error = p->error;
	uint8_t expected[KIT_ERROR_MAX];
	uint32_t len;

	pass_on(p);
	error.ttl--;
	memcpy(error.src, p->outer.src.bytes, 16);
	memcpy(error.dst, p->outer.dst.bytes, 16);
	if (p->outer.mtu_max != 0 && p->mtu > p->outer.mtu_max)
		error.rest = p->outer.mtu_max;
	len = build(expected, p, &p->sent, &error);
	assert_int_equal(p->out_len, len);
	assert_memory_equal(p->out, expected, len);
}

//= RFC5508#REQ-4 type=test
//= RFC5508#REQ-5 type=test
//= RFC4787#REQ-12b type=test
//= RFC5382#REQ-9 type=test
static void
receiver_sees_the_packet_that_it_sent(void **state)
{
	static const uint8_t families[] = {LATH_FAMILY_IPV4, LATH_FAMILY_IPV6};
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 20000, 500000);
	static struct passage p;

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		draw(&p, families[i % 2], protocols[i / 2 % 3], &random);
		check(&p);
	}
}

/* RFC 792 promises no more than eight bytes: TCP's checksum lies behind them. */
//= RFC5382#REQ-9 type=test
static void
eight_bytes_of_transport_are_enough(void **state)
{
	static const uint8_t families[] = {LATH_FAMILY_IPV4, LATH_FAMILY_IPV6};
	uint64_t random = lath_test_random(__func__);
	static struct passage p;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		draw(&p, families[i % 2], protocols[i / 2 % 3], &random);
		p.error.extension_len = 0;
		p.quoted_l4 = 8 + i / 6 % 9; /* up to TCP's checksum */
		check(&p);
	}
}

static void
udp_without_a_sum_stays_without(void **state)
{
	uint64_t random = lath_test_random(__func__);
	static struct passage p;
	uint32_t l4_at;
	uint8_t scratch[KIT_ERROR_MAX];

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		draw(&p, LATH_FAMILY_IPV4, LATH_PROTO_UDP, &random);
		p.sent.without_cksum = true;
		p.left.without_cksum = true;
		check(&p);
		kit_quoted_packet(scratch, &p.sent, &l4_at);
		assert_int_equal(kit_get16(p.out + 28 + l4_at + 6), 0);
	}
}

/* A damaged transport header leaves as damaged as it came: nothing is hidden. */
//= RFC5508#REQ-3c type=test
static void
wrong_transport_sum_is_passed_on_wrong(void **state)
{
	uint64_t random = lath_test_random(__func__);
	static struct passage p;

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		struct lath_rewrite4 rewrite;
		struct lath_icmperr err;
		uint8_t expected[KIT_ERROR_MAX];
		struct kit_error error;
		uint32_t len;

		draw(&p, LATH_FAMILY_IPV4, LATH_PROTO_TCP, &random);
		p.quoted_l4 = 200;
		p.sent.fragment = 0;
		p.left.fragment = 0;
		p.out_len = build(p.out, &p, &p.left, &p.error);
		/* A bit of the sequence number, which the sum covers. */
		p.out[28 + 20 + p.left.option_len + 4] ^= 0x10;
		kit_fix_error(p.out, p.out_len);
		assert_int_equal(lath_icmperr_parse_v4(p.out, p.out_len, &err), LATH_DROP_NONE);
		rewrite = kit_rewrite4(&p.sent);
		lath_icmperr_4to4(p.out, &err, &rewrite, &p.outer);
		error = p.error;
		error.ttl--;
		memcpy(error.src, p.outer.src.bytes, 16);
		memcpy(error.dst, p.outer.dst.bytes, 16);
		if (p.outer.mtu_max != 0 && p.mtu > p.outer.mtu_max)
			error.rest = p.outer.mtu_max;
		len = build(expected, &p, &p.sent, &error);
		expected[28 + 20 + p.left.option_len + 4] ^= 0x10;
		kit_fix_error(expected, len);
		assert_memory_equal(p.out, expected, len);
	}
}

static void
there_and_back_is_what_it_was(void **state)
{
	uint64_t random = lath_test_random(__func__);
	static struct passage p;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		struct lath_icmperr_outer back;
		struct lath_rewrite4 rewrite;
		struct lath_icmperr err;
		uint8_t before[KIT_ERROR_MAX];

		draw(&p, LATH_FAMILY_IPV4, protocols[i % 3], &random);
		p.outer.mtu_max = 0;
		build(before, &p, &p.left, &p.error);
		pass_on(&p);
		assert_int_equal(lath_icmperr_parse_v4(p.out, p.out_len, &err), LATH_DROP_NONE);
		rewrite = kit_rewrite4(&p.left);
		back = (struct lath_icmperr_outer){
				.src = kit_ip(p.error.src, LATH_FAMILY_IPV4),
				.dst = kit_ip(p.error.dst, LATH_FAMILY_IPV4),
		};
		lath_icmperr_4to4(p.out, &err, &rewrite, &back);
		p.out[8] = (uint8_t)(p.out[8] + 2);
		kit_fix_ip(p.out);
		assert_memory_equal(p.out, before, p.out_len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(receiver_sees_the_packet_that_it_sent),
			cmocka_unit_test(eight_bytes_of_transport_are_enough),
			cmocka_unit_test(udp_without_a_sum_stays_without),
			cmocka_unit_test(wrong_transport_sum_is_passed_on_wrong),
			cmocka_unit_test(there_and_back_is_what_it_was),
	};

	return cmocka_run_group_tests_name("icmperr", tests, NULL, NULL);
}
