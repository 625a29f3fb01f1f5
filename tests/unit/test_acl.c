/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Tables of rules: each part of a rule by itself, and random lists against reading them one by one.
 * tests/policy compares them with an evaluator in another language.
 */

#include <lath_acl.h>

#include "lath_test.h"

static struct lath_prefix
prefix_of(const char *text)
{
	struct lath_prefix prefix;

	if (lath_prefix_parse(text, &prefix) != 0)
		fail_msg("%s", text);
	return prefix;
}

static struct lath_acl_packet
packet_of(const char *peer, enum lath_acl_protocol protocol, uint16_t port)
{
	struct lath_acl_packet packet = {.vpc = 7, .protocol = (uint8_t)protocol, .port = port};

	assert_int_equal(lath_ip_parse(peer, &packet.peer), 0);
	return packet;
}

static const struct {
	const char *name;
	const char *peer;
	enum lath_acl_protocol protocol;
	uint16_t port;
	uint32_t number;
	bool allows;
} rows[] = {
		{"exact port", "10.0.0.5", LATH_ACL_TCP, 443, 100, true},
		{"below the range", "10.0.0.5", LATH_ACL_TCP, 442, 300, false},
		{"in the range", "10.0.1.5", LATH_ACL_UDP, 1024, 200, false},
		{"its end", "10.0.1.5", LATH_ACL_UDP, 65535, 200, false},
		{"before it", "10.0.1.5", LATH_ACL_UDP, 1023, 300, false},
		{"an address of it", "10.0.0.9", LATH_ACL_TCP, 443, 50, false},
		{"ping", "10.0.0.5", LATH_ACL_ICMP, 0, 150, true},
		{"IPv6", "2001:db8::1", LATH_ACL_TCP, 22, 250, true},
		{"IPv6 outside", "2001:db9::1", LATH_ACL_TCP, 22, LATH_ACL_NONE, false},
		{"VPC", "192.0.2.1", LATH_ACL_TCP, 8080, 400, true},
		{"nobody", "192.0.2.1", LATH_ACL_TCP, 8081, LATH_ACL_NONE, false},
};

static const struct {
	struct lath_acl_rule rule;
	const char *prefix;
} rules_of_rows[] = {
		{{.number = 300, .protocol = LATH_ACL_ANY}, "10.0.0.0/8"},
		{{.number = 100, .first_port = 443, .last_port = 443, .allows = true},
				"10.0.0.0/24"},
		{{.number = 50, .last_port = 65535}, "10.0.0.9/32"},
		{{.number = 200, .protocol = LATH_ACL_UDP, .first_port = 1024, .last_port = 65535},
				"10.0.1.0/24"},
		{{.number = 150, .protocol = LATH_ACL_ICMP, .allows = true}, "10.0.0.0/24"},
		{{.number = 250, .protocol = LATH_ACL_ANY, .allows = true}, "2001:db8::/32"},
		{{.number = 400, .first_port = 8080, .last_port = 8080, .allows = true, .vpc = 7},
				NULL},
		{{.number = 401, .first_port = 8081, .last_port = 8081, .allows = true, .vpc = 8},
				NULL},
};

static void
first_rule_decides(void **state)
{
	struct lath_acl_rule rules[LATH_ARRAY_SIZE(rules_of_rows)];
	struct lath_acl *acl;

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rules); i++) {
		rules[i] = rules_of_rows[i].rule;
		rules[i].peer = LATH_ACL_PEER_VPC;
		if (rules_of_rows[i].prefix == NULL)
			continue;
		rules[i].peer = LATH_ACL_PEER_PREFIX;
		rules[i].prefix = prefix_of(rules_of_rows[i].prefix);
	}
	acl = lath_acl_build(rules, LATH_ARRAY_SIZE(rules));
	assert_non_null(acl);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_acl_packet packet = packet_of(rows[i].peer, rows[i].protocol,
				rows[i].port);
		bool allows = true;

		if (lath_acl_find(acl, &packet, &allows) != rows[i].number ||
				allows != rows[i].allows)
			fail_msg("row \"%s\"", rows[i].name);
	}
	free(acl);
}

static void
an_empty_list_matches_nothing(void **state)
{
	struct lath_acl *acl = lath_acl_build(NULL, 0);
	struct lath_acl_packet packet = packet_of("10.0.0.1", LATH_ACL_TCP, 80);
	bool allows = true;

	(void)state;
	assert_non_null(acl);
	assert_int_equal(lath_acl_find(acl, &packet, &allows), LATH_ACL_NONE);
	assert_false(allows);
	free(acl);
}

/* ---- random lists ------------------------------------------------------------------------ */

/* Few networks and ports, so that rules meet. */
static struct lath_ip
random_ip(uint64_t *random)
{
	struct lath_ip ip = {.family = LATH_FAMILY_IPV4};

	if (lath_random_below(random, 3) == 0)
		ip.family = LATH_FAMILY_IPV6;
	ip.bytes[0] = 10;
	for (unsigned i = 1; i < (ip.family == LATH_FAMILY_IPV4 ? 4 : 16); i++)
		ip.bytes[i] = lath_random_below(random, 4) == 0
				? (uint8_t)lath_random_below(random, 3)
				: 0;
	return ip;
}

static struct lath_acl_rule
random_rule(uint64_t *random, uint32_t number)
{
	struct lath_acl_rule rule = {
			.number = number,
			.protocol = (uint8_t)lath_random_below(random, LATH_ACL_PROTOCOL_COUNT),
			.peer = (uint8_t)lath_random_below(random, 8),
			.first_port = (uint16_t)lath_random_below(random, 40),
			.allows = lath_random_below(random, 2) == 0,
			.vpc = lath_random_below(random, 3),
	};

	if (lath_random_below(random, 10) == 0)
		rule.first_port = (uint16_t)(65530 + lath_random_below(random, 6));
	rule.last_port = (uint16_t)(rule.first_port + lath_random_below(random, 5));
	if (rule.last_port < rule.first_port)
		rule.last_port = UINT16_MAX;
	rule.prefix.ip = random_ip(random);
	rule.prefix.bits = (uint8_t)lath_random_below(random,
			rule.prefix.ip.family == LATH_FAMILY_IPV4 ? 33 : 129);
	rule.prefix = lath_prefix_network(&rule.prefix);
	if (rule.peer > LATH_ACL_PEER_VPC)
		rule.peer = LATH_ACL_PEER_PREFIX;
	return rule;
}

static bool
rule_matches(const struct lath_acl_rule *rule, const struct lath_acl_packet *packet)
{
	if (rule->protocol != LATH_ACL_ANY && rule->protocol != packet->protocol)
		return false;
	if ((rule->protocol == LATH_ACL_TCP || rule->protocol == LATH_ACL_UDP) &&
			(packet->port < rule->first_port || packet->port > rule->last_port))
		return false;
	if (rule->peer == LATH_ACL_PEER_VPC)
		return rule->vpc == packet->vpc;
	return rule->peer == LATH_ACL_PEER_ANY ||
			lath_prefix_contains(&rule->prefix, &packet->peer);
}

static void
compare_list(uint64_t *random, uint32_t count, unsigned packets)
{
	struct lath_acl_rule *rules = calloc(count + 1, sizeof(*rules));
	struct lath_acl *acl;

	/* Numbers go up with the place, so the first of the list is the lowest. */
	for (uint32_t i = 0; i < count; i++)
		rules[i] = random_rule(random, 10 * i + 1);
	acl = lath_acl_build(rules, count);
	assert_non_null(acl);
	for (unsigned i = 0; i < packets; i++) {
		struct lath_acl_packet packet = {
				.peer = random_ip(random),
				.vpc = lath_random_below(random, 3),
				.protocol = (uint8_t)lath_random_below(random, LATH_ACL_ANY),
		};
		uint32_t first = 0;
		bool allows;

		if (packet.protocol != LATH_ACL_ICMP)
			packet.port = (uint16_t)(lath_random_below(random, 50) - 5);
		while (first < count && !rule_matches(&rules[first], &packet))
			first++;
		assert_int_equal(lath_acl_find(acl, &packet, &allows),
				first == count ? LATH_ACL_NONE : rules[first].number);
		assert_int_equal(allows, first < count && rules[first].allows);
	}
	free(acl);
	free(rules);
}

static void
random_lists_equal_reading_them(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned lists = lath_test_size(__func__, 300, 20000);

	(void)state;
	for (unsigned i = 0; i < lists; i++)
		compare_list(&random, lath_random_below(&random, 40), 60);
	compare_list(&random, 4000, 2000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(first_rule_decides),
			cmocka_unit_test(an_empty_list_matches_nothing),
			cmocka_unit_test(random_lists_equal_reading_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
