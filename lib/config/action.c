/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What a rule or a listener's default does: forward to one or more target groups. */

#include "config_private.h"

#define FORWARD_WEIGHT_MAX 999u
#define FORWARD_WEIGHT_DEFAULT 100u /* service model 1.4 */

static int
check_group(const struct lath_config_node *node, enum lath_config_protocol protocol,
		const struct lath_config_rule *rule, uint32_t group)
{
	static const char *const words[LATH_CONFIG_PROTOCOL_COUNT] = {"TCP", "UDP"};
	const struct lath_config *cfg = node->loader->cfg;
	const struct lath_config_group *named = &cfg->groups[group];

	if (named->protocol != protocol)
		return lath_config_fail(node,
				"target group \"%s\" is %s and cannot serve a %s listener; both "
				"must be of "
				"one protocol",
				named->identity.name, words[named->protocol], words[protocol]);
	for (uint32_t i = 0; i < rule->forward_count; i++) {
		if (rule->forwards[i].group == group)
			return lath_config_fail(node, "target group \"%s\" is already element %u",
					named->identity.name, i);
	}
	return 0;
}

static int
read_forward_to(const struct lath_config_node *node, const char *account, bool alone,
		enum lath_config_protocol protocol, struct lath_config_rule *rule)
{
	static const char *const keys[] = {"targetGroupIdentifier", "weight"};
	struct lath_config_forward forward = {.weight = FORWARD_WEIGHT_DEFAULT};
	struct lath_config_node member;

	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_refer(node, keys[0], LATH_CONFIG_KIND_GROUP, account,
					&forward.group) != 0 ||
			check_group(node, protocol, rule, forward.group) != 0)
		return lath_err(EINVAL);
	if (!alone && !lath_config_member(node, "weight", &member))
		return lath_config_fail(node,
				"\"weight\" is missing; it is needed where more than one group is "
				"named");
	if (lath_config_read_u32(node, "weight", 0, FORWARD_WEIGHT_MAX, &forward.weight) != 0)
		return lath_err(EINVAL);
	rule->forwards[rule->forward_count++] = forward;
	return 0;
}

static int
read_forward(const struct lath_config_node *node, const char *account,
		enum lath_config_protocol protocol, struct lath_config_rule *rule)
{
	static const char *const keys[] = {"targetGroups"};
	struct lath_config_node list;
	uint32_t weights = 0;
	size_t size;

	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_need(node, keys[0], &list) != 0 ||
			lath_config_read_list(node, keys[0], 1, LATH_CONFIG_GROUPS_PER_ACTION_MAX,
					&list) != 0)
		return lath_err(EINVAL);
	size = json_array_size(list.json);
	for (size_t i = 0; i < size; i++) {
		struct lath_config_node element = lath_config_element(&list, i);

		if (read_forward_to(&element, account, size == 1, protocol, rule) != 0)
			return lath_err(EINVAL);
		weights += rule->forwards[i].weight;
	}
	if (weights == 0)
		return lath_config_fail(&list, "all weights are 0, so no group could be chosen");
	return 0;
}

int
lath_config_read_action(const struct lath_config_node *action, const char *account,
		enum lath_config_protocol protocol, struct lath_config_rule *rule)
{
	static const char *const keys[] = {"forward"};
	struct lath_config_node member;

	if (lath_config_member(action, "fixedResponse", &member))
		return lath_config_fail(&member,
				"\"fixedResponse\" needs an HTTP listener, which comes with a "
				"later release; "
				"\"forward\" is accepted");
	if (lath_config_read_keys(action, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_need(action, keys[0], &member) != 0)
		return lath_err(EINVAL);
	return read_forward(&member, account, protocol, rule);
}
