/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * What asking costs a first packet: the first rule of a list that matches, by how many rules the list
 * has, and a policy, by how many statements it has. Lists are like those of people: prefixes of 16 to
 * 28 bits, a port or a range each, and one for everything at the end. Packets are random, so every
 * other one matches nothing but that.
 */

#include <lath_acl.h>
#include <lath_policy.h>

#include "micro.h"

#define PACKETS 4096u
#define LISTS 4u
#define POLICIES 3u

struct list {
	struct lath_acl *acl;
	struct lath_acl_packet *packets;
	uint32_t found; /* so that nothing is optimised away */
};

static struct lath_ip
random_ip(struct micro *micro)
{
	struct lath_ip ip = {.family = LATH_FAMILY_IPV4};
	uint64_t value = lath_random_next(&micro->random);

	memcpy(ip.bytes, &value, 4);
	ip.bytes[0] = 10;
	return ip;
}

static struct lath_acl *
make_list(struct micro *micro, uint32_t count)
{
	struct lath_acl_rule *rules = micro_alloc(micro, count * sizeof(*rules));
	struct lath_acl *acl;

	for (uint32_t i = 0; i < count; i++) {
		rules[i].number = i + 1;
		rules[i].protocol = i + 1 == count ? LATH_ACL_ANY : LATH_ACL_TCP;
		rules[i].peer = i + 1 == count ? LATH_ACL_PEER_ANY : LATH_ACL_PEER_PREFIX;
		rules[i].prefix.ip = random_ip(micro);
		rules[i].prefix.bits = (uint8_t)(16 + lath_random_below(&micro->random, 13));
		rules[i].prefix = lath_prefix_network(&rules[i].prefix);
		rules[i].first_port = (uint16_t)lath_random_below(&micro->random, 60000);
		rules[i].last_port = (uint16_t)(rules[i].first_port +
				lath_random_below(&micro->random, 2) * 1000);
		rules[i].allows = lath_random_below(&micro->random, 2) == 0;
	}
	acl = lath_acl_build(rules, count);
	micro_free(micro, rules, count * sizeof(*rules));
	if (acl == NULL)
		rig_die("acl-find: no memory for %u rules", count);
	return acl;
}

static uint64_t
find_lap(void *ctx)
{
	struct list *list = ctx;
	bool allows;

	for (uint32_t i = 0; i < PACKETS; i++)
		list->found += lath_acl_find(list->acl, &list->packets[i], &allows);
	return PACKETS;
}

static void
run_find(struct micro *micro)
{
	static const uint32_t counts[LISTS] = {10, 100, 1000, 10000};
	struct lath_acl_packet *packets = micro_alloc(micro, PACKETS * sizeof(*packets));
	struct micro_case cases[LISTS];
	struct list lists[LISTS];

	for (uint32_t i = 0; i < PACKETS; i++) {
		packets[i].peer = random_ip(micro);
		packets[i].port = (uint16_t)lath_random_below(&micro->random, 65536);
		packets[i].protocol = LATH_ACL_TCP;
	}
	for (unsigned i = 0; i < LISTS; i++) {
		lists[i] = (struct list){.acl = make_list(micro, counts[i]), .packets = packets};
		cases[i] = (struct micro_case){.variant = "lath_acl_find",
				.unit = "packet",
				.lap = find_lap,
				.ctx = &lists[i]};
		snprintf(cases[i].condition, sizeof(cases[i].condition), "%u rules", counts[i]);
	}
	micro_measure(micro, cases, LISTS);
	for (unsigned i = 0; i < LISTS; i++)
		free(lists[i].acl);
	micro_free(micro, packets, PACKETS * sizeof(*packets));
}

const struct micro_test micro_acl_test = {"acl-find", "first rule that matches; rules", run_find};

/* ---- policies ---------------------------------------------------------------------------- */

struct asked {
	struct lath_policy *policy;
	struct lath_policy_request request;
	uint32_t found;
};

static uint64_t
policy_lap(void *ctx)
{
	struct asked *asked = ctx;

	for (uint32_t i = 0; i < PACKETS; i++) {
		asked->request.port = i + 1;
		asked->found += lath_policy_evaluate(asked->policy, &asked->request, NULL);
	}
	return PACKETS;
}

/* Each statement is for another VPC and another part of the service's ARN; none matches. */
static struct lath_policy *
make_policy(unsigned count)
{
	struct lath_policy_complaint why;
	json_t *list = json_array();
	json_t *document = json_pack("{s:o}", "Statement", list);
	struct lath_policy *policy;

	for (unsigned i = 0; i < count; i++) {
		char vpc[40];
		json_t *condition;

		snprintf(vpc, sizeof(vpc), "vpc-0123456789abc%04x", i);
		condition = json_pack("{s:{s:s}, s:{s:s}}", "StringEquals",
				"vpc-lattice-svcs:SourceVpc", vpc, "ArnLike",
				"vpc-lattice-svcs:ServiceArn",
				"arn:aws:vpc-lattice:*:*:service/svc-*");
		json_array_append_new(list,
				json_pack("{s:s, s:s, s:s, s:s, s:o}", "Effect", "Allow",
						"Principal", "*", "Action", "*", "Resource", "*",
						"Condition", condition));
	}
	policy = lath_policy_compile(document, &why);
	if (policy == NULL)
		rig_die("policy: %s: %s", why.pointer, why.text);
	json_decref(document);
	return policy;
}

static void
run_policy(struct micro *micro)
{
	static const char vpc[] = "vpc-0123456789abcffff";
	static const char arn
			[] = "arn:aws:vpc-lattice:local-1:111122223333:service/svc-0123456789abc";
	static const char account[] = "111122223333";
	static const unsigned counts[POLICIES] = {1, 8, 40};
	struct micro_case cases[POLICIES];
	struct asked asked[POLICIES];

	for (unsigned i = 0; i < POLICIES; i++) {
		asked[i] = (struct asked){
				.policy = make_policy(counts[i]),
				.request = {.source_vpc = {vpc, sizeof(vpc) - 1},
						.source_account = {account, sizeof(account) - 1},
						.service_arn = {arn, sizeof(arn) - 1},
						.network_arn = {arn, sizeof(arn) - 1},
						.source_ip = random_ip(micro)},
		};
		cases[i] = (struct micro_case){.variant = "lath_policy_evaluate",
				.unit = "call",
				.lap = policy_lap,
				.ctx = &asked[i]};
		snprintf(cases[i].condition, sizeof(cases[i].condition), "%u statements",
				counts[i]);
	}
	micro_measure(micro, cases, POLICIES);
	for (unsigned i = 0; i < POLICIES; i++)
		free(asked[i].policy);
}

const struct micro_test micro_policy_test = {
		"policy", "a policy that does not match; statements", run_policy};
