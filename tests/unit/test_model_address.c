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
	struct lath_ip web;

	(void)state;
	world_directory_create(directory);
	world = world_create(WORLD_BASE, directory);
	world_apply(world);
	web = world_service(world, 0)->addresses[0];
	world_set(world, "/serviceCidrs", "['198.19.0.0/16']");
	world_apply(world);
	assert_same_ip(&web, &world_service(world, 0)->addresses[0]);
	world_restart(world);
	world_apply(world);
	assert_same_ip(&web, &world_service(world, 0)->addresses[0]);
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

/* The loader takes IPv4 only so far. */
static void
six_cidr(struct lath_config *cfg)
{
	lath_prefix_parse("fd00:1:2:3::/64", &cfg->service_cidrs[1]);
}

static void
each_family_with_a_prefix_gives_an_address(void **state)
{
	struct world *world = world_create(WORLD_BASE, "");
	struct lath_prefix six;

	(void)state;
	world->edit = six_cidr;
	world_set(world, "/serviceCidrs", "['198.18.0.0/16', '198.19.0.0/16']");
	world_apply(world);
	assert_int_equal(0, lath_prefix_parse("fd00:1:2:3::/64", &six));
	assert_true(lath_prefix_contains(&six, &world_service(world, 0)->addresses[1]));
	assert_int_equal(LATH_FAMILY_IPV4, world_service(world, 0)->addresses[0].family);
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
			cmocka_unit_test(kept_address_inside_a_new_prefix_is_an_error),
			cmocka_unit_test(corrupt_ledger_is_refused_with_what_to_do),
			cmocka_unit_test(unwritable_state_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
