/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Where IPv6 of a VPC goes, against a naive model. */
#include "test_model_world.h"

#define BLUE 0u

struct naive_route {
	const char *prefix;
	const char *next_hop; /* NULL: attached */
	const char *attachment;
};

static const struct naive_route naive_routes[] = {
		{"fd00:0:0:1::/64", NULL, "b0"},
		{"fd00:0:0:2::/64", NULL, "b1"},
		{"::/0", "fe80::1", "b1"},
		{"fd00::/48", "fd00:0:0:1::fe", "b0"},
		{"fd00:0:0:1:8000::/65", "fd00:0:0:2::fe", "b1"},
		{"fd00:0:0:9::9/128", "fe80::9", "b0"},
};

/* A look at all of them, one by one. */
static const struct naive_route *
naive_look(const struct lath_ip *ip)
{
	const struct naive_route *best = NULL;
	uint8_t bits = 0;

	for (unsigned i = 0; i < LATH_ARRAY_SIZE(naive_routes); i++) {
		struct lath_prefix one;

		assert_int_equal(0, lath_prefix_parse(naive_routes[i].prefix, &one));
		if (!lath_prefix_contains(&one, ip) || one.bits < bits)
			continue;
		bits = one.bits;
		best = &naive_routes[i];
	}
	return best;
}

static struct world *
naive_world(void)
{
	struct world *world = world_create(WORLD_BASE, "");

	world_add(world, "/vpcs/0/attachments/0/addresses", "'fd00:0:0:1::1/64'");
	world_add(world, "/vpcs/0/attachments/1/addresses", "'fd00:0:0:2::1/64'");
	world_set(world, "/vpcs/0/prefixes", "['10.0.0.0/16', 'fd00::/32']");
	for (unsigned i = 2; i < LATH_ARRAY_SIZE(naive_routes); i++) {
		const struct naive_route *route = &naive_routes[i];
		bool local = strncmp(route->next_hop, "fe80", 4) == 0;
		char text[256];

		snprintf(text, sizeof(text), "{'prefix': '%s', 'nextHop': '%s'%s%s%s}",
				route->prefix, route->next_hop, local ? ", 'attachment': '" : "",
				local ? route->attachment : "", local ? "'" : "");
		world_add(world, "/vpcs/0/routes", text);
	}
	world_apply(world);
	return world;
}

static void
ipv6_routes_agree_with_a_naive_look(void **state)
{
	static const char *const asked[] = {"fd00:0:0:1::5", "fd00:0:0:1:8000::", "fd00:0:0:9::9",
			"fd00:0:0:9::8", "fd00:0:0:2:ffff:ffff:ffff:ffff",
			"fd00:1::", "2001:db8::1", "fcff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::"};
	struct world *world = naive_world();

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(asked); i++) {
		struct lath_ip ip = world_ip(asked[i]);
		const struct lath_model_route *route = lath_model_route(world_vpc(world, BLUE),
				&ip);
		const struct naive_route *wanted = naive_look(&ip);
		char text[LATH_IP_TEXT_MAX];

		assert_non_null(route);
		assert_string_equal(wanted->attachment,
				world->model->attachments[route->attachment]->name);
		if (wanted->next_hop == NULL)
			assert_int_equal(LATH_FAMILY_NONE, route->next_hop.family);
		else
			assert_string_equal(wanted->next_hop,
					lath_ip_format(&route->next_hop, text));
	}
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(ipv6_routes_agree_with_a_naive_look),
	};

	return cmocka_run_group_tests_name("model_route", tests, NULL, NULL);
}
