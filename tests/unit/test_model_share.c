/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What consecutive models share, large and random configurations. */
#include <netinet/in.h>

#include "test_model_world.h"

/* ---- sharing ----------------------------------------------------------------------------- */

static void
same_configuration_shares_everything(void **state)
{
	struct world *world = world_base();
	struct lath_model *prev;

	(void)state;
	prev = world_step(world);
	assert_int_equal(lath_model_parts(prev), lath_model_shared_parts(prev, world->model));
	lath_model_free(prev, &lath_heap);
	/* Also when everything is compiled again, as after a change of a comment. */
	world_set(world, "/$comment", "'x'");
	prev = world_step(world);
	assert_int_equal(lath_model_parts(prev), lath_model_shared_parts(prev, world->model));
	lath_model_free(prev, &lath_heap);
	world_free(world);
}

static void
health_change_copies_one_target_and_its_group(void **state)
{
	struct world *world = world_base();
	uint32_t index = world_index(world, LATH_OBJECT_TARGET, 0, 0);
	uint32_t group = world_index(world, LATH_OBJECT_GROUP, 0, 0);
	struct lath_model *prev;

	(void)state;
	world->health[index] = LATH_TARGET_UNHEALTHY;
	prev = world_step(world);
	assert_int_equal(lath_model_parts(prev) - 2, lath_model_shared_parts(prev, world->model));
	assert_ptr_not_equal(prev->targets[index], world->model->targets[index]);
	assert_ptr_not_equal(prev->groups[group], world->model->groups[group]);
	lath_model_free(prev, &lath_heap);
	world_free(world);
}

static void
shift_between_groups_copies_one_service(void **state)
{
	struct world *world = world_base();
	struct lath_model *prev;

	(void)state;
	world_set(world, "/services/0/listeners/0/defaultAction/forward/targetGroups/0/weight",
			"1");
	prev = world_step(world);
	assert_int_equal(lath_model_parts(prev) - 1, lath_model_shared_parts(prev, world->model));
	assert_ptr_not_equal(prev->services[0], world->model->services[0]);
	lath_model_free(prev, &lath_heap);
	world_free(world);
}

static void
new_vpc_copies_no_service_and_no_group(void **state)
{
	struct world *world = world_base();
	struct lath_model *prev;

	(void)state;
	world_add(world, "/vpcs",
			"{'name': 'new', 'prefixes': ['10.7.0.0/16'], 'attachments': ["
			"{'name': 'n', 'port': 'p1', 'vlan': 99, 'addresses': ['10.7.0.1/24']}]}");
	prev = world_step(world);
	/* The row of p1 and who may call what are all that differs. */
	assert_int_equal(lath_model_parts(prev) - 2, lath_model_shared_parts(prev, world->model));
	lath_model_free(prev, &lath_heap);
	world_free(world);
}

static void
models_live_as_long_as_somebody_holds_them(void **state)
{
	struct world *world = world_base();
	struct lath_model *held[4];
	const struct lath_model_group *group;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		world->health[world_index(world, LATH_OBJECT_TARGET, 0, 0)] = i % 2 == 0
				? LATH_TARGET_UNHEALTHY
				: LATH_TARGET_HEALTHY;
		held[i] = world_step(world);
	}
	for (unsigned i = 0; i < 4; i++) {
		const struct lath_model *model = held[3 - i];

		assert_non_null(lath_model_pick(model, &model->services[0]->listeners[0].rules[0],
				12345, &group));
		lath_model_free(held[3 - i], &lath_heap);
	}
	world_free(world);
}

/* Fails the allocation number `left` from now. */
static void *
failing_alloc(void *ctx, size_t size)
{
	unsigned *left = ctx;

	if (*left == 0)
		return NULL;
	(*left)--;
	return lath_heap.alloc(lath_heap.ctx, size);
}

static void
failed_build_frees_what_it_has(void **state)
{
	struct world *world = world_base();
	unsigned parts = lath_model_parts(world->model);
	unsigned left;
	const struct lath_allocator failing = {
			.alloc = failing_alloc, .free = lath_heap.free, .ctx = &left};

	(void)state;
	for (unsigned i = 0; i <= parts; i++) {
		left = i;
		errno = 0;
		assert_null(lath_model_build(world->registry, NULL, &failing));
		assert_int_equal(ENOMEM, errno);
	}
	world_free(world);
}

/* ---- random configurations --------------------------------------------------------------- */

#define VPCS 70u /* more than one word of bits */
#define NETWORKS 12u
#define SERVICES 60u

/* What the naive model knows: who is tied to whom. */
struct ties {
	bool vpc[NETWORKS][VPCS];
	bool service[NETWORKS][SERVICES];
};

static void
draw_ties(struct ties *ties, uint64_t *random)
{
	uint32_t often = 1 + lath_random_below(random, 20);

	for (unsigned n = 0; n < NETWORKS; n++) {
		for (unsigned v = 0; v < VPCS; v++)
			ties->vpc[n][v] = lath_random_below(random, often) == 0;
		for (unsigned s = 0; s < SERVICES; s++)
			ties->service[n][s] = lath_random_below(random, often) == 0;
	}
}

static json_t *
list_of(struct world *world, const char *name)
{
	json_t *list = json_array();

	json_object_set_new(world->doc, name, list);
	return list;
}

static void
write_objects(struct world *world, unsigned vpcs, unsigned services, unsigned targets)
{
	json_t *list = list_of(world, "vpcs");
	char name[32];

	for (unsigned i = 0; i < vpcs; i++) {
		snprintf(name, sizeof(name), "vpc%u", i);
		json_array_append_new(list,
				json_pack("{s:s, s:[s], s:[{s:s, s:s, s:i, s:[s]}]}", "name", name,
						"prefixes", "10.0.0.0/16", "attachments", "name",
						"att", "port", "p0", "vlan", (int)i + 1,
						"addresses", "10.0.0.1/24"));
	}
	list = list_of(world, "services");
	for (unsigned i = 0; i < services; i++) {
		char group[32];

		snprintf(name, sizeof(name), "svc%u", i);
		snprintf(group, sizeof(group), "group%u", i);
		json_array_append_new(list,
				json_pack("{s:s, s:[{s:s, s:s, s:i, s:{s:{s:[{s:s}]}}}]}", "name",
						name, "listeners", "name", "lis", "protocol", "TCP",
						"port", 80, "defaultAction", "forward",
						"targetGroups", "targetGroupIdentifier", group));
	}
	list = list_of(world, "targetGroups");
	for (unsigned i = 0; i < services; i++) {
		json_t *members = json_array();
		char vpc[32];

		snprintf(name, sizeof(name), "group%u", i);
		snprintf(vpc, sizeof(vpc), "vpc%u", i % vpcs);
		for (unsigned t = 0; t < targets; t++) {
			char ip[32];

			snprintf(ip, sizeof(ip), "10.0.%u.%u", 1 + i % 200, 1 + t);
			json_array_append_new(members, json_pack("{s:s}", "id", ip));
		}
		json_array_append_new(list,
				json_pack("{s:s, s:s, s:{s:i, s:s, s:s}, s:o}", "name", name,
						"type", "IP", "config", "port", 8080, "protocol",
						"TCP", "vpcIdentifier", vpc, "targets", members));
	}
}

static void
write_pair(json_t *list, unsigned network, const char *key, const char *prefix, unsigned other)
{
	char network_name[32];
	char other_name[32];

	snprintf(network_name, sizeof(network_name), "net%u", network);
	snprintf(other_name, sizeof(other_name), "%s%u", prefix, other);
	json_array_append_new(list,
			json_pack("{s:s, s:s}", "serviceNetworkIdentifier", network_name, key,
					other_name));
}

static void
write_ties(struct world *world, const struct ties *ties)
{
	json_t *networks = list_of(world, "serviceNetworks");
	json_t *vpcs = list_of(world, "vpcAssociations");
	json_t *services = list_of(world, "serviceAssociations");
	char name[32];

	for (unsigned n = 0; n < NETWORKS; n++) {
		snprintf(name, sizeof(name), "net%u", n);
		json_array_append_new(networks, json_pack("{s:s}", "name", name));
		for (unsigned v = 0; v < VPCS; v++) {
			if (ties->vpc[n][v])
				write_pair(vpcs, n, "vpcIdentifier", "vpc", v);
		}
		for (unsigned s = 0; s < SERVICES; s++) {
			if (ties->service[n][s])
				write_pair(services, n, "serviceIdentifier", "svc", s);
		}
	}
}

static bool
naive_visible(const struct ties *ties, unsigned vpc, unsigned service)
{
	for (unsigned n = 0; n < NETWORKS; n++) {
		if (ties->vpc[n][vpc] && ties->service[n][service])
			return true;
	}
	return false;
}

static void
check_visible(const struct world *world, const struct ties *ties)
{
	for (unsigned s = 0; s < SERVICES; s++) {
		const struct lath_model_service *wanted = world_service(world, s);

		for (unsigned v = 0; v < VPCS; v++) {
			const struct lath_model_service *service;
			const struct lath_model_listener *listener;
			enum lath_model_found found = lath_model_find(world->model,
					world_vpc(world, v)->index, &wanted->addresses[0],
					IPPROTO_TCP, 80, &service, &listener);

			if ((found == LATH_MODEL_FOUND) != naive_visible(ties, v, s))
				fail_msg("vpc%u, svc%u", v, s);
		}
	}
}

/* Whoever lost sight of a service, and only such services, must be stamped. */
static void
check_stamps(const struct world *world, const struct ties *was, const struct ties *is)
{
	const struct lath_model *model = world->model;
	uint32_t now = model->generation[LATH_GENERATION_ACCESS];

	for (unsigned s = 0; s < SERVICES; s++) {
		uint32_t index = world_service(world, s)->index;
		bool lost = false;

		for (unsigned v = 0; v < VPCS; v++)
			lost = lost || (naive_visible(was, v, s) && !naive_visible(is, v, s));
		if (lost && model->service_lost[LATH_GENERATION_ACCESS][index] != now)
			fail_msg("svc%u lost sight and is not stamped", s);
	}
}

static void
visible_sets_equal_a_naive_model(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 20, 150);
	struct world *world = world_create(WORLD_BASE, "");
	struct ties ties[2];

	(void)state;
	write_objects(world, VPCS, SERVICES, 2);
	for (unsigned i = 0; i < rounds; i++) {
		draw_ties(&ties[i % 2], &random);
		write_ties(world, &ties[i % 2]);
		world_apply(world);
		check_visible(world, &ties[i % 2]);
		if (i > 0)
			check_stamps(world, &ties[(i + 1) % 2], &ties[i % 2]);
	}
	world_free(world);
}

/* ---- random life ------------------------------------------------------------------------- */

/* Objects come and go, targets fail: after every step what is shared must read as if the model had
 * been built from nothing.
 */
static void
assert_same_model(const struct lath_model *a, const struct lath_model *b)
{
	for (uint32_t i = 0; i < a->group_count; i++) {
		const struct lath_model_group *ga = a->groups[i];
		const struct lath_model_group *gb = b->groups[i];

		assert_true((ga == NULL) == (gb == NULL));
		if (ga == NULL)
			continue;
		assert_int_equal(ga->target_count, gb->target_count);
		assert_int_equal(ga->table_size, gb->table_size);
		if (ga->target_count > 0)
			assert_memory_equal(ga->targets, gb->targets,
					sizeof(*ga->targets) * ga->target_count);
		if (ga->table_size > 0)
			assert_memory_equal(ga->table, gb->table,
					sizeof(*ga->table) * ga->table_size);
	}
	for (uint32_t i = 0; i < a->target_count; i++) {
		assert_true((a->targets[i] == NULL) == (b->targets[i] == NULL));
		if (a->targets[i] != NULL)
			assert_memory_equal(a->targets[i], b->targets[i], sizeof(*a->targets[i]));
	}
}

static void
shuffle_targets(struct world *world, uint64_t *random)
{
	json_t *groups = json_object_get(world->doc, "targetGroups");
	json_t *group = json_array_get(groups,
			lath_random_below(random, (uint32_t)json_array_size(groups)));
	json_t *targets = json_object_get(group, "targets");
	char ip[32];

	if (json_array_size(targets) > 0 && lath_random_below(random, 2) == 0) {
		json_array_remove(targets,
				lath_random_below(random, (uint32_t)json_array_size(targets)));
		return;
	}
	for (size_t i = 0;; i++) {
		bool is_there = false;
		size_t j;
		json_t *target;

		snprintf(ip, sizeof(ip), "10.0.250.%zu", 1 + i);
		json_array_foreach(targets, j, target)
			is_there = is_there ||
					strcmp(ip,
							json_string_value(json_object_get(target,
									"id"))) == 0;
		if (!is_there)
			break;
	}
	json_array_append_new(targets,
			json_pack("{s:s, s:i}", "id", ip, "weight",
					(int)lath_random_below(random, 4)));
}

/* No index is two objects', and an eligible target is a registered one of its group. */
static void
check_members(const struct world *world)
{
	const struct lath_model *model = world->model;
	bool *seen = calloc(model->target_count + 1u, sizeof(*seen));

	for (uint32_t g = 0; g < world->cfg->group_count; g++) {
		for (uint32_t t = 0; t < world->cfg->groups[g].target_count; t++) {
			const struct lath_model_target *target = world_target(world, g, t);

			assert_false(seen[target->index]);
			seen[target->index] = true;
			assert_int_equal(world_group(world, g)->index, target->group);
			assert_true(lath_ip_equal(&target->ip,
					&world->cfg->groups[g].targets[t].ip));
			assert_true(target->state <= LATH_TARGET_UNHEALTHY);
		}
	}
	for (uint32_t g = 0; g < model->group_count; g++) {
		for (uint32_t i = 0; model->groups[g] != NULL && i < model->groups[g]->target_count;
				i++)
			assert_true(seen[model->groups[g]->targets[i]]);
	}
	free(seen);
}

static void
random_life_reads_like_a_fresh_build(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned steps = lath_test_size(__func__, 150, 2000);
	struct world *world = world_create(WORLD_BASE, "");

	(void)state;
	write_objects(world, 5, 8, 6);
	list_of(world, "vpcAssociations");
	list_of(world, "serviceAssociations");
	world->limits.max[LATH_OBJECT_TARGET] = 400;
	for (unsigned i = 0; i < steps; i++) {
		struct lath_model *fresh;

		world->in_use[LATH_OBJECT_TARGET] = lath_random_below(&random, 8) == 0;
		world->now.tick += lath_random_below(&random, 3000);
		if (lath_random_below(&random, 3) == 0)
			shuffle_targets(world, &random);
		for (unsigned j = 0; j < 400; j++) {
			if (lath_random_below(&random, 10) == 0)
				world->health[j] = (uint8_t)lath_random_below(&random, 3);
		}
		world_apply(world);
		check_members(world);
		fresh = lath_model_build(world->registry, NULL, &lath_heap);
		assert_non_null(fresh);
		assert_same_model(fresh, world->model);
		lath_model_free(fresh, &lath_heap);
	}
	world_free(world);
}

/* ---- size -------------------------------------------------------------------------------- */

static double
milliseconds_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begin->tv_sec) * 1e3 +
			(double)(now.tv_nsec - begin->tv_nsec) / 1e6;
}

/* Every VPC sees every service. */
static void
write_large(struct world *world, unsigned services)
{
	world_set(world, "/system/memory", "{'maxTargets': 65536}");
	write_objects(world, services / 4, services, 10);
	world_set(world, "/serviceNetworks/0/name", "'net0'");
	list_of(world, "vpcAssociations");
	list_of(world, "serviceAssociations");
	for (unsigned i = 0; i < services / 4; i++)
		write_pair(json_object_get(world->doc, "vpcAssociations"), 0, "vpcIdentifier",
				"vpc", i);
	for (unsigned i = 0; i < services; i++)
		write_pair(json_object_get(world->doc, "serviceAssociations"), 0,
				"serviceIdentifier", "svc", i);
}

/* Times are printed for whoever reads; the verdict is on what is copied. */
static struct lath_model *
timed_step(struct world *world, const char *what)
{
	struct lath_model *prev = world->model;
	struct timespec begin;
	double update_ms;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_int_equal(0,
			lath_registry_update(world->registry, world->cfg, world->health, world->now,
					&world->err));
	update_ms = milliseconds_since(&begin);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	world->model = lath_model_build(world->registry, prev, &lath_heap);
	assert_non_null(world->model);
	print_message("%s: update %.1f ms, build %.1f ms\n", what, update_ms,
			milliseconds_since(&begin));
	return prev;
}

static void
large_configuration_shares_all_but_what_changed(void **state)
{
	struct world *world = world_create(WORLD_BASE, "");
	struct lath_model *prev;
	char *text;

	(void)state;
	write_large(world, lath_test_size(__func__, 500, 2000));
	text = json_dumps(world->doc, 0);
	world->cfg = lath_config_parse(text, strlen(text), "test", &world->err);
	free(text);
	assert_non_null(world->cfg);
	world->registry = lath_registry_create(&world->limits, "", world_in_use, world,
			&world->err);
	assert_null(timed_step(world, "first"));
	memset(world->health, LATH_TARGET_HEALTHY, sizeof(world->health));
	lath_model_free(timed_step(world, "all healthy"), &lath_heap);
	world->health[17] = LATH_TARGET_UNHEALTHY;
	prev = timed_step(world, "one target down");
	assert_int_equal(lath_model_parts(prev) - 2, lath_model_shared_parts(prev, world->model));
	lath_model_free(prev, &lath_heap);
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(same_configuration_shares_everything),
			cmocka_unit_test(health_change_copies_one_target_and_its_group),
			cmocka_unit_test(shift_between_groups_copies_one_service),
			cmocka_unit_test(new_vpc_copies_no_service_and_no_group),
			cmocka_unit_test(models_live_as_long_as_somebody_holds_them),
			cmocka_unit_test(failed_build_frees_what_it_has),
			cmocka_unit_test(visible_sets_equal_a_naive_model),
			cmocka_unit_test(random_life_reads_like_a_fresh_build),
			cmocka_unit_test(large_configuration_shares_all_but_what_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
