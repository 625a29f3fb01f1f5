/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Which address a service gets, keeps and leaves. */
#include "test_model_world.h"

static void
assert_same_ip(const struct lath_ip *a, const struct lath_ip *b)
{
	char ta[LATH_IP_TEXT_MAX];
	char tb[LATH_IP_TEXT_MAX];

	assert_string_equal(lath_ip_format(a, ta), lath_ip_format(b, tb));
}

static void
chosen_addresses_are_the_same_on_every_gateway(void **state)
{
	struct world *one = world_base();
	struct world *two = world_create(WORLD_BASE, "");
	struct lath_prefix cidr;

	(void)state;
	json_array_append(json_object_get(two->doc, "services"),
			json_array_get(json_object_get(two->doc, "services"), 0));
	json_array_remove(json_object_get(two->doc, "services"), 0);
	world_apply(two);
	assert_same_ip(&world_service(one, 0)->addresses[0], &world_service(two, 1)->addresses[0]);
	assert_same_ip(&world_service(one, 1)->addresses[0], &world_service(two, 0)->addresses[0]);
	assert_int_equal(0, lath_prefix_parse("198.18.0.0/16", &cidr));
	assert_true(lath_prefix_contains(&cidr, &world_service(one, 0)->addresses[0]));
	world_free(one);
	world_free(two);
}

static void
addresses_survive_a_restart_and_other_cidrs(void **state)
{
	char directory[64];
	struct world *world;
	struct lath_ip web[2];

	(void)state;
	world_directory_create(directory);
	world = world_create(WORLD_BASE, directory);
	world_apply(world);
	memcpy(web, world_service(world, 0)->addresses, sizeof(web));
	assert_int_equal(LATH_FAMILY_IPV6, web[1].family);
	world_set(world, "/serviceCidrs", "['198.19.0.0/16', 'fd00:1:2:3::/64']");
	world_apply(world);
	for (unsigned f = 0; f < 2; f++)
		assert_same_ip(&web[f], &world_service(world, 0)->addresses[f]);
	world_restart(world);
	world_apply(world);
	for (unsigned f = 0; f < 2; f++)
		assert_same_ip(&web[f], &world_service(world, 0)->addresses[f]);
	world_free(world);
	world_directory_remove(directory);
}

/* Two addresses for two services; a third waits until one is free. */
static void
address_is_held_after_its_service_was_removed(void **state)
{
	char directory[64];
	struct world *world;
	struct lath_ip web;

	(void)state;
	world_directory_create(directory);
	world = world_create(WORLD_BASE, directory);
	world_set(world, "/serviceCidrs", "['198.18.0.0/30']");
	world_apply(world);
	web = world_service(world, 0)->addresses[0];
	world_rename_service(world, 0, "other");
	assert_int_equal(-ENOSPC, world_update(world));
	world_remove(world, "/services/0");
	world_remove(world, "/serviceAssociations/0");
	world_apply(world);
	world_restart(world);
	world_add(world, "/services", "{'name': 'third', 'listeners': []}");
	world->now.wall_s += 86399;
	assert_int_equal(-ENOSPC, world_update(world));
	world->now.wall_s += 1;
	world_apply(world);
	assert_same_ip(&web, &world_service(world, 1)->addresses[0]);
	world_free(world);
	world_directory_remove(directory);
}

static void
returning_service_has_its_address_back(void **state)
{
	struct world *world = world_base();
	struct lath_ip web = world_service(world, 0)->addresses[0];
	char text[LATH_IP_TEXT_MAX];
	char value[64];

	(void)state;
	world_rename_service(world, 0, "other");
	world_apply(world);
	world->now.wall_s += 1000;
	world_rename_service(world, 0, "web");
	world_apply(world);
	assert_same_ip(&web, &world_service(world, 0)->addresses[0]);
	/* Unless it was given away by hand meanwhile. */
	world_rename_service(world, 0, "other");
	snprintf(value, sizeof(value), "['%s']", lath_ip_format(&web, text));
	world_set(world, "/services/0/addresses", value);
	world_apply(world);
	world_add(world, "/services", "{'name': 'web', 'listeners': []}");
	world_apply(world);
	assert_false(lath_ip_equal(&web, &world_service(world, 2)->addresses[0]));
	world_free(world);
}

static void
chosen_addresses_avoid_vpcs_given_ones_and_edges(void **state)
{
	struct world *world = world_create(WORLD_BASE, "");
	struct lath_ip only = world_ip("198.18.0.14");

	(void)state;
	/* Of 198.18.0.1 to .14, grey has .1 to .7, .8 to .11 are a pool's, .12 and .13 given. */
	world_set(world, "/serviceCidrs", "['198.18.0.0/28']");
	world_set(world, "/vpcs/2/prefixes", "['10.0.0.0/24', '198.18.0.0/29']");
	world_set(world, "/vpcs/2/natPool", "['198.18.0.8/30']");
	world_set(world, "/services/1/addresses", "['198.18.0.12']");
	world_add(world, "/services",
			"{'name': 'given', 'listeners': [], 'addresses': ['198.18.0.13']}");
	world_apply(world);
	assert_same_ip(&only, &world_service(world, 0)->addresses[0]);
	world_add(world, "/services", "{'name': 'late', 'listeners': []}");
	assert_int_equal(-ENOSPC, world_update(world));
	assert_string_equal("/services/3", world->err.pointer);
	world_free(world);
}

static void
each_family_with_a_prefix_gives_an_address(void **state)
{
	struct world *world = world_create(WORLD_BASE, "");
	struct lath_prefix six;

	(void)state;
	world_set(world, "/serviceCidrs", "['198.18.0.0/16', 'fd00:1:2:3::/64']");
	world_apply(world);
	assert_int_equal(0, lath_prefix_parse("fd00:1:2:3::/64", &six));
	assert_true(lath_prefix_contains(&six, &world_service(world, 0)->addresses[1]));
	assert_int_equal(LATH_FAMILY_IPV4, world_service(world, 0)->addresses[0].family);
	world_free(world);
}

static void
only_families_with_a_prefix_give_an_address(void **state)
{
	struct world *world = world_create(WORLD_BASE, "");
	struct lath_ip given = world_ip("198.18.0.7");

	(void)state;
	world_set(world, "/serviceCidrs", "['fd00:1:2:3::/64']");
	world_set(world, "/services/1/addresses", "['198.18.0.7']");
	world_apply(world);
	assert_int_equal(LATH_FAMILY_NONE, world_service(world, 0)->addresses[0].family);
	assert_int_equal(LATH_FAMILY_IPV6, world_service(world, 0)->addresses[1].family);
	assert_same_ip(&given, &world_service(world, 1)->addresses[0]);
	assert_int_equal(LATH_FAMILY_IPV6, world_service(world, 1)->addresses[1].family);
	world_free(world);
}

/* Which of the addresses of fd00:1::/122 nobody may have, said one by one. */
static bool
six_forbidden(unsigned low)
{
	bool edge = low == 0 || low == 63;    /* the routers' anycast address, and its fellow */
	bool in_vpc = low / 16 == 1;          /* fd00:1::10/124 */
	bool in_pool = low / 4 == 0x24u / 4u; /* fd00:1::24/126 */

	return edge || in_vpc || in_pool || low == 0x3d; /* another service's own */
}

/* Naive model: as many services as there are permitted addresses; each has one of its own, every one
 * of them is given out, and one service more has none. The order they come in does not matter.
 */
static void
chosen_ipv6_addresses_are_all_that_are_permitted(void **state)
{
	struct world *world = world_create(WORLD_BASE, "");
	struct lath_prefix cidr;
	bool seen[64] = {false};
	unsigned permitted = 0;

	(void)state;
	assert_int_equal(0, lath_prefix_parse("fd00:1::/122", &cidr));
	for (unsigned low = 0; low < 64; low++)
		permitted += !six_forbidden(low);
	world_set(world, "/serviceCidrs", "['198.18.0.0/16', 'fd00:1::/122']");
	world_set(world, "/vpcs/2/prefixes", "['10.0.0.0/24', 'fd00:1::10/124']");
	world_set(world, "/vpcs/2/natPool", "['fd00:1::24/126']");
	world_set(world, "/services/1/addresses", "['fd00:1::3d']");
	for (unsigned i = 1; i < permitted; i++) {
		char text[64];

		snprintf(text, sizeof(text), "{'name': 'more-%u', 'listeners': []}", i);
		world_add(world, "/services", text);
	}
	world_apply(world);
	for (unsigned i = 0; i <= permitted; i++) {
		const struct lath_ip *ip = &world_service(world, i)->addresses[1];
		unsigned low = ip->bytes[15] & 63u;

		assert_true(lath_prefix_contains(&cidr, ip));
		assert_int_equal(i == 1, low == 0x3d);
		assert_true(i == 1 || !six_forbidden(low));
		assert_false(seen[low]);
		seen[low] = true;
	}
	world_add(world, "/services", "{'name': 'one-too-many', 'listeners': []}");
	assert_int_equal(-ENOSPC, world_update(world));
	world_free(world);
}

static void
kept_address_inside_a_new_prefix_is_an_error(void **state)
{
	struct world *world = world_base();

	(void)state;
	world_add(world, "/vpcs/0/prefixes", "'198.18.0.0/16'");
	assert_int_equal(-EADDRNOTAVAIL, world_update(world));
	assert_non_null(strstr(world->err.text, "of VPC blue, which sees the service"));
	world_free(world);
}

static void
write_file(const char *directory, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/addresses.json", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
corrupt_ledger_is_refused_with_what_to_do(void **state)
{
	static const char *const contents[] = {
			"",
			"{\"formatVersion\": 1,\n \"addresses\": [",
			"{\"formatVersion\": 2, \"addresses\": []}",
			"{\"formatVersion\": 1, \"addresses\": [7]}",
			"{\"formatVersion\": 1, \"addresses\": [{\"serviceId\": \"svc-1\","
			" \"address\": \"198.18.0\"}]}",
			"{\"formatVersion\": 1, \"addresses\": ["
			"{\"serviceId\": \"svc-1\", \"address\": \"198.18.0.1\"},"
			"{\"serviceId\": \"svc-1\", \"address\": \"198.18.0.2\"}]}",
	};
	char directory[64];

	(void)state;
	world_directory_create(directory);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(contents); i++) {
		struct world *world = world_create(WORLD_BASE, directory);

		write_file(directory, contents[i]);
		assert_int_equal(-EINVAL, world_update(world));
		assert_non_null(strstr(world->err.text, "Put back a copy, or remove it"));
		world_free(world);
	}
	world_directory_remove(directory);
}

static void
unwritable_state_changes_nothing(void **state)
{
	struct world *world = world_create(WORLD_BASE, "/nonexistent/lath");

	(void)state;
	assert_int_equal(-ENOENT, world_update(world));
	assert_non_null(strstr(world->err.text, "/nonexistent/lath/addresses.json"));
	assert_null(lath_model_build(world->registry, NULL, &lath_heap));
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(chosen_addresses_are_the_same_on_every_gateway),
			cmocka_unit_test(addresses_survive_a_restart_and_other_cidrs),
			cmocka_unit_test(address_is_held_after_its_service_was_removed),
			cmocka_unit_test(returning_service_has_its_address_back),
			cmocka_unit_test(chosen_addresses_avoid_vpcs_given_ones_and_edges),
			cmocka_unit_test(each_family_with_a_prefix_gives_an_address),
			cmocka_unit_test(only_families_with_a_prefix_give_an_address),
			cmocka_unit_test(chosen_ipv6_addresses_are_all_that_are_permitted),
			cmocka_unit_test(kept_address_inside_a_new_prefix_is_an_error),
			cmocka_unit_test(corrupt_ledger_is_refused_with_what_to_do),
			cmocka_unit_test(unwritable_state_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
