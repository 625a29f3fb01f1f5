/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What survives from one model to the next: stable indexes, and targets that drain. */
#include "test_model_world.h"

/* ---- stable indexes ---------------------------------------------------------------------- */

static void
indexes_stay_when_the_order_in_the_file_changes(void **state)
{
	struct world *world = world_base();
	uint32_t blue = world_index(world, LATH_OBJECT_VPC, 0, 0);
	uint32_t red = world_index(world, LATH_OBJECT_VPC, 1, 0);
	uint32_t web = world_index(world, LATH_OBJECT_SERVICE, 0, 0);
	uint32_t five = world_index(world, LATH_OBJECT_TARGET, 0, 0);
	json_t *vpcs = json_object_get(world->doc, "vpcs");
	json_t *targets = json_object_get(json_array_get(json_object_get(world->doc,
									 "targetGroups"),
							  0),
			"targets");

	(void)state;
	assert_int_not_equal(0, json_array_append(vpcs, json_array_get(vpcs, 0)) + 1);
	json_array_remove(vpcs, 0);
	json_array_append(targets, json_array_get(targets, 0));
	json_array_remove(targets, 0);
	world_add(world, "/services",
			"{'name': 'aaa', 'listeners': [{'name': 'xxx', 'protocol': 'UDP', 'port': "
			"1,"
			"'defaultAction': {'forward': {'targetGroups': ["
			"{'targetGroupIdentifier': 'udp'}]}}}]}");
	world_apply(world);
	assert_int_equal(blue, world_index(world, LATH_OBJECT_VPC, 2, 0));
	assert_int_equal(red, world_index(world, LATH_OBJECT_VPC, 0, 0));
	assert_int_equal(web, world_index(world, LATH_OBJECT_SERVICE, 0, 0));
	assert_int_equal(five, world_index(world, LATH_OBJECT_TARGET, 0, 3));
	assert_int_equal(LATH_TARGET_HEALTHY, world_target(world, 0, 3)->state);
	world_free(world);
}

static void
host_index_is_never_given_to_a_vpc(void **state)
{
	struct world *world = world_create(WORLD_BASE, "");

	(void)state;
	world_set(world, "/system/hostPort", "{'enabled': false}");
	world_apply(world);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_not_equal(LATH_MODEL_HOST_VPC,
				world_index(world, LATH_OBJECT_VPC, i, 0));
	world_free(world);
}

static void
index_is_reused_only_when_no_flow_names_it(void **state)
{
	struct world *world = world_create(WORLD_BASE, "");
	uint32_t web;
	uint32_t second;

	(void)state;
	world->limits.max[LATH_OBJECT_SERVICE] = 3;
	world_apply(world);
	web = world_index(world, LATH_OBJECT_SERVICE, 0, 0);
	world_rename_service(world, 0, "second");
	world_apply(world);
	second = world_index(world, LATH_OBJECT_SERVICE, 0, 0);
	assert_int_not_equal(web, second);
	assert_null(world->model->services[web]);
	world->in_use[LATH_OBJECT_SERVICE] = true;
	world_rename_service(world, 0, "third");
	assert_int_equal(-ENOSPC, world_update(world));
	assert_non_null(strstr(world->err.text, "maxServices 3 is used up"));
	assert_string_equal("/system/memory/maxServices", world->err.pointer);
	assert_int_equal(second,
			world_index(world, LATH_OBJECT_SERVICE, 0, 0)); /* nothing changed */
	world->in_use[LATH_OBJECT_SERVICE] = false;
	world_apply(world);
	assert_int_equal(web, world_index(world, LATH_OBJECT_SERVICE, 0, 0));
	world_free(world);
}

static void
index_that_rested_longest_is_given_first(void **state)
{
	struct world *world = world_create(WORLD_BASE, "");
	uint32_t first;
	uint32_t second;

	(void)state;
	world->limits.max[LATH_OBJECT_SERVICE] = 4;
	world_apply(world);
	first = world_index(world, LATH_OBJECT_SERVICE, 0, 0);
	second = world_index(world, LATH_OBJECT_SERVICE, 1, 0);
	world_rename_service(world, 1, "bbb");
	world_apply(world); /* `second` rests */
	world_rename_service(world, 0, "aaa");
	world_apply(world); /* then `first` */
	world_rename_service(world, 0, "ccc");
	world_apply(world);
	assert_int_equal(second, world_index(world, LATH_OBJECT_SERVICE, 0, 0));
	world_rename_service(world, 0, "ddd");
	world_apply(world);
	assert_int_equal(first, world_index(world, LATH_OBJECT_SERVICE, 0, 0));
	world_free(world);
}

static void
returning_object_has_its_index_back(void **state)
{
	struct world *world = world_base();
	uint32_t web = world_index(world, LATH_OBJECT_SERVICE, 0, 0);

	(void)state;
	world_rename_service(world, 0, "other");
	world_apply(world);
	world_rename_service(world, 0, "web");
	world_apply(world);
	assert_int_equal(web, world_index(world, LATH_OBJECT_SERVICE, 0, 0));
	world_free(world);
}

static void
failed_update_changes_nothing(void **state)
{
	struct world *world = world_base();
	struct lath_model *prev;

	(void)state;
	world_set(world, "/serviceCidrs", "['198.18.0.0/30']");
	world_add(world, "/vpcs",
			"{'name': 'new', 'prefixes': ['10.7.0.0/16'], 'attachments': ["
			"{'name': 'n', 'port': 'p1', 'vlan': 99, 'addresses': ['10.7.0.1/24']}]}");
	world_remove(world, "/targetGroups/0/targets/0");
	for (unsigned i = 0; i < 3; i++) {
		char text[256];

		snprintf(text, sizeof(text),
				"{'name': 'svc%u', 'listeners': [{'name': 'xxx', 'protocol': 'UDP',"
				"'port': 1, 'defaultAction': {'forward': {'targetGroups': ["
				"{'targetGroupIdentifier': 'udp'}]}}}]}",
				i);
		world_add(world, "/services", text);
	}
	assert_int_equal(-ENOSPC, world_update(world));
	assert_non_null(strstr(world->err.text, "No address is left in serviceCidrs"));
	prev = world->model;
	world->model = lath_model_build(world->registry, prev, &lath_heap);
	assert_int_equal(lath_model_parts(prev), lath_model_shared_parts(prev, world->model));
	assert_int_equal(prev->serial, world->model->serial);
	lath_model_free(prev, &lath_heap);
	world_free(world);
}

/* ---- draining ---------------------------------------------------------------------------- */

static enum lath_target_state
state_of(const struct world *world, uint32_t index)
{
	return world->model->targets[index]->state;
}

static void
step_to(struct world *world, lath_tick_t tick)
{
	world->now.tick = tick;
	world_apply(world);
}

static void
removed_target_drains_and_is_gone_after_the_delay(void **state)
{
	struct world *world = world_base();
	uint32_t index = world_index(world, LATH_OBJECT_TARGET, 0, 0);
	const lath_tick_t begin = UINT32_MAX - 100; /* the tick wraps meanwhile */

	(void)state;
	assert_int_equal(UINT32_MAX, lath_registry_next_change(world->registry, begin));
	world_remove(world, "/targetGroups/0/targets/0");
	world->in_use[LATH_OBJECT_TARGET] = true;
	step_to(world, begin);
	assert_int_equal(LATH_TARGET_DRAINING, state_of(world, index));
	assert_int_equal(0, world->model->targets[index]->check_port);
	assert_int_equal(2, world_group(world, 0)->target_count);
	assert_int_equal(6000, lath_registry_next_change(world->registry, begin));
	step_to(world, begin + 5999);
	assert_int_equal(LATH_TARGET_DRAINING, state_of(world, index));
	assert_int_equal(1, lath_registry_next_change(world->registry, begin + 5999));
	assert_int_equal(0, lath_registry_next_change(world->registry, begin + 6001));
	step_to(world, begin + 6000);
	assert_int_equal(LATH_TARGET_GONE, state_of(world, index));
	assert_int_equal(UINT32_MAX, lath_registry_next_change(world->registry, begin + 6000));
	step_to(world, begin + 9000);
	assert_int_equal(LATH_TARGET_GONE, state_of(world, index)); /* a flow names it */
	world->in_use[LATH_OBJECT_TARGET] = false;
	step_to(world, begin + 9001);
	assert_null(world->model->targets[index]);
	world_free(world);
}

static void
group_with_connection_termination_ends_its_targets_hard(void **state)
{
	struct world *world = world_base();
	uint32_t index = world_index(world, LATH_OBJECT_TARGET, 1, 0);

	(void)state;
	world->in_use[LATH_OBJECT_TARGET] = true;
	world_remove(world, "/targetGroups/1/targets/0");
	step_to(world, 0);
	assert_int_equal(LATH_TARGET_DRAINING, state_of(world, index));
	step_to(world, 499);
	assert_int_equal(LATH_TARGET_DRAINING, state_of(world, index));
	step_to(world, 500);
	assert_int_equal(LATH_TARGET_TERMINATED, state_of(world, index));
	world_free(world);
}

static void
target_that_returns_in_time_keeps_index_and_health(void **state)
{
	struct world *world = world_base();
	uint32_t index = world_index(world, LATH_OBJECT_TARGET, 0, 0);

	(void)state;
	world_remove(world, "/targetGroups/0/targets/0");
	step_to(world, 10);
	world_add(world, "/targetGroups/0/targets", "{'id': '10.0.0.5'}");
	step_to(world, 20);
	assert_int_equal(index, world_index(world, LATH_OBJECT_TARGET, 0, 3));
	assert_int_equal(LATH_TARGET_HEALTHY, state_of(world, index));
	assert_int_equal(UINT32_MAX, lath_registry_next_change(world->registry, 20));
	world_free(world);
}

static void
target_that_returns_late_begins_anew(void **state)
{
	struct world *world = world_base();
	uint32_t index = world_index(world, LATH_OBJECT_TARGET, 0, 0);

	(void)state;
	world->in_use[LATH_OBJECT_TARGET] = true;
	world_remove(world, "/targetGroups/0/targets/0");
	step_to(world, 0);
	step_to(world, 6000);
	world_add(world, "/targetGroups/0/targets", "{'id': '10.0.0.5'}");
	step_to(world, 6001);
	assert_int_equal(index, world_index(world, LATH_OBJECT_TARGET, 0, 3));
	assert_int_equal(LATH_TARGET_INITIAL, state_of(world, index));
	assert_int_equal(LATH_TARGET_INITIAL, world->health[index]);
	world_free(world);
}

static void
removed_group_drains_its_targets(void **state)
{
	struct world *world = world_base();
	uint32_t index = world_index(world, LATH_OBJECT_TARGET, 1, 0);
	uint32_t group = world_index(world, LATH_OBJECT_GROUP, 1, 0);

	(void)state;
	world_remove(world, "/services/0/listeners/0/defaultAction/forward/targetGroups/1");
	world_remove(world, "/targetGroups/1");
	step_to(world, 0);
	assert_null(world->model->groups[group]);
	assert_int_equal(LATH_TARGET_DRAINING, state_of(world, index));
	step_to(world, 500);
	assert_int_equal(LATH_TARGET_TERMINATED, state_of(world, index));
	world_free(world);
}

static void
group_index_rests_while_its_targets_drain(void **state)
{
	struct world *world = world_create(WORLD_BASE, "");

	(void)state;
	world->limits.max[LATH_OBJECT_GROUP] = 3;
	world_apply(world);
	world_remove(world, "/services/0/listeners/0/defaultAction/forward/targetGroups/1");
	world_remove(world, "/targetGroups/1");
	world_apply(world);
	world_add(world, "/targetGroups",
			"{'name': 'new', 'type': 'IP', 'config': {'port': 1,"
			"'protocol': 'TCP', 'vpcIdentifier': 'red'}}");
	assert_int_equal(-ENOSPC, world_update(world));
	world_remove(world, "/targetGroups/2");
	step_to(world, 500); /* over */
	step_to(world, 501); /* forgotten */
	world_add(world, "/targetGroups",
			"{'name': 'new', 'type': 'IP', 'config': {'port': 1,"
			"'protocol': 'TCP', 'vpcIdentifier': 'red'}}");
	world_apply(world);
	world_free(world);
}

static void
targets_of_a_removed_vpc_end_at_once(void **state)
{
	struct world *world = world_base();
	uint32_t index = world_index(world, LATH_OBJECT_TARGET, 0, 0);

	(void)state;
	world->in_use[LATH_OBJECT_TARGET] = true;
	world_remove(world, "/targetGroups");
	world_remove(world, "/services");
	world_remove(world, "/serviceAssociations");
	world_remove(world, "/vpcs/1");
	step_to(world, 0);
	assert_int_equal(LATH_TARGET_TERMINATED, state_of(world, index));
	world_free(world);
}

static void
unhealthy_target_is_terminated_unless_the_group_fails_open(void **state)
{
	struct world *world = world_base();
	uint32_t one = world_index(world, LATH_OBJECT_TARGET, 1, 0);
	uint32_t two = world_index(world, LATH_OBJECT_TARGET, 1, 1);

	(void)state;
	world->health[one] = LATH_TARGET_UNHEALTHY;
	world_apply(world);
	assert_int_equal(LATH_TARGET_TERMINATED, state_of(world, one));
	world->health[two] = LATH_TARGET_UNHEALTHY;
	world_apply(world);
	assert_int_equal(LATH_TARGET_UNHEALTHY, state_of(world, one));
	assert_int_equal(LATH_TARGET_UNHEALTHY, state_of(world, two));
	assert_true(world_group(world, 1)->fail_open);
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(indexes_stay_when_the_order_in_the_file_changes),
			cmocka_unit_test(host_index_is_never_given_to_a_vpc),
			cmocka_unit_test(index_is_reused_only_when_no_flow_names_it),
			cmocka_unit_test(index_that_rested_longest_is_given_first),
			cmocka_unit_test(returning_object_has_its_index_back),
			cmocka_unit_test(failed_update_changes_nothing),
			cmocka_unit_test(removed_target_drains_and_is_gone_after_the_delay),
			cmocka_unit_test(group_with_connection_termination_ends_its_targets_hard),
			cmocka_unit_test(target_that_returns_in_time_keeps_index_and_health),
			cmocka_unit_test(target_that_returns_late_begins_anew),
			cmocka_unit_test(removed_group_drains_its_targets),
			cmocka_unit_test(group_index_rests_while_its_targets_drain),
			cmocka_unit_test(targets_of_a_removed_vpc_end_at_once),
			cmocka_unit_test(
					unhealthy_target_is_terminated_unless_the_group_fails_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
