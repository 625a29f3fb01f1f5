/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Paths, their order, and who loses what. Two VPCs (1 and 2) and one service (3) in two networks. */

#include <lath_access.h>

#include "lath_test.h"

#define SERVICE 3u
#define ALL ",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\""
#define FROM(vpc)                   \
	"{\"Effect\":\"Allow\"" ALL \
	",\"Condition\":{\"StringEquals\":{\"vpc-lattice-svcs:SourceVpc\":\"" vpc "\"}}}"
#define VIA(effect, network)                                                                     \
	"{\"Effect\":\"" effect "\"" ALL ",\"Condition\":{\"StringEquals\":{\"vpc-lattice-svcs:" \
	"ServiceNetworkArn\":\"arn:sn-" network "\"}}}"

struct world {
	struct lath_acl_rule rules[2];
	struct lath_acl_rule acl_in[2];
	struct lath_acl_rule acl_out[2];
	struct lath_access_group_in groups[2];
	struct lath_access_acl_in acls[1];
	struct lath_access_network_in networks[2];
	struct lath_access_vpc_in vpcs[2];
	struct lath_access_service_in services[1];
	struct lath_access_gate_in gates[3];
	struct lath_access_member_in members[2];
	uint32_t attached[2];
	struct lath_access_in in;
	struct lath_policy *policies[8];
	uint32_t policy_count;
	struct lath_access *access;
};

static const struct lath_policy *
policy_of(struct world *world, const char *statements)
{
	struct lath_policy_complaint why;
	char text[2048];
	json_t *json;

	snprintf(text, sizeof(text), "{\"Statement\":[%s]}", statements);
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	world->policies[world->policy_count] = lath_policy_compile(json, &why);
	if (world->policies[world->policy_count] == NULL)
		fail_msg("%s %s", why.pointer, why.text);
	json_decref(json);
	return world->policies[world->policy_count++];
}

static void
fill_lists(struct world *world)
{
	world->rules[0] = (struct lath_acl_rule){.protocol = LATH_ACL_TCP,
			.first_port = 80,
			.last_port = 90,
			.peer = LATH_ACL_PEER_PREFIX,
			.allows = true};
	assert_int_equal(lath_prefix_parse("10.0.0.0/24", &world->rules[0].prefix), 0);
	world->rules[1] = (struct lath_acl_rule){.number = 1,
			.protocol = LATH_ACL_ANY,
			.peer = LATH_ACL_PEER_VPC,
			.vpc = 2,
			.allows = true};
	world->acl_out[0] = (struct lath_acl_rule){.number = 100,
			.protocol = LATH_ACL_TCP,
			.first_port = 80,
			.last_port = 80,
			.allows = true};
	world->acl_in[0] = (struct lath_acl_rule){.number = 100,
			.protocol = LATH_ACL_TCP,
			.first_port = 1024,
			.last_port = 65535,
			.allows = true};
	world->acls[0] = (struct lath_access_acl_in){"edge", world->acl_in, world->acl_out, 1, 1};
	world->groups[0] = (struct lath_access_group_in){11, "some", world->rules, 2};
	world->groups[1] = (struct lath_access_group_in){12, "nobody", NULL, 0};
	world->attached[1] = 1;
}

/* VPC 1 by network a (priority 20) and b (10), VPC 2 by a. */
static struct world *
world_create(void)
{
	struct world *world = calloc(1, sizeof(*world));

	fill_lists(world);
	world->networks[0] = (struct lath_access_network_in){21, "a", "arn:sn-a", false, NULL};
	world->networks[1] = (struct lath_access_network_in){22, "b", "arn:sn-b", false, NULL};
	world->vpcs[0] = (struct lath_access_vpc_in){1, LATH_ACCESS_NONE, "vpc-1", "111122223333"};
	world->vpcs[1] = (struct lath_access_vpc_in){2, LATH_ACCESS_NONE, "vpc-2", "222233334444"};
	world->services[0] = (struct lath_access_service_in){
			SERVICE, false, false, "arn:svc", NULL};
	world->gates[0] = (struct lath_access_gate_in){31, "one-a", 1, 0, 20, world->attached, 0};
	world->gates[1] = (struct lath_access_gate_in){32, "one-b", 1, 1, 10, world->attached, 0};
	world->gates[2] = (struct lath_access_gate_in){33, "two-a", 2, 0, 20, world->attached, 0};
	world->members[0] = (struct lath_access_member_in){SERVICE, 0};
	world->members[1] = (struct lath_access_member_in){SERVICE, 1};
	world->in = (struct lath_access_in){world->groups, world->acls, world->networks,
			world->vpcs, world->services, world->gates, world->members, 2, 1, 2, 2, 1,
			3, 2, 3, SERVICE + 1};
	return world;
}

static void
world_free(struct world *world)
{
	for (uint32_t i = 0; i < world->policy_count; i++)
		free(world->policies[i]);
	free(world->access);
	free(world);
}

/* Builds what the world says now; the block of before is the caller's. */
static struct lath_access *
rebuild(struct world *world)
{
	struct lath_access *before = world->access;

	world->access = lath_access_build(&world->in);
	assert_non_null(world->access);
	return before;
}

static struct lath_access_gate_in *
gate(struct world *world, const char *name)
{
	unsigned i = 0;

	while (strcmp(world->gates[i].name, name) != 0)
		i++;
	return &world->gates[i];
}

static struct lath_access_detail
call(const struct world *world, uint32_t vpc, const char *client, uint16_t port)
{
	struct lath_access_call call = {.vpc = vpc,
			.service = SERVICE,
			.client_port = 40000,
			.port = port,
			.protocol = port == 0 ? LATH_ACL_ICMP : LATH_ACL_TCP};
	struct lath_access_detail detail;

	if (port == 0)
		call.client_port = 0;
	assert_int_equal(lath_ip_parse(client, &call.client), 0);
	assert_int_equal(lath_ip_parse("198.18.0.1", &call.address), 0);
	lath_access_explain(world->access, &call, &detail);
	assert_int_equal(detail.outcome, lath_access_decide(world->access, &call, NULL));
	return detail;
}

static void
lowest_priority_then_name_is_used(void **state)
{
	struct world *world = world_create();
	struct lath_access_detail detail;

	(void)state;
	rebuild(world);
	detail = call(world, 1, "10.0.0.5", 80);
	assert_int_equal(detail.outcome, LATH_ACCESS_ALLOWED);
	assert_string_equal(detail.association, "one-b");
	gate(world, "one-b")->priority = 20;
	free(rebuild(world));
	assert_string_equal(call(world, 1, "10.0.0.5", 80).association, "one-a");
	world->in.member_count = 0;
	free(rebuild(world));
	assert_int_equal(call(world, 1, "10.0.0.5", 80).outcome, LATH_ACCESS_NO_PATH);
	world_free(world);
}

static void
groups_open_a_path(void **state)
{
	struct world *world = world_create();

	(void)state;
	gate(world, "one-b")->group_count = 1;
	gate(world, "two-a")->group_count = 1;
	world->attached[0] = 1; /* the empty one */
	rebuild(world);
	assert_string_equal(call(world, 1, "10.0.0.5", 80).association, "one-a");
	assert_int_equal(call(world, 2, "10.0.0.5", 80).outcome, LATH_ACCESS_GROUP);
	world->attached[0] = 0;
	free(rebuild(world));
	assert_string_equal(call(world, 1, "10.0.0.5", 80).association, "one-b");
	assert_string_equal(call(world, 1, "10.0.0.5", 80).group, "some");
	assert_string_equal(call(world, 1, "10.0.1.5", 80).association, "one-a");
	assert_string_equal(call(world, 1, "10.0.0.5", 91).association, "one-a");
	assert_int_equal(call(world, 2, "10.0.1.5", 91).outcome, LATH_ACCESS_ALLOWED);
	assert_int_equal(call(world, 2, "10.0.1.5", 91).group_rule, 1);
	assert_int_equal(call(world, 2, "10.0.1.5", 0).outcome, LATH_ACCESS_ALLOWED);
	world_free(world);
}

static void
network_policy_closes_its_path_only(void **state)
{
	struct world *world = world_create();
	struct lath_access_detail detail;

	(void)state;
	world->networks[1].asks = true;
	rebuild(world);
	assert_string_equal(call(world, 1, "10.0.0.5", 80).association, "one-a");
	world->networks[1].policy = policy_of(world, FROM("vpc-1"));
	world->networks[0].asks = true;
	world->networks[0].policy = policy_of(world,
			FROM("vpc-9") ",{\"Sid\":\"no\",\"Effect\":\"Deny\"" ALL "}");
	free(rebuild(world));
	assert_string_equal(call(world, 1, "10.0.0.5", 80).association, "one-b");
	detail = call(world, 2, "10.0.0.5", 80);
	assert_int_equal(detail.outcome, LATH_ACCESS_NETWORK);
	assert_int_equal(detail.network_effect, LATH_POLICY_DENY);
	assert_string_equal(detail.network_sid, "no");
	world_free(world);
}

static void
service_policy_has_the_last_word(void **state)
{
	struct world *world = world_create();
	struct lath_access_service_in *service = &world->services[0];

	(void)state;
	service->asks = true;
	rebuild(world);
	assert_int_equal(call(world, 1, "10.0.0.5", 80).outcome, LATH_ACCESS_SERVICE);
	service->policy = policy_of(world, VIA("Allow", "a"));
	free(rebuild(world));
	/* The second path is the first that it allows. */
	assert_string_equal(call(world, 1, "10.0.0.5", 80).association, "one-a");
	/* A Deny of any open path is final. */
	service->policy = policy_of(world, VIA("Allow", "b") "," VIA("Deny", "a"));
	free(rebuild(world));
	assert_int_equal(call(world, 1, "10.0.0.5", 80).outcome, LATH_ACCESS_SERVICE);
	assert_int_equal(call(world, 1, "10.0.0.5", 80).service_effect, LATH_POLICY_DENY);
	/* A closed one is not asked for. */
	gate(world, "one-a")->group_count = 1;
	world->attached[0] = 1;
	free(rebuild(world));
	assert_string_equal(call(world, 1, "10.0.0.5", 80).association, "one-b");
	world_free(world);
}

static void
acl_wants_both_directions(void **state)
{
	struct world *world = world_create();
	struct lath_ip nat;

	(void)state;
	world->vpcs[0].acl = 0;
	rebuild(world);
	assert_int_equal(call(world, 1, "10.0.0.5", 80).outcome, LATH_ACCESS_ALLOWED);
	assert_int_equal(call(world, 1, "10.0.0.5", 81).outcome, LATH_ACCESS_ACL);
	assert_int_equal(call(world, 1, "10.0.0.5", 0).outcome, LATH_ACCESS_ACL);
	assert_int_equal(call(world, 2, "10.0.0.5", 81).outcome, LATH_ACCESS_ALLOWED);
	world->acl_in[0].first_port = 50000;
	free(rebuild(world));
	assert_int_equal(call(world, 1, "10.0.0.5", 80).outcome, LATH_ACCESS_REPLY);
	assert_int_equal(lath_ip_parse("10.0.0.1", &nat), 0);
	assert_int_equal(lath_access_edge(world->access, 1, &nat, 80, 50000, LATH_ACL_TCP),
			LATH_ACCESS_ALLOWED);
	assert_int_equal(lath_access_edge(world->access, 1, &nat, 80, 49999, LATH_ACL_TCP),
			LATH_ACCESS_ACL);
	assert_int_equal(lath_access_edge(world->access, 1, &nat, 81, 50000, LATH_ACL_TCP),
			LATH_ACCESS_REPLY);
	assert_int_equal(lath_access_edge(world->access, 2, &nat, 81, 1, LATH_ACL_TCP),
			LATH_ACCESS_ALLOWED);
	world_free(world);
}

/* ---- who lost something ------------------------------------------------------------------ */

/* Rebuilds and says who lost: bit 1 VPC 1, bit 2 VPC 2, bit 3 the service. */
static unsigned
losers(struct world *world)
{
	struct lath_access *before = rebuild(world);
	unsigned lost = 0;

	for (uint32_t vpc = 1; vpc <= 2; vpc++)
		lost |= (unsigned)lath_access_vpc_lost(before, world->access, vpc) << vpc;
	lost |= (unsigned)lath_access_service_lost(before, world->access, SERVICE) << SERVICE;
	free(before);
	return lost;
}

static void
vpcs_lose_by_groups_and_acls(void **state)
{
	struct world *world = world_create();

	(void)state;
	rebuild(world);
	assert_int_equal(losers(world), 0);
	gate(world, "one-b")->group_count = 1; /* the first group */
	assert_int_equal(losers(world), 2);
	gate(world, "one-b")->group_count = 2; /* one more */
	assert_int_equal(losers(world), 0);
	world->rules[0].last_port = 89;
	assert_int_equal(losers(world), 2);
	world->groups[0].rules = world->rules + 1; /* a rule less */
	world->groups[0].rule_count = 1;
	assert_int_equal(losers(world), 2);
	world->groups[0].rules = world->rules;
	world->groups[0].rule_count = 2;
	assert_int_equal(losers(world), 0);
	world->attached[0] = 1;
	assert_int_equal(losers(world), 2);
	gate(world, "one-b")->group_count = 0;
	assert_int_equal(losers(world), 0);
	world->vpcs[1].acl = 0;
	assert_int_equal(losers(world), 4);
	world->acl_out[0].last_port = 81;
	assert_int_equal(losers(world), 4);
	world->vpcs[1].acl = LATH_ACCESS_NONE;
	assert_int_equal(losers(world), 0);
	gate(world, "one-b")->priority = 1;
	assert_int_equal(losers(world), 0);
	*gate(world, "one-b") = *gate(world, "two-a");
	world->in.gate_count = 2;
	assert_int_equal(losers(world), 2);
	world_free(world);
}

static void
services_lose_by_policies(void **state)
{
	struct world *world = world_create();
	const struct lath_policy *one = policy_of(world, FROM("vpc-1"));
	const struct lath_policy *two = policy_of(world, FROM("vpc-2"));

	(void)state;
	world->networks[0].policy = one; /* asked by nobody */
	rebuild(world);
	world->networks[0].policy = two;
	assert_int_equal(losers(world), 0);
	world->networks[0].asks = true;
	assert_int_equal(losers(world), 8);
	world->networks[0].policy = one;
	assert_int_equal(losers(world), 8);
	world->networks[0].policy = policy_of(world, FROM("vpc-1"));
	assert_int_equal(losers(world), 0);
	world->networks[0].asks = false;
	assert_int_equal(losers(world), 0);
	world->services[0].asks = true;
	assert_int_equal(losers(world), 8);
	world->services[0].policy = one;
	assert_int_equal(losers(world), 0);
	world->services[0].policy = two;
	assert_int_equal(losers(world), 8);
	world->services[0].policy = NULL;
	assert_int_equal(losers(world), 8);
	world->services[0].asks = false;
	assert_int_equal(losers(world), 0);
	world->in.member_count = 1;
	assert_int_equal(losers(world), 8);
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(lowest_priority_then_name_is_used),
			cmocka_unit_test(groups_open_a_path),
			cmocka_unit_test(network_policy_closes_its_path_only),
			cmocka_unit_test(service_policy_has_the_last_word),
			cmocka_unit_test(acl_wants_both_directions),
			cmocka_unit_test(vpcs_lose_by_groups_and_acls),
			cmocka_unit_test(services_lose_by_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
