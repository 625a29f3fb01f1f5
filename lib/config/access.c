/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Security groups and network ACLs: lists of rules about protocol, ports and peers. A rule that
 * names several peers becomes as many of lib/acl, under one number.
 */

#include "config_private.h"

#define LISTS_MAX 4096u
#define PEERS_MAX 1024u
#define ACL_RULE_MAX 32766u /* network ACL rule numbers of EC2 */

/* The rules of one list while it is read. */
struct rules {
	struct lath_acl_rule **at;
	uint32_t *count;
};

static int
add_rule(const struct lath_config_node *node, const struct rules *rules,
		const struct lath_acl_rule *rule)
{
	struct lath_acl_rule *more;

	if (*rules->count == LATH_ACL_RULES_MAX)
		return lath_config_fail(node,
				"the rules of this list name more than %u peers in all",
				LATH_ACL_RULES_MAX);
	/* Doubling: room is always a power of two. */
	if ((*rules->count & (*rules->count - 1)) == 0) {
		size_t room = *rules->count == 0 ? 1 : 2 * (size_t)*rules->count;

		more = realloc(*rules->at, room * sizeof(*more));
		if (more == NULL)
			return lath_config_no_memory(node->loader);
		*rules->at = more;
	}
	(*rules->at)[(*rules->count)++] = *rule;
	return 0;
}

static bool
read_port(const char **at, uint16_t *port)
{
	uint32_t number = 0;
	unsigned digits = 0;

	for (; **at >= '0' && **at <= '9' && digits < 5; (*at)++, digits++)
		number = number * 10 + (uint32_t)(**at - '0');
	*port = (uint16_t)number;
	return digits > 0 && number > 0 && number <= UINT16_MAX;
}

/* "80" or "22-30". */
static int
read_ports(const struct lath_config_node *node, struct lath_acl_rule *rule)
{
	struct lath_config_node member;
	char value[LATH_CONFIG_VALUE_MAX];
	const char *at;
	bool good;

	rule->first_port = 0;
	rule->last_port = UINT16_MAX;
	if (!lath_config_member(node, "ports", &member))
		return 0;
	if (rule->protocol != LATH_ACL_TCP && rule->protocol != LATH_ACL_UDP)
		return lath_config_fail(&member, "only \"tcp\" and \"udp\" have ports");
	at = json_string_value(member.json);
	good = at != NULL && read_port(&at, &rule->first_port);
	rule->last_port = rule->first_port;
	if (good && *at == '-') {
		at++;
		good = read_port(&at, &rule->last_port);
	}
	if (!good || *at != '\0' || rule->last_port < rule->first_port)
		return lath_config_fail(&member,
				"%s is no port or range of ports such as \"443\" or \"8000-8100\"",
				lath_config_value(member.json, value));
	return 0;
}

static int
read_match(const struct lath_config_node *node, struct lath_acl_rule *rule)
{
	static const char *const protocols[LATH_ACL_PROTOCOL_COUNT] = {"tcp", "udp", "icmp", "all"};
	struct lath_config_node member;
	unsigned protocol = LATH_ACL_ANY;

	if (lath_config_need(node, "protocol", &member) != 0 ||
			lath_config_read_word(node, "protocol", protocols, LATH_ACL_PROTOCOL_COUNT,
					&protocol) != 0)
		return lath_err(EINVAL);
	rule->protocol = (uint8_t)protocol;
	return read_ports(node, rule);
}

/* ---- security groups --------------------------------------------------------------------- */

static int
add_prefixes(const struct lath_config_node *node, const struct rules *rules,
		struct lath_acl_rule *rule, bool *any)
{
	struct lath_config_node list;
	int rc = lath_config_read_list(node, "sourcePrefixes", 1, PEERS_MAX, &list);

	rule->peer = LATH_ACL_PEER_PREFIX;
	for (size_t i = 0; rc == 0 && i < json_array_size(list.json); i++) {
		struct lath_config_node element = lath_config_element(&list, i);

		rc = lath_config_read_prefix(&element, &rule->prefix);
		if (rc == 0)
			rc = add_rule(&element, rules, rule);
		*any = false;
	}
	return rc;
}

static int
add_vpcs(const struct lath_config_node *node, const char *account, const struct rules *rules,
		struct lath_acl_rule *rule, bool *any)
{
	struct lath_config_node list;
	int rc = lath_config_read_list(node, "vpcIdentifiers", 1, PEERS_MAX, &list);

	rule->peer = LATH_ACL_PEER_VPC;
	rule->prefix = (struct lath_prefix){.bits = 0};
	for (size_t i = 0; rc == 0 && i < json_array_size(list.json); i++) {
		struct lath_config_node element = lath_config_element(&list, i);

		rc = lath_config_refer_to(&element, LATH_CONFIG_KIND_VPC, account, &rule->vpc);
		if (rc == 0)
			rc = add_rule(&element, rules, rule);
		*any = false;
	}
	return rc;
}

static int
read_group_rule(const struct lath_config_node *node, uint32_t number,
		struct lath_config_security_group *group)
{
	static const char *const keys[] = {"protocol", "ports", "sourcePrefixes", "vpcIdentifiers"};
	const struct rules rules = {&group->rules, &group->rule_count};
	struct lath_acl_rule rule = {.number = number, .allows = true};
	bool any = true;

	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			read_match(node, &rule) != 0 ||
			add_prefixes(node, &rules, &rule, &any) != 0 ||
			add_vpcs(node, group->identity.account, &rules, &rule, &any) != 0)
		return lath_err(EINVAL);
	rule.peer = LATH_ACL_PEER_ANY;
	rule.vpc = 0;
	return any ? add_rule(node, &rules, &rule) : 0;
}

static int
read_group(const struct lath_config_node *node, uint32_t index)
{
	static const char *const keys[] = {"name", "account", "id", "inbound"};
	static const struct lath_config_naming naming = {.kind = LATH_CONFIG_KIND_SECURITY_GROUP};
	struct lath_config_security_group *group = &node->loader->cfg->security_groups[index];
	struct lath_config_node list;

	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_identify(node, &naming, index, &group->identity) != 0 ||
			lath_config_read_list(node, "inbound", 0, LATH_ACL_RULES_MAX, &list) != 0)
		return lath_err(EINVAL);
	for (size_t i = 0; i < json_array_size(list.json); i++) {
		struct lath_config_node element = lath_config_element(&list, i);

		if (read_group_rule(&element, (uint32_t)i, group) != 0)
			return lath_err(EINVAL);
	}
	return 0;
}

static int
check_count(struct lath_config_loader *loader, enum lath_config_list list)
{
	struct lath_config_at at;

	if (loader->counts[list] <= LISTS_MAX)
		return 0;
	at = lath_config_at_list(loader, list, LISTS_MAX, "%s", "");
	return lath_config_fail_at(loader, &at, "\"%s\" has more than %u elements",
			lath_config_list_keys[list], LISTS_MAX);
}

int
lath_config_read_security_groups(struct lath_config_loader *loader)
{
	const enum lath_config_list list = LATH_CONFIG_LIST_SECURITY_GROUPS;
	struct lath_config *cfg = loader->cfg;
	uint32_t count = loader->counts[list];

	if (check_count(loader, list) != 0)
		return lath_err(EINVAL);
	cfg->security_groups = calloc(count + 1, sizeof(*cfg->security_groups));
	if (cfg->security_groups == NULL)
		return lath_config_no_memory(loader);
	cfg->security_group_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct lath_config_node node = lath_config_list_node(loader, list, i);

		if (read_group(&node, i) != 0)
			return lath_err(EINVAL);
	}
	return 0;
}

/* ---- network ACLs ------------------------------------------------------------------------ */

static int
read_acl_rule(const struct lath_config_node *node, const struct rules *rules)
{
	static const char *const keys[] = {"ruleNumber", "action", "protocol", "ports", "prefix"};
	static const char *const actions[] = {"deny", "allow"};
	struct lath_acl_rule rule = {.peer = LATH_ACL_PEER_ANY};
	struct lath_config_node member;
	unsigned action = 0;

	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_need(node, "ruleNumber", &member) != 0 ||
			lath_config_read_u32(node, "ruleNumber", 1, ACL_RULE_MAX, &rule.number) !=
					0)
		return lath_err(EINVAL);
	for (uint32_t i = 0; i < *rules->count; i++) {
		if ((*rules->at)[i].number == rule.number)
			return lath_config_fail(&member, "%u is the number of rule %u as well",
					rule.number, i);
	}
	if (lath_config_need(node, "action", &member) != 0 ||
			lath_config_read_word(node, "action", actions, LATH_ARRAY_SIZE(actions),
					&action) != 0 ||
			read_match(node, &rule) != 0)
		return lath_err(EINVAL);
	rule.allows = action == 1;
	if (lath_config_member(node, "prefix", &member)) {
		rule.peer = LATH_ACL_PEER_PREFIX;
		if (lath_config_read_prefix(&member, &rule.prefix) != 0)
			return lath_err(EINVAL);
	}
	return add_rule(node, rules, &rule);
}

static int
read_direction(const struct lath_config_node *node, const char *key, const struct rules *rules)
{
	struct lath_config_node list;
	int rc = lath_config_read_list(node, key, 0, LATH_ACL_RULES_MAX, &list);

	for (size_t i = 0; rc == 0 && i < json_array_size(list.json); i++) {
		struct lath_config_node element = lath_config_element(&list, i);

		rc = read_acl_rule(&element, rules);
	}
	return rc;
}

static int
read_acl(const struct lath_config_node *node, uint32_t index)
{
	static const char *const keys[] = {"name", "account", "id", "inbound", "outbound"};
	static const struct lath_config_naming naming = {.kind = LATH_CONFIG_KIND_ACL};
	struct lath_config_acl *acl = &node->loader->cfg->acls[index];
	const struct rules inbound = {&acl->inbound, &acl->inbound_count};
	const struct rules outbound = {&acl->outbound, &acl->outbound_count};

	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_identify(node, &naming, index, &acl->identity) != 0 ||
			read_direction(node, "inbound", &inbound) != 0 ||
			read_direction(node, "outbound", &outbound) != 0)
		return lath_err(EINVAL);
	return 0;
}

int
lath_config_read_acls(struct lath_config_loader *loader)
{
	const enum lath_config_list list = LATH_CONFIG_LIST_ACLS;
	struct lath_config *cfg = loader->cfg;
	uint32_t count = loader->counts[list];

	if (check_count(loader, list) != 0)
		return lath_err(EINVAL);
	cfg->acls = calloc(count + 1, sizeof(*cfg->acls));
	if (cfg->acls == NULL)
		return lath_config_no_memory(loader);
	cfg->acl_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct lath_config_node node = lath_config_list_node(loader, list, i);

		if (read_acl(&node, i) != 0)
			return lath_err(EINVAL);
	}
	return 0;
}

/* ---- what an association and a VPC say of them --------------------------------------------- */

int
lath_config_read_vpc_acl(const struct lath_config_node *node, struct lath_config_vpc *vpc)
{
	struct lath_config_node member;

	vpc->acl = LATH_CONFIG_NONE;
	if (!lath_config_member(node, "networkAclIdentifier", &member))
		return 0;
	return lath_config_refer(node, member.key, LATH_CONFIG_KIND_ACL, vpc->identity.account,
			&vpc->acl);
}

int
lath_config_read_gate(const struct lath_config_node *node,
		struct lath_config_vpc_association *association)
{
	struct lath_config_node list;
	int rc = lath_config_read_list(node, "securityGroupIds", 0, LATH_CONFIG_GROUPS_PER_GATE_MAX,
			&list);

	association->priority = LATH_CONFIG_PATH_PRIORITY;
	for (size_t i = 0; rc == 0 && i < json_array_size(list.json); i++) {
		struct lath_config_node element = lath_config_element(&list, i);
		uint32_t *group = &association->security_groups[i];

		rc = lath_config_refer_to(&element, LATH_CONFIG_KIND_SECURITY_GROUP,
				association->identity.account, group);
		for (size_t j = 0; rc == 0 && j < i; j++) {
			if (association->security_groups[j] == *group)
				rc = lath_config_fail(&element, "this is already element %zu", j);
		}
		association->security_group_count++;
	}
	if (rc != 0)
		return rc;
	return lath_config_read_u32(node, "priority", 1, UINT16_MAX, &association->priority);
}
