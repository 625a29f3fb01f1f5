/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What workers read from a model. */
#include <netinet/in.h>

#include "test_model_world.h"

#define BLUE 0
#define RED 1
#define GREY 2
#define WEB 0
#define DNS 1

static void
attachments_are_found_by_port_and_vlan(void **state)
{
	static const struct {
		uint16_t port;
		uint16_t vlan;
		const char *name;
	} rows[] = {
			{0, 10, "b0"},
			{0, 11, "b1"},
			{1, 0, "r0"},
			{1, 7, "g0"},
			{0, 0, NULL},
			{1, 10, NULL},
			{5, 0, NULL},
			{2, 0, "host"},
			{2, 1, NULL},
	};
	struct world *world = world_base();

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		const struct lath_model_attachment *found = lath_model_attachment_at(world->model,
				rows[i].port, rows[i].vlan);

		if (rows[i].name == NULL)
			assert_null(found);
		else
			assert_string_equal(rows[i].name, found->name);
	}
	world_free(world);
}

static void
host_vpc_is_index_0_with_an_attachment_behind_the_ports(void **state)
{
	struct world *world = world_base();
	const struct lath_model_vpc *host = world->model->vpcs[LATH_MODEL_HOST_VPC];
	const struct lath_model_attachment *attachment = lath_model_attachment_at(world->model,
			world->model->host_port, 0);
	struct lath_ip kernel = world_ip("fd6c:6174:6800::5");
	struct lath_ip own = world_ip("fe80::1");

	(void)state;
	assert_string_equal("host", host->name);
	assert_int_equal(0, host->index);
	assert_int_equal(2, world->model->host_port);
	assert_true(attachment->is_host);
	assert_int_equal(0, attachment->vpc);
	assert_int_equal(9021,
			attachment->mtu); /* the largest of the others, IPv6 header for IPv4 */
	assert_true(lath_model_vpc_holds(host, &kernel));
	assert_int_equal(attachment->index, lath_model_route(host, &kernel)->attachment);
	assert_true(lath_model_is_own(attachment, &own));
	assert_int_equal(0, host->nat_address_count);
	world_set(world, "/system/hostPort", "{'enabled': false}");
	world_apply(world);
	assert_null(world->model->vpcs[LATH_MODEL_HOST_VPC]);
	assert_int_equal(UINT16_MAX, world->model->host_port);
	world_free(world);
}

static enum lath_model_found
find(const struct world *world, uint32_t vpc, uint32_t service, uint8_t proto, uint16_t port)
{
	const struct lath_model_service *found;
	const struct lath_model_listener *listener;
	const struct lath_model_service *wanted = world_service(world, service);
	enum lath_model_found rc = lath_model_find(world->model, vpc, &wanted->addresses[0], proto,
			port, &found, &listener);

	assert_ptr_equal(rc == LATH_MODEL_NO_SERVICE ? NULL : wanted, found);
	assert_true((rc == LATH_MODEL_FOUND) == (listener != NULL));
	return rc;
}

static void
services_are_found_where_an_association_leads(void **state)
{
	struct world *world = world_base();
	uint32_t blue = world_vpc(world, BLUE)->index;

	(void)state;
	assert_int_equal(LATH_MODEL_FOUND, find(world, blue, WEB, IPPROTO_TCP, 80));
	assert_int_equal(LATH_MODEL_NO_LISTENER, find(world, blue, WEB, IPPROTO_TCP, 81));
	assert_int_equal(LATH_MODEL_NO_LISTENER, find(world, blue, WEB, IPPROTO_UDP, 80));
	assert_int_equal(LATH_MODEL_FOUND, find(world, blue, DNS, IPPROTO_UDP, 53));
	assert_int_equal(LATH_MODEL_FOUND, find(world, blue, DNS, IPPROTO_ICMP, 0));
	world_free(world);
}

static void
nothing_is_visible_without_an_association(void **state)
{
	struct world *world = world_base();
	const uint32_t others[] = {world_vpc(world, RED)->index, world_vpc(world, GREY)->index,
			LATH_MODEL_HOST_VPC, 999, LATH_MODEL_NONE};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(others); i++) {
		assert_int_equal(LATH_MODEL_NO_SERVICE,
				find(world, others[i], WEB, IPPROTO_TCP, 80));
		assert_int_equal(LATH_MODEL_NO_SERVICE,
				find(world, others[i], DNS, IPPROTO_ICMP, 0));
	}
	world_remove(world, "/serviceAssociations/0");
	world_apply(world);
	assert_int_equal(LATH_MODEL_NO_SERVICE,
			find(world, world_vpc(world, BLUE)->index, WEB, IPPROTO_TCP, 80));
	world_free(world);
}

static void
services_that_share_an_address_are_told_apart_by_port(void **state)
{
	struct world *world = world_create(WORLD_BASE, "");
	uint32_t blue;

	(void)state;
	world_set(world, "/services/0/addresses", "['198.18.0.77']");
	world_set(world, "/services/1/addresses", "['198.18.0.77']");
	world_apply(world);
	blue = world_vpc(world, BLUE)->index;
	assert_int_equal(LATH_MODEL_FOUND, find(world, blue, WEB, IPPROTO_TCP, 80));
	assert_int_equal(LATH_MODEL_FOUND, find(world, blue, DNS, IPPROTO_UDP, 53));
	world_free(world);
}

static void
rules_match_by_source_in_order_of_priority(void **state)
{
	static const struct {
		const char *client;
		const char *rule;
	} rows[] = {
			{"10.0.0.5", "near"},
			{"10.0.1.200", "near"},
			{"10.0.0.128", "default"},
			{"10.9.9.9", "default"},
			{"fd00::1", "default"},
	};
	struct world *world = world_base();
	const struct lath_model_listener *listener = &world_service(world, WEB)->listeners[0];

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_ip client = world_ip(rows[i].client);

		assert_string_equal(rows[i].rule, lath_model_match(listener, &client)->name);
	}
	assert_int_equal(UINT32_MAX, listener->rules[1].priority);
	assert_int_equal(world_index(world, LATH_OBJECT_RULE, WEB, 1), listener->rules[1].index);
	world_free(world);
}

static void
routes_take_the_longest_prefix(void **state)
{
	static const struct {
		const char *ip;
		const char *attachment; /* NULL: no route */
		const char *next_hop;   /* NULL: attached */
	} rows[] = {
			{"10.0.0.5", "b0", NULL},
			{"10.0.1.5", "b1", NULL},
			{"10.0.2.5", "b1", "10.0.1.254"},
			{"10.0.3.5", "b0", "10.0.0.254"},
			{"10.1.0.1", NULL, NULL},
	};
	struct world *world = world_base();

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_ip ip = world_ip(rows[i].ip);
		const struct lath_model_route *route = lath_model_route(world_vpc(world, BLUE),
				&ip);
		char text[LATH_IP_TEXT_MAX];

		if (rows[i].attachment == NULL) {
			assert_null(route);
			continue;
		}
		assert_string_equal(rows[i].attachment,
				world->model->attachments[route->attachment]->name);
		if (rows[i].next_hop == NULL)
			assert_int_equal(LATH_FAMILY_NONE, route->next_hop.family);
		else
			assert_string_equal(rows[i].next_hop,
					lath_ip_format(&route->next_hop, text));
	}
	world_free(world);
}

static void
assert_nat(const struct lath_model_vpc *vpc, const char *const *wanted, unsigned count)
{
	assert_int_equal(count, vpc->nat_address_count);
	for (unsigned i = 0; i < count; i++) {
		struct lath_ip ip = world_ip(wanted[i]);

		assert_int_equal(lath_from_be32(lath_ip_v4_be(&ip)),
				lath_model_nat_address(vpc, i));
		assert_true(lath_model_vpc_has_nat(vpc, &ip));
	}
}

static void
nat_pool_defaults_to_own_addresses(void **state)
{
	static const char *const blue[] = {"10.0.0.1", "10.0.1.1"};
	static const char *const red[] = {"10.0.0.240", "10.0.0.241", "10.0.0.242", "10.0.0.243",
			"10.0.0.244", "10.0.0.245", "10.0.0.246", "10.0.0.247"};
	struct world *world = world_base();
	struct lath_ip outside = world_ip("10.0.0.248");

	(void)state;
	assert_nat(world_vpc(world, BLUE), blue, LATH_ARRAY_SIZE(blue));
	assert_nat(world_vpc(world, RED), red, LATH_ARRAY_SIZE(red));
	assert_false(lath_model_vpc_has_nat(world_vpc(world, RED), &outside));
	world_free(world);
}

static void
nat_pool_of_ipv6_is_numbered(void **state)
{
	struct world *world = world_create(WORLD_BASE, "");
	const struct lath_model_vpc *vpc;
	struct lath_ip ip;
	char text[LATH_IP_TEXT_MAX];

	(void)state;
	world_add(world, "/vpcs/0/attachments/0/addresses", "'fd00:0:0:1::1/64'");
	world_add(world, "/vpcs/0/prefixes", "'fd00::/48'");
	world_apply(world);
	vpc = world_vpc(world, BLUE);
	assert_int_equal(1, vpc->nat6_address_count); /* its own */
	ip = lath_model_nat6_address(vpc, 0);
	assert_string_equal(lath_ip_format(&ip, text), "fd00:0:0:1::1");
	world_set(world, "/vpcs/0/natPool", "['fd00:0:0:2::/64', 'fd00:0:0:3::8/127', 'fd00::9']");
	world_apply(world);
	vpc = world_vpc(world, BLUE);
	assert_int_equal(2, vpc->nat_address_count); /* IPv4's are still its own */
	assert_int_equal(UINT32_MAX, vpc->nat6_address_count);
	ip = lath_model_nat6_address(vpc, 0);
	assert_string_equal(lath_ip_format(&ip, text), "fd00:0:0:2::1");
	assert_true(lath_model_vpc_has_nat(vpc, &ip));
	ip = lath_model_nat6_address(vpc, UINT32_MAX - 1);
	assert_string_equal(lath_ip_format(&ip, text), "fd00::2:0:0:ffff:ffff");
	assert_true(lath_model_vpc_has_nat(vpc, &ip));
	ip = world_ip("fd00:0:0:2::");
	assert_false(lath_model_vpc_has_nat(vpc, &ip));
	ip = world_ip("fd00:0:0:3::9");
	assert_true(lath_model_vpc_has_nat(vpc, &ip));
	ip = world_ip("fd00:0:0:3::a");
	assert_false(lath_model_vpc_has_nat(vpc, &ip));
	world_free(world);
}

static void
widen_pool(struct lath_config *cfg)
{
	cfg->vpcs[GREY].nat_pool[0].bits = 29;
}

static void
nat_pool_leaves_subnet_edges_out(void **state)
{
	static const char *const grey[] = {"192.0.2.8", "192.0.2.9", "192.0.2.10", "192.0.2.11",
			"192.0.2.12", "192.0.2.13", "192.0.2.14", "198.51.100.0", "198.51.100.1",
			"198.51.100.2", "198.51.100.3"};
	struct world *world = world_create(WORLD_BASE, "");

	(void)state;
	/* 192.0.2.15 is the broadcast address of 192.0.2.0/28, which the loader would not let pass;
	 * 198.51.100.0 is not attached.
	 */
	world->edit = widen_pool;
	world_set(world, "/vpcs/2/natPool", "['192.0.2.8/30', '198.51.100.0/30']");
	world_apply(world);
	assert_nat(world_vpc(world, GREY), grey, LATH_ARRAY_SIZE(grey));
	world_free(world);
}

static void
arp_is_answered_for_own_nat_and_visible_service_addresses(void **state)
{
	static const struct {
		const char *attachment;
		const char *ip;
		bool own;
		bool answered;
	} rows[] = {
			{"b0", "10.0.0.1", true, true},
			{"b0", "10.0.1.1", false, false}, /* another subnet's */
			{"b0", "10.0.0.5", false, false},
			{"r0", "10.0.0.240", false, true}, /* NAT */
			{"r0", "10.0.0.248", false, false},
			{"g0", "10.0.0.1", true, true},
			{"g0", "192.0.2.2", false, false}, /* a fabric answers itself */
			{"b0", "198.18.0.9", false, true}, /* service, by an attached subnet */
			{"r0", "198.18.0.9", false, false},
	};
	struct world *world = world_create(WORLD_BASE, "");

	(void)state;
	world_set(world, "/services/0/addresses", "['198.18.0.9']");
	world_add(world, "/vpcs/0/attachments/0/addresses", "'198.18.0.1/24'");
	world_set(world, "/vpcs/2/natPool", "['192.0.2.2']");
	world_apply(world);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_ip ip = world_ip(rows[i].ip);

		for (uint32_t a = 0; a < world->model->attachment_count; a++) {
			const struct lath_model_attachment
					*attachment = world->model->attachments[a];

			if (strcmp(attachment->name, rows[i].attachment) != 0)
				continue;
			assert_int_equal(rows[i].own, lath_model_is_own(attachment, &ip));
			assert_int_equal(rows[i].answered,
					lath_model_answers_arp(world->model, attachment, &ip));
		}
	}
	world_free(world);
}

static void
probes_reach_check_addresses_of_registered_targets_only(void **state)
{
	struct world *world = world_base();
	uint32_t red = world_vpc(world, RED)->index;
	struct lath_ip target = world_ip("10.0.0.7");
	struct lath_ip other = world_ip("10.0.0.77");
	struct lath_ip udp = world_ip("10.0.0.5");

	(void)state;
	assert_true(lath_model_probe_allowed(world->model, red, &target, 8081));
	assert_false(lath_model_probe_allowed(world->model, red, &target, 8080));
	assert_false(lath_model_probe_allowed(world->model, red, &other, 8081));
	assert_false(lath_model_probe_allowed(world->model, red + 1, &target, 8081));
	assert_false(lath_model_probe_allowed(world->model, red, &udp, 53)); /* no check */
	world_set(world, "/targetGroups/2/config/healthCheck", "{'enabled': true, 'port': 99}");
	world_remove(world, "/targetGroups/0/targets/2");
	world_apply(world);
	assert_true(lath_model_probe_allowed(world->model, red, &udp, 99));
	assert_false(lath_model_probe_allowed(world->model, red, &target, 8081)); /* drains */
	world_free(world);
}

/* ---- picking ----------------------------------------------------------------------------- */

#define PICKS 200000u

/* Counts picks by target index for one rule. */
static void
count_picks(const struct world *world, const struct lath_model_rule *rule, uint32_t *picks,
		uint64_t *random)
{
	memset(picks, 0, sizeof(*picks) * world->model->target_count);
	for (unsigned i = 0; i < PICKS; i++) {
		const struct lath_model_group *group;
		const struct lath_model_target *target = lath_model_pick(world->model, rule,
				lath_random_next(random), &group);

		assert_non_null(target);
		assert_int_equal(group->index, target->group);
		picks[target->index]++;
	}
}

static void
assert_share(uint32_t picks, double wanted)
{
	double share = (double)picks / PICKS;

	if (share < wanted * 0.95 - 0.002 || share > wanted * 1.05 + 0.002)
		fail_msg("share %.4f, wanted %.4f", share, wanted);
}

static void
picks_follow_group_and_target_weights(void **state)
{
	uint64_t random = lath_test_random(__func__);
	struct world *world = world_base();
	uint32_t picks[64];
	static const struct {
		uint32_t group;
		uint32_t target;
		double share;
	} rows[] = {
			{0, 0, 0.75 / 5},
			{0, 1, 0.75 * 3 / 5},
			{0, 2, 0.75 / 5},
			{0, 3, 0},
			{1, 0, 0.25 / 2},
			{1, 1, 0.25 / 2},
	};

	(void)state;
	count_picks(world, &world_service(world, WEB)->listeners[0].rules[1], picks, &random);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++)
		assert_share(picks[world_index(world, LATH_OBJECT_TARGET, rows[i].group,
					     rows[i].target)],
				rows[i].share);
	world_free(world);
}

static void
eligible_are_the_healthy_else_the_new_else_all(void **state)
{
	static const struct {
		const char *name;
		uint8_t health[4]; /* the fourth has weight 0 */
		unsigned eligible; /* bits */
		bool fail_open;
	} rows[] = {
			{"all healthy", {1, 1, 1, 1}, 0x7, false},
			{"one healthy", {2, 1, 0, 0}, 0x2, false},
			{"none healthy", {2, 0, 0, 1}, 0x6, false},
			{"all unhealthy", {2, 2, 2, 2}, 0x7, true},
			{"only weight 0 healthy", {2, 2, 2, 1}, 0x7, true},
	};
	struct world *world = world_base();

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		const struct lath_model_group *group;
		unsigned eligible = 0;

		for (unsigned j = 0; j < 4; j++)
			world->health[world_index(world, LATH_OBJECT_TARGET, 0,
					j)] = rows[i].health[j];
		world_apply(world);
		group = world_group(world, 0);
		for (unsigned j = 0; j < group->target_count; j++) {
			for (unsigned k = 0; k < 4; k++)
				eligible |= (group->targets[j] ==
							    world_index(world, LATH_OBJECT_TARGET,
									    0, k))
						<< k;
		}
		if (eligible != rows[i].eligible || group->fail_open != rows[i].fail_open)
			fail_msg("%s: %x", rows[i].name, eligible);
	}
	world_free(world);
}

static void
group_without_targets_gets_no_flow(void **state)
{
	struct world *world = world_base();
	const struct lath_model_group *group;
	const struct lath_model_rule *rule;

	(void)state;
	world_set(world, "/targetGroups/0/targets", "[]");
	world_apply(world);
	rule = &world_service(world, WEB)->listeners[0].rules[1];
	for (uint64_t hash = 1; hash != 0; hash <<= 1)
		assert_int_equal(world_group(world, 1)->index,
				lath_model_pick(world->model, rule, hash, &group)->group);
	rule = &world_service(world, WEB)->listeners[0].rules[0];
	assert_null(lath_model_pick(world->model, rule, 1, &group));
	world_free(world);
}

static void
target_death_moves_only_its_own_flows(void **state)
{
	uint64_t random = lath_test_random(__func__);
	struct world *world = world_base();
	uint32_t dead = world_index(world, LATH_OBJECT_TARGET, 0, 0);
	const struct lath_model_group *group;
	struct lath_model *prev;
	unsigned moved = 0;

	(void)state;
	world->health[dead] = LATH_TARGET_UNHEALTHY;
	prev = world_step(world);
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t hash = lath_random_next(&random);
		uint32_t was = lath_model_pick(prev,
				&world_service(world, WEB)->listeners[0].rules[1], hash, &group)
					       ->index;
		uint32_t is = lath_model_pick(world->model,
				&world_service(world, WEB)->listeners[0].rules[1], hash, &group)
					      ->index;

		assert_int_not_equal(dead, is);
		moved += was != dead && was != is;
	}
	assert_true(moved <
			20000 / 50); /* Maglev moves a few slots; none is a goal, not a promise */
	lath_model_free(prev, &lath_heap);
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(attachments_are_found_by_port_and_vlan),
			cmocka_unit_test(host_vpc_is_index_0_with_an_attachment_behind_the_ports),
			cmocka_unit_test(services_are_found_where_an_association_leads),
			cmocka_unit_test(nothing_is_visible_without_an_association),
			cmocka_unit_test(services_that_share_an_address_are_told_apart_by_port),
			cmocka_unit_test(rules_match_by_source_in_order_of_priority),
			cmocka_unit_test(routes_take_the_longest_prefix),
			cmocka_unit_test(nat_pool_defaults_to_own_addresses),
			cmocka_unit_test(nat_pool_leaves_subnet_edges_out),
			cmocka_unit_test(nat_pool_of_ipv6_is_numbered),
			cmocka_unit_test(arp_is_answered_for_own_nat_and_visible_service_addresses),
			cmocka_unit_test(probes_reach_check_addresses_of_registered_targets_only),
			cmocka_unit_test(picks_follow_group_and_target_weights),
			cmocka_unit_test(eligible_are_the_healthy_else_the_new_else_all),
			cmocka_unit_test(group_without_targets_gets_no_flow),
			cmocka_unit_test(target_death_moves_only_its_own_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
