/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <lath_cksum.h>
#include <lath_nd.h>

#include <cmocka.h>

#define ETH 14u
#define ICMP 40u /* offsets in the IP packet */
#define TARGET (ICMP + 8)
#define OPTION (ICMP + 24)

static const struct lath_mac ours = {{2, 0, 0, 0, 0, 1}};
static const struct lath_mac theirs = {{2, 0, 0, 0, 0, 2}};

static struct lath_ip
ip_of(const char *text)
{
	struct lath_ip ip;

	assert_int_equal(lath_ip_parse(text, &ip), 0);
	return ip;
}

static void
sum(uint8_t *ip)
{
	uint16_t len = (uint16_t)(ip[4] << 8 | ip[5]);
	uint16_t cksum;

	memset(ip + ICMP + 2, 0, 2);
	cksum = lath_cksum_l4_v6((void *)ip, LATH_PROTO_ICMPV6, ip + ICMP, len);
	memcpy(ip + ICMP + 2, &cksum, 2);
}

/* ---- addresses ---------------------------------------------------------------------------- */

static void
addresses_are_those_of_the_rfcs(void **state)
{
	struct lath_ip ip = ip_of("2001:db8::12:3456");
	struct lath_ip group = lath_nd_solicited_node(&ip);
	struct lath_mac mac = lath_nd_group_mac(&group);
	struct lath_ip own = lath_nd_link_local(&ours);
	struct lath_ip nodes = lath_nd_all_nodes();
	struct lath_ip routers = lath_nd_all_routers();
	char text[LATH_IP_TEXT_MAX];
	char mac_text[LATH_MAC_TEXT_MAX];

	(void)state;
	assert_string_equal(lath_ip_format(&group, text), "ff02::1:ff12:3456");
	assert_string_equal(lath_mac_format(&mac, mac_text), "33:33:ff:12:34:56");
	assert_true(lath_nd_is_group_mac(&mac));
	assert_false(lath_nd_is_group_mac(&ours));
	assert_string_equal(lath_ip_format(&own, text), "fe80::ff:fe00:1");
	assert_true(lath_nd_is_link_local(&own));
	assert_false(lath_nd_is_link_local(&ip));
	assert_string_equal(lath_ip_format(&nodes, text), "ff02::1");
	assert_string_equal(lath_ip_format(&routers, text), "ff02::2");
}

/* ---- what is made is this to the byte ------------------------------------------------------ */

static void
solicitation_is_this_to_the_byte(void **state)
{
	static const uint8_t expected[86] = {0x33, 0x33, 0xff, 0, 0, 7, 2, 0, 0, 0, 0, 1, 0x86,
			0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255,
			/* from fd00::1 to ff02::1:ff00:7 */
			0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 2, 0, 0, 0, 0, 0,
			0, 0, 0, 0, 1, 0xff, 0, 0, 7,
			/* type, code, sum; reserved; fd00::7; source link-layer address */
			135, 0, 0x7d, 0x8d, 0, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			0, 7, 1, 1, 2, 0, 0, 0, 0, 1};
	struct lath_ip target = ip_of("fd00::7");
	struct lath_ip group = lath_nd_solicited_node(&target);
	const struct lath_nd_neighbor msg = {
			.type = LATH_ND_NEIGHBOR_SOLICITATION,
			.mac = ours,
			.eth_dst = lath_nd_group_mac(&group),
			.src = ip_of("fd00::1"),
			.dst = group,
			.target = target,
	};
	uint8_t *frame = malloc(86);

	(void)state;
	assert_non_null(frame);
	assert_int_equal(lath_nd_make_neighbor(frame, &msg), 86);
	assert_memory_equal(frame, expected, 86);
	free(frame);
}

static void
tagged_advertisement_carries_flags_and_target_mac(void **state)
{
	const struct lath_nd_neighbor msg = {
			.type = LATH_ND_NEIGHBOR_ADVERTISEMENT,
			.vlan = 100,
			.mac = ours,
			.eth_dst = theirs,
			.src = ip_of("fd00::1"),
			.dst = ip_of("fd00::2"),
			.target = ip_of("fd00::1"),
			.is_solicited = true,
			.overrides = true,
	};
	static const uint8_t tail[8] = {2, 1, 2, 0, 0, 0, 0, 1};
	uint8_t *frame = malloc(LATH_ND_NEIGHBOR_MAX);
	struct lath_nd_message read;

	(void)state;
	assert_non_null(frame);
	assert_int_equal(lath_nd_make_neighbor(frame, &msg), LATH_ND_NEIGHBOR_MAX);
	assert_int_equal(frame[12] << 8 | frame[13], LATH_ETHERTYPE_VLAN);
	assert_int_equal(frame[18 + ICMP + 4], 0xe0); /* router, solicited, override */
	assert_memory_equal(frame + 18 + OPTION, tail, 8);
	assert_int_equal(lath_nd_parse(frame + 18, 72, &read), LATH_DROP_NONE);
	assert_true(read.from_router && read.is_solicited && read.overrides && read.has_mac);
	free(frame);
}

/* RFC 4862 section 5.4.2, RFC 4861 section 4.3. */
static void
question_from_nobody_carries_no_option(void **state)
{
	struct lath_ip target = ip_of("fd00::1");
	const struct lath_nd_neighbor msg = {
			.type = LATH_ND_NEIGHBOR_SOLICITATION,
			.mac = ours,
			.src = ip_of("::"),
			.dst = lath_nd_solicited_node(&target),
			.target = target,
	};
	uint8_t frame[LATH_ND_NEIGHBOR_MAX];
	struct lath_nd_message read;

	(void)state;
	//= RFC4862#5.4.2-unspecified type=test
	assert_int_equal(lath_nd_make_neighbor(frame, &msg), ETH + OPTION);
	assert_int_equal(lath_nd_parse(frame + ETH, OPTION, &read), LATH_DROP_NONE);
	assert_false(read.has_mac);
}

static void
answer_goes_to_who_asked_or_to_all(void **state)
{
	struct lath_nd_message question = {
			.type = LATH_ND_NEIGHBOR_SOLICITATION,
			.src = ip_of("fd00::2"),
			.target = ip_of("fd00::1"),
	};
	struct lath_nd_neighbor answer = lath_nd_answer(&question, 7, &ours, &theirs);
	struct lath_ip nodes = lath_nd_all_nodes();
	const struct lath_mac nodes_mac = {{0x33, 0x33, 0, 0, 0, 1}};

	(void)state;
	//= RFC4861#7.2.4-solicited type=test
	assert_true(lath_ip_equal(&answer.dst, &question.src));
	assert_true(lath_ip_equal(&answer.src, &question.target));
	assert_memory_equal(&answer.eth_dst, &theirs, 6);
	assert_true(answer.is_solicited && answer.overrides);
	assert_int_equal(answer.vlan, 7);
	//= RFC4861#7.2.4-unspecified type=test
	question.src = ip_of("::");
	answer = lath_nd_answer(&question, 7, &ours, &theirs);
	assert_true(lath_ip_equal(&answer.dst, &nodes));
	assert_memory_equal(&answer.eth_dst, &nodes_mac, 6);
	assert_false(answer.is_solicited);
	assert_true(answer.overrides);
}

static struct lath_prefix
prefix_of(const char *text)
{
	struct lath_prefix prefix;

	assert_int_equal(lath_prefix_parse_host(text, &prefix), 0);
	return prefix;
}

static void
router_tells_mtu_prefixes_and_routes(void **state)
{
	const struct lath_nd_prefix prefix = {prefix_of("fd00::1/64"), true, false, 3600, 1800};
	const struct lath_nd_route routes[3] = {{prefix_of("fd6c:6174:6801::/64"), 1800},
			{prefix_of("::/0"), 0}, {prefix_of("fd01::8:0/112"), 5}};
	struct lath_nd_router msg = {
			.mac = ours,
			.eth_dst = {{0x33, 0x33, 0, 0, 0, 1}},
			.src = lath_nd_link_local(&ours),
			.dst = lath_nd_all_nodes(),
			.lifetime_s = 0,
			.hop_limit = 64,
			.mtu = 1400,
			.prefixes = &prefix,
			.prefix_count = 1,
			.routes = routes,
			.route_count = 3,
	};
	static const uint8_t body[] = {64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* header */
			1, 1, 2, 0, 0, 0, 0, 1,                             /* our MAC */
			5, 1, 0, 0, 0, 0, 0x05, 0x78,                       /* MTU */
			3, 4, 64, 0x80, 0, 0, 0x0e, 0x10, 0, 0, 0x07, 0x08, 0, 0, 0, 0, 0xfd, 0, 0,
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* prefix */
			24, 2, 64, 0, 0, 0, 0x07, 0x08, 0xfd, 0x6c, 0x61, 0x74, 0x68, 1, 0, 0, 24,
			1, 0, 0, 0, 0, 0, 0, /* ::/0 takes no bytes */
			24, 3, 112, 0, 0, 0, 0, 5, 0xfd, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0,
			0};
	uint8_t *frame = malloc(1514);
	struct lath_nd_message read;
	uint32_t len;

	(void)state;
	assert_non_null(frame);
	//= RFC4861#4.2 type=test
	//= RFC4191#2.3 type=test
	len = lath_nd_make_router(frame, 1514, &msg);
	assert_int_equal(len, ETH + ICMP + 4 + sizeof(body));
	assert_memory_equal(frame + ETH + ICMP + 4, body, sizeof(body));
	assert_int_equal(lath_nd_parse(frame + ETH, len - ETH, &read), LATH_DROP_NONE);
	assert_int_equal(read.type, LATH_ND_ROUTER_ADVERTISEMENT);
	assert_true(read.has_mac);
	free(frame);
	/* The last route finds no room. */
	frame = malloc(len - 1);
	assert_non_null(frame);
	assert_int_equal(lath_nd_make_router(frame, len - 1, &msg), len - 24);
	assert_int_equal(lath_nd_parse(frame + ETH, len - 24 - ETH, &read), LATH_DROP_NONE);
	assert_int_equal(lath_nd_make_router(frame, 60, &msg), 0);
	free(frame);
}

/* ---- what is read ------------------------------------------------------------------------- */

enum shape {
	SOLICITATION,
	SOLICITATION_FROM_NOBODY,
	ADVERTISEMENT,
	ROUTER_SOLICITATION,
	ROUTER_ADVERTISEMENT,
	REDIRECT,
};

/* A valid message of a shape, at `ip`; returns its length. */
static uint32_t
valid(enum shape shape, uint8_t *ip)
{
	uint8_t frame[ETH + 200];
	struct lath_nd_neighbor neighbor = {
			.type = shape == ADVERTISEMENT ? LATH_ND_NEIGHBOR_ADVERTISEMENT
						       : LATH_ND_NEIGHBOR_SOLICITATION,
			.mac = theirs,
			.src = shape == SOLICITATION_FROM_NOBODY ? ip_of("::") : ip_of("fe80::2"),
			.target = ip_of("fd00::7"),
			.is_solicited = true,
	};
	const struct lath_nd_router router = {
			.mac = theirs,
			.src = ip_of("fe80::2"),
			.dst = lath_nd_all_nodes(),
	};
	uint32_t len;

	neighbor.dst = shape == ADVERTISEMENT ? ip_of("fe80::1")
					      : lath_nd_solicited_node(&neighbor.target);
	if (shape == ROUTER_ADVERTISEMENT)
		len = lath_nd_make_router(frame, sizeof(frame), &router);
	else
		len = lath_nd_make_neighbor(frame, &neighbor);
	len -= ETH;
	memcpy(ip, frame + ETH, len);
	if (shape == ROUTER_SOLICITATION) { /* the neighbour's without target */
		ip[ICMP] = LATH_ND_ROUTER_SOLICITATION;
		memmove(ip + TARGET, ip + OPTION, 8);
		ip[5] = 16;
		len = ICMP + 16;
	} else if (shape == REDIRECT) { /* with a destination in place of its option */
		ip[ICMP] = LATH_ND_REDIRECT;
		memcpy(ip + OPTION, ip + TARGET, 16);
		ip[5] = 40;
		len = ICMP + 40;
	}
	sum(ip);
	return len;
}

static void
valid_messages_are_read(void **state)
{
	static const uint8_t types[] = {135, 135, 136, 133, 134, 137};

	(void)state;
	for (enum shape shape = SOLICITATION; shape <= REDIRECT; shape++) {
		uint8_t ip[200];
		uint32_t len = valid(shape, ip);
		struct lath_nd_message read;

		assert_true(lath_nd_is(ip, len));
		assert_int_equal(lath_nd_parse(ip, len, &read), LATH_DROP_NONE);
		assert_int_equal(read.type, types[shape]);
		assert_int_equal(read.has_mac,
				shape != SOLICITATION_FROM_NOBODY && shape != REDIRECT);
		assert_true(!read.has_mac || memcmp(&read.mac, &theirs, 6) == 0);
		assert_int_equal(read.ip_len, len);
		/* Ethernet's padding is none of the message. */
		assert_int_equal(lath_nd_parse(ip, len + 7, &read), LATH_DROP_NONE);
		assert_int_equal(read.ip_len, len);
	}
}

/* Bytes that make a valid message one to discard. `size` bytes of `with` go to `at`. */
struct mischief {
	const char *what;
	enum shape shape;
	uint32_t at;
	uint32_t size;
	uint8_t with[16];
	enum lath_drop reason;
	bool keep_sum;
};

#define MALFORMED LATH_DROP_nd_malformed

/* clang-format off */
static const struct mischief mischiefs[] = {
	//= RFC4861#7.1.1-hop-limit type=test
	{"hop limit 254", SOLICITATION, 7, 1, {254}, LATH_DROP_nd_hop_limit, false},
	//= RFC4861#7.1.2-hop-limit type=test
	{"hop limit 64", ADVERTISEMENT, 7, 1, {64}, LATH_DROP_nd_hop_limit, false},
	//= RFC4861#6.1.1-hop-limit type=test
	{"hop limit 1", ROUTER_SOLICITATION, 7, 1, {1}, LATH_DROP_nd_hop_limit, false},
	//= RFC4861#6.1.2-hop-limit type=test
	{"hop limit 0", ROUTER_ADVERTISEMENT, 7, 1, {0}, LATH_DROP_nd_hop_limit, false},
	{"hop limit 2", REDIRECT, 7, 1, {2}, LATH_DROP_nd_hop_limit, false},
	//= RFC4861#7.1.1-checksum type=test
	//= RFC4861#7.1.2-checksum type=test
	//= RFC4861#6.1.1-checksum type=test
	{"wrong sum", SOLICITATION, ICMP + 2, 2, {1, 2}, LATH_DROP_icmp_cksum, true},
	{"wrong sum", ADVERTISEMENT, ICMP + 2, 2, {1, 2}, LATH_DROP_icmp_cksum, true},
	{"wrong sum", ROUTER_SOLICITATION, ICMP + 2, 2, {1, 2}, LATH_DROP_icmp_cksum, true},
	//= RFC4861#7.1.1-code type=test
	//= RFC4861#7.1.2-code type=test
	//= RFC4861#6.1.1-code type=test
	{"code 1", SOLICITATION, ICMP + 1, 1, {1}, MALFORMED, false},
	{"code 1", ADVERTISEMENT, ICMP + 1, 1, {1}, MALFORMED, false},
	{"code 1", ROUTER_SOLICITATION, ICMP + 1, 1, {1}, MALFORMED, false},
	{"code 9", ROUTER_ADVERTISEMENT, ICMP + 1, 1, {9}, MALFORMED, false},
	//= RFC4861#7.1.1-length type=test
	//= RFC4861#7.1.2-length type=test
	//= RFC4861#6.1.1-length type=test
	{"23 bytes", SOLICITATION, 5, 1, {23}, MALFORMED, false},
	{"23 bytes", ADVERTISEMENT, 5, 1, {23}, MALFORMED, false},
	{"7 bytes", ROUTER_SOLICITATION, 5, 1, {7}, MALFORMED, false},
	{"15 bytes", ROUTER_ADVERTISEMENT, 5, 1, {15}, MALFORMED, false},
	{"39 bytes", REDIRECT, 5, 1, {39}, MALFORMED, false},
	{"more than there is", SOLICITATION, 5, 1, {33}, MALFORMED, true},
	//= RFC4861#7.1.1-options type=test
	//= RFC4861#7.1.2-options type=test
	//= RFC4861#6.1.1-options type=test
	{"option of length 0", SOLICITATION, OPTION + 1, 1, {0}, MALFORMED, false},
	{"option of length 0", ADVERTISEMENT, OPTION + 1, 1, {0}, MALFORMED, false},
	{"option of length 0", ROUTER_SOLICITATION, TARGET + 1, 1, {0}, MALFORMED, false},
	{"unknown option of length 0", SOLICITATION, OPTION, 2, {99, 0}, MALFORMED, false},
	{"option beyond the end", SOLICITATION, OPTION + 1, 1, {2}, MALFORMED, false},
	{"half an option", SOLICITATION, 5, 1, {28}, MALFORMED, false},
	//= RFC4861#7.1.1-target type=test
	//= RFC4861#7.1.2-target type=test
	{"target is a group", SOLICITATION, TARGET, 1, {0xff}, MALFORMED, false},
	{"target is a group", ADVERTISEMENT, TARGET, 1, {0xff}, MALFORMED, false},
	//= RFC4861#7.1.1-solicited-node type=test
	{"nobody asks one", SOLICITATION_FROM_NOBODY, 24, 16,
		{0xfd, [15] = 7}, MALFORMED, false},
	{"nobody asks all", SOLICITATION_FROM_NOBODY, 24, 16,
		{0xff, 2, [15] = 1}, MALFORMED, false},
	//= RFC4861#7.1.1-unspecified-option type=test
	{"nobody has a MAC", SOLICITATION, 8, 16, {0}, MALFORMED, false},
	//= RFC4861#6.1.1-unspecified-option type=test
	{"nobody has a MAC", ROUTER_SOLICITATION, 8, 16, {0}, MALFORMED, false},
	//= RFC4861#7.1.2-multicast type=test
	{"answer to a group", ADVERTISEMENT, 24, 16, {0xff, 2, [15] = 1}, MALFORMED, false},
	//= RFC4861#6.1.2-link-local type=test
	{"router from afar", ROUTER_ADVERTISEMENT, 8, 2, {0xfd, 0}, MALFORMED, false},
	{"redirect from afar", REDIRECT, 8, 2, {0xfd, 0}, MALFORMED, false},
	{"redirect of a group", REDIRECT, OPTION, 1, {0xff}, MALFORMED, false},
	{"redirect to nowhere", REDIRECT, TARGET + 15, 1, {9}, MALFORMED, false},
	{"from a group", SOLICITATION, 8, 16, {0xff, 2, [15] = 1}, MALFORMED, false},
};
/* clang-format on */

static void
each_mischief_is_discarded(void **state)
{
	(void)state;
	for (size_t i = 0; i < LATH_ARRAY_SIZE(mischiefs); i++) {
		const struct mischief *m = &mischiefs[i];
		uint8_t ip[200];
		uint32_t len = valid(m->shape, ip);
		struct lath_nd_message read;
		enum lath_drop reason;

		memcpy(ip + m->at, m->with, m->size);
		if (!m->keep_sum)
			sum(ip);
		reason = lath_nd_parse(ip, len, &read);
		if (reason != m->reason)
			fail_msg("%s of shape %d: %s", m->what, m->shape, lath_drop_name(reason));
	}
}

/* What is cut anywhere is never read beyond its end; ASAN watches. */
static void
cut_messages_are_discarded(void **state)
{
	(void)state;
	for (enum shape shape = SOLICITATION; shape <= REDIRECT; shape++) {
		uint8_t whole[200];
		uint32_t len = valid(shape, whole);

		for (uint32_t cut = 0; cut < len; cut++) {
			uint8_t *ip = malloc(cut == 0 ? 1 : cut);
			struct lath_nd_message read;

			assert_non_null(ip);
			memcpy(ip, whole, cut);
			if (lath_nd_is(ip, cut))
				assert_int_equal(lath_nd_parse(ip, cut, &read), MALFORMED);
			free(ip);
		}
	}
}

static void
other_packets_are_none(void **state)
{
	uint8_t ip[200];
	uint32_t len = valid(SOLICITATION, ip);

	(void)state;
	ip[ICMP] = 132;
	assert_false(lath_nd_is(ip, len));
	ip[ICMP] = 138;
	assert_false(lath_nd_is(ip, len));
	ip[ICMP] = 135;
	ip[6] = 44; /* RFC 6980: a fragment is none */
	assert_false(lath_nd_is(ip, len));
	ip[6] = 58;
	ip[0] = 0x40;
	assert_false(lath_nd_is(ip, len));
}

/* ---- listeners ---------------------------------------------------------------------------- */

static void
report_is_this_to_the_byte(void **state)
{
	static const uint8_t expected[90] = {0x33, 0x33, 0, 0, 0, 0x16, 2, 0, 0, 0, 0, 1, 0x86,
			0xdd, 0x60, 0, 0, 0, 0, 36, 0, 1,
			/* from fe80::1 to ff02::16 */
			0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 2, 0, 0, 0, 0,
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16,
			/* router alert; one record, ff02::1:ff00:7 */
			58, 0, 5, 2, 0, 0, 1, 0, 143, 0, 0x71, 0x01, 0, 0, 0, 1, 4, 0, 0, 0, 0xff,
			2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 7};
	struct lath_ip src = ip_of("fe80::1");
	struct lath_ip group = ip_of("ff02::1:ff00:7");
	uint8_t *frame = malloc(LATH_ND_REPORT_LEN);

	(void)state;
	assert_non_null(frame);
	assert_int_equal(lath_nd_make_report(frame, &ours, &src, &group), LATH_ND_REPORT_LEN);
	assert_memory_equal(frame, expected, sizeof(expected));
	assert_false(lath_nd_is_query(frame + ETH, LATH_ND_REPORT_LEN - ETH));
	free(frame);
}

static void
queries_are_known_by_every_field(void **state)
{
	/* What makes a report of 36 bytes a query: its type. And what makes that none. */
	static const struct {
		uint32_t at;
		uint8_t with;
		bool is_query;
	} rows[] = {
			{ICMP + 8, 130, true}, {ICMP + 8, 131, false},
			{6, 58, false},        /* no hop-by-hop header */
			{7, 2, false},         /* hop limit */
			{8, 0x20, false},      /* not link-local */
			{ICMP, 17, false},     /* what follows */
			{ICMP + 1, 9, false},  /* beyond the end */
			{ICMP + 2, 6, false},  /* no router alert */
			{ICMP + 3, 99, false}, /* option beyond the end */
			{5, 31, false},        /* too short */
			{5, 37, false},        /* more than there is */
	};
	struct lath_ip src = ip_of("fe80::1");
	struct lath_ip group = ip_of("ff02::1");

	(void)state;
	for (size_t i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		uint8_t frame[LATH_ND_REPORT_LEN];
		uint8_t *ip = frame + ETH;
		uint16_t cksum;

		lath_nd_make_report(frame, &ours, &src, &group);
		ip[ICMP + 8] = 130;
		ip[rows[i].at] = rows[i].with;
		memset(ip + ICMP + 10, 0, 2);
		cksum = lath_cksum_l4_v6((void *)ip, LATH_PROTO_ICMPV6, ip + ICMP + 8, 28);
		memcpy(ip + ICMP + 10, &cksum, 2);
		if (lath_nd_is_query(ip, LATH_ND_REPORT_LEN - ETH) != rows[i].is_query)
			fail_msg("row %zu", i);
		ip[ICMP + 10] ^= 1;
		assert_false(lath_nd_is_query(ip, LATH_ND_REPORT_LEN - ETH));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(addresses_are_those_of_the_rfcs),
			cmocka_unit_test(solicitation_is_this_to_the_byte),
			cmocka_unit_test(tagged_advertisement_carries_flags_and_target_mac),
			cmocka_unit_test(question_from_nobody_carries_no_option),
			cmocka_unit_test(answer_goes_to_who_asked_or_to_all),
			cmocka_unit_test(router_tells_mtu_prefixes_and_routes),
			cmocka_unit_test(valid_messages_are_read),
			cmocka_unit_test(each_mischief_is_discarded),
			cmocka_unit_test(cut_messages_are_discarded),
			cmocka_unit_test(other_packets_are_none),
			cmocka_unit_test(report_is_this_to_the_byte),
			cmocka_unit_test(queries_are_known_by_every_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
