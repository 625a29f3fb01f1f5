/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Who is stamped when somebody lost something, and when nobody is. */
#include "test_model_world.h"

#define A 1u /* ACCESS raised */
#define P 2u /* PICK raised */

static void
health_to(struct world *world, uint32_t group, uint32_t child, uint8_t health)
{
	world->health[world_index(world, LATH_OBJECT_TARGET, group, child)] = health;
}

static void
target_down(struct world *world)
{
	health_to(world, 0, 0, LATH_TARGET_UNHEALTHY);
}

static void
target_down_hard(struct world *world)
{
	health_to(world, 1, 0, LATH_TARGET_UNHEALTHY);
}

static void
target_up(struct world *world)
{
	health_to(world, 0, 0, LATH_TARGET_UNHEALTHY);
	world_apply(world);
	health_to(world, 0, 0, LATH_TARGET_HEALTHY);
}

/* Both families of everything, and time to get used to it. */
static void
dual_stack(struct world *world)
{
	world_set(world, "/vpcs/0/prefixes", "['10.0.0.0/16', 'fd00::/48']");
	world_set(world, "/services/0/addresses", "['198.18.255.1', 'fd00:255::1']");
	world_add(world, "/services/0/listeners/0/rules/0/match/sourcePrefixes", "'fd00::/56'");
	world_apply(world);
}

static void
ipv6_prefix_lost(struct world *world)
{
	dual_stack(world);
	world_set(world, "/vpcs/0/prefixes", "['10.0.0.0/16', 'fd00::/49']");
}

static void
ipv6_prefix_wider(struct world *world)
{
	dual_stack(world);
	world_set(world, "/vpcs/0/prefixes", "['10.0.0.0/16', 'fd00::/47']");
}

static void
ipv6_address_changed(struct world *world)
{
	dual_stack(world);
	world_set(world, "/services/0/addresses", "['198.18.255.1', 'fd00:255::2']");
}

static void
ipv6_source_lost(struct world *world)
{
	dual_stack(world);
	world_remove(world, "/services/0/listeners/0/rules/0/match/sourcePrefixes/2");
}

static void
ipv6_source_narrower(struct world *world)
{
	dual_stack(world);
	world_set(world, "/services/0/listeners/0/rules/0/match/sourcePrefixes/2", "'fd00::/57'");
}

static void
drain_over(struct world *world)
{
	world->in_use[LATH_OBJECT_TARGET] = true;
	world_remove(world, "/targetGroups/0/targets/0");
	world_apply(world);
	world->now.tick = 6000;
}

static void
drain_over_hard(struct world *world)
{
	world->in_use[LATH_OBJECT_TARGET] = true;
	world_remove(world, "/targetGroups/1/targets/0");
	world_apply(world);
	world->now.tick = 500;
}

/* The rule names the group no more, but its flows may still be there. */
static void
former_group_ends_hard(struct world *world)
{
	world_remove(world, "/services/0/listeners/0/defaultAction/forward/targetGroups/1");
	world_apply(world);
	drain_over_hard(world);
}

static void
policy_kept(struct world *world)
{
	world_set(world, "/serviceNetworks/0/authPolicy",
			"{'Statement': {'Effect': 'Deny', 'Principal': '*', 'Action': '*',"
			" 'Resource': '*'}}");
}

static void
group_narrower(struct world *world)
{
	world_set(world, "/vpcAssociations/0/securityGroupIds", "['some']");
	world_apply(world);
	world_set(world, "/securityGroups/0/inbound/0/ports", "'80'");
}

static void
group_more(struct world *world)
{
	world_set(world, "/vpcAssociations/0/securityGroupIds", "['some']");
	world_apply(world);
	world_set(world, "/vpcAssociations/0/securityGroupIds", "['other', 'some']");
}

static void
network_more(struct world *world)
{
	world_add(world, "/serviceNetworks", "{'name': 'two'}");
	world_add(world, "/vpcAssociations",
			"{'serviceNetworkIdentifier': 'two', 'vpcIdentifier': 'blue'}");
	world_add(world, "/serviceAssociations",
			"{'serviceNetworkIdentifier': 'two', 'serviceIdentifier': 'web'}");
	world_add(world, "/serviceAssociations",
			"{'serviceNetworkIdentifier': 'two', 'serviceIdentifier': 'dns'}");
}

/* The services stay visible: only lib/access knows. */
static void
path_less(struct world *world)
{
	network_more(world);
	world_apply(world);
	world_remove(world, "/serviceNetworks/1");
	world_remove(world, "/vpcAssociations/1");
	world_remove(world, "/serviceAssociations/3");
	world_remove(world, "/serviceAssociations/2");
}

/* What each row may hold: who is stamped (bits of positions in the base) and what is raised. */
struct generation_row {
	const char *name;
	unsigned raised;    /* A, P */
	unsigned services;  /* bit 0: web, bit 1: dns */
	unsigned vpcs;      /* bit 0: blue, bit 1: red, bit 2: grey */
	const char *remove; /* pointer */
	const char *set;    /* pointer */
	const char *value;
	void (*act)(struct world *world);
};

static const struct generation_row generation_rows[] = {
		{.name = "nothing"},
		{.name = "VPC association",
				.raised = A,
				.services = 3,
				.vpcs = 1,
				.remove = "/vpcAssociations/0"},
		{.name = "service association",
				.raised = A,
				.services = 1,
				.remove = "/serviceAssociations/0"},
		{.name = "listener",
				.raised = A,
				.services = 2,
				.remove = "/services/1/listeners/0"},
		{.name = "listener's port",
				.raised = A,
				.services = 2,
				.set = "/services/1/listeners/0/port",
				.value = "54"},
		{.name = "rule",
				.raised = A,
				.services = 1,
				.remove = "/services/0/listeners/0/rules/0"},
		{.name = "source",
				.raised = A,
				.services = 1,
				.remove = "/services/0/listeners/0/rules/0/match/sourcePrefixes/1"},
		{.name = "narrower source",
				.raised = A,
				.services = 1,
				.set = "/services/0/listeners/0/rules/0/match/sourcePrefixes/0",
				.value = "'10.0.0.0/26'"},
		{.name = "wider source",
				.set = "/services/0/listeners/0/rules/0/match/sourcePrefixes/0",
				.value = "'10.0.0.0/24'"},
		{.name = "service's address",
				.raised = A,
				.services = 1,
				.set = "/services/0/addresses",
				.value = "['198.18.255.1']"},
		{.name = "prefix of a VPC",
				.raised = A,
				.vpcs = 1,
				.set = "/vpcs/0/prefixes",
				.value = "['10.0.0.0/22']"},
		{.name = "one more prefix",
				.set = "/vpcs/0/prefixes",
				.value = "['10.0.0.0/16', '10.9.0.0/16']"},
		{.name = "VPC", .raised = A, .vpcs = 4, .remove = "/vpcs/2"},
		{.name = "first security group",
				.raised = A,
				.vpcs = 1,
				.set = "/vpcAssociations/0/securityGroupIds",
				.value = "['some']"},
		{.name = "network ACL",
				.raised = A,
				.vpcs = 2,
				.set = "/vpcs/1/networkAclIdentifier",
				.value = "'edge'"},
		{.name = "service's policy",
				.raised = A,
				.services = 2,
				.set = "/services/1/authType",
				.value = "'AWS_IAM'"},
		{.name = "network's policy",
				.raised = A,
				.services = 3,
				.set = "/serviceNetworks/0/authType",
				.value = "'AWS_IAM'"},
		{.name = "policy that is not asked", .act = policy_kept},
		{.name = "rule of a security group", .raised = A, .vpcs = 1, .act = group_narrower},
		{.name = "one more security group", .act = group_more},
		{.name = "path's priority", .set = "/vpcAssociations/0/priority", .value = "7"},
		{.name = "one more network", .act = network_more},
		{.name = "one path of two",
				.raised = A,
				.services = 3,
				.vpcs = 1,
				.act = path_less},
		{.name = "forward weight",
				.set = "/services/0/listeners/0/defaultAction/forward/targetGroups/"
				       "0/weight",
				.value = "1"},
		{.name = "target weight", .set = "/targetGroups/0/targets/0/weight", .value = "0"},
		{.name = "group out of a rule",
				.remove = "/services/0/listeners/0/defaultAction/forward/"
					  "targetGroups/1"},
		{.name = "one more target", .set = "/targetGroups/0/targets/4", .value = NULL},
		{.name = "draining begins", .remove = "/targetGroups/0/targets/0"},
		{.name = "IPv6 prefix", .raised = A, .vpcs = 1, .act = ipv6_prefix_lost},
		{.name = "wider IPv6 prefix", .act = ipv6_prefix_wider},
		{.name = "IPv6 address", .raised = A, .services = 1, .act = ipv6_address_changed},
		{.name = "IPv6 source", .raised = A, .services = 1, .act = ipv6_source_lost},
		{.name = "narrower IPv6 source",
				.raised = A,
				.services = 1,
				.act = ipv6_source_narrower},
		{.name = "target down", .raised = P, .services = 1, .act = target_down},
		{.name = "target down hard", .raised = A, .services = 1, .act = target_down_hard},
		{.name = "target up", .act = target_up},
		{.name = "draining over", .raised = P, .services = 1, .act = drain_over},
		{.name = "draining over hard", .raised = A, .services = 1, .act = drain_over_hard},
		{.name = "former group", .raised = A, .services = 1, .act = former_group_ends_hard},
};

struct base_indexes {
	uint32_t services[2];
	uint32_t vpcs[3];
};

static void
check_generations(const struct generation_row *row, const struct base_indexes *base,
		const struct lath_model *was, const struct lath_model *is)
{
	const unsigned bits[] = {A, P};
	uint32_t next = 1 +
			lath_max_u32(was->generation[LATH_GENERATION_ACCESS],
					was->generation[LATH_GENERATION_PICK]);

	for (unsigned g = 0; g < LATH_GENERATION_COUNT; g++) {
		bool raised = (row->raised & bits[g]) != 0;

		if (is->generation[g] != (raised ? next : was->generation[g]))
			fail_msg("%s: generation %u is %u after %u", row->name, g,
					is->generation[g], was->generation[g]);
		for (unsigned i = 0; i < 2; i++) {
			bool stamped = raised && (row->services >> i & 1) != 0;
			uint32_t index = base->services[i];
			uint32_t wanted = stamped ? is->generation[g] : was->service_lost[g][index];

			if (is->service_lost[g][index] != wanted)
				fail_msg("%s: service %u", row->name, i);
		}
	}
	for (unsigned i = 0; i < 3; i++) {
		bool stamped = (row->vpcs >> i & 1) != 0;
		uint32_t index = base->vpcs[i];
		uint32_t wanted = stamped ? is->generation[LATH_GENERATION_ACCESS]
					  : was->vpc_lost[index];

		if (is->vpc_lost[index] != wanted)
			fail_msg("%s: VPC %u", row->name, i);
	}
}

static void
generations_rise_only_for_those_who_lost(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(generation_rows); i++) {
		const struct generation_row *row = &generation_rows[i];
		struct world *world = world_base();
		struct base_indexes base;
		struct lath_model *prev;

		for (unsigned j = 0; j < 2; j++)
			base.services[j] = world_index(world, LATH_OBJECT_SERVICE, j, 0);
		for (unsigned j = 0; j < 3; j++)
			base.vpcs[j] = world_index(world, LATH_OBJECT_VPC, j, 0);
		if (row->remove != NULL)
			world_remove(world, row->remove);
		if (row->set != NULL && row->value != NULL)
			world_set(world, row->set, row->value);
		else if (row->set != NULL)
			world_add(world, "/targetGroups/0/targets", "{'id': '10.0.0.99'}");
		if (row->act != NULL)
			row->act(world);
		prev = world_step(world);
		check_generations(row, &base, prev, world->model);
		lath_model_free(prev, &lath_heap);
		world_free(world);
	}
}

/* A flow has one stamp for both kinds, so a newer loss must always have the higher number. */
static void
kinds_count_in_one_sequence(void **state)
{
	struct world *world = world_base();
	uint32_t pick;

	(void)state;
	target_down(world);
	world_apply(world);
	pick = world->model->generation[LATH_GENERATION_PICK];
	assert_true(pick > world->model->generation[LATH_GENERATION_ACCESS]);
	target_down_hard(world);
	world_apply(world);
	assert_int_equal(pick + 1, world->model->generation[LATH_GENERATION_ACCESS]);
	assert_int_equal(pick, world->model->generation[LATH_GENERATION_PICK]);
	world_free(world);
}

static void
removed_service_stays_lost_when_it_returns(void **state)
{
	struct world *world = world_base();
	uint32_t web = world_index(world, LATH_OBJECT_SERVICE, 0, 0);
	uint32_t lost;

	(void)state;
	world_rename_service(world, 0, "other");
	world_apply(world);
	lost = world->model->generation[LATH_GENERATION_ACCESS];
	assert_int_equal(lost, world->model->service_lost[LATH_GENERATION_ACCESS][web]);
	world_rename_service(world, 0, "web");
	world_apply(world);
	assert_int_equal(lost, world->model->service_lost[LATH_GENERATION_ACCESS][web]);
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(generations_rise_only_for_those_who_lost),
			cmocka_unit_test(kinds_count_in_one_sequence),
			cmocka_unit_test(removed_service_stays_lost_when_it_returns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
