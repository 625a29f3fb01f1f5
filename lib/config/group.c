/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "config_private.h"

#define TARGET_WEIGHT_MAX 999u
#define DELAY_MAX_S 3600u

/* Values that Lattice knows and Lath does not carry get a sentence, not "unknown". */
static int
refuse_later(const struct lath_config_node *object, const char *key, const char *const *later,
		size_t later_count, const char *why)
{
	struct lath_config_node member;

	if (!lath_config_member(object, key, &member) || !json_is_string(member.json))
		return 0;
	for (size_t i = 0; i < later_count; i++) {
		if (strcmp(json_string_value(member.json), later[i]) == 0)
			return lath_config_fail(&member, "\"%s\" %s", later[i], why);
	}
	return 0;
}

int
lath_config_read_protocol(const struct lath_config_node *object, enum lath_config_protocol *out)
{
	static const char *const protocols[LATH_CONFIG_PROTOCOL_COUNT] = {"TCP", "UDP"};
	static const char *const later[] = {"HTTP", "HTTPS", "TLS_PASSTHROUGH", "TLS"};
	struct lath_config_node member;
	unsigned protocol = LATH_CONFIG_TCP;

	if (lath_config_need(object, "protocol", &member) != 0 ||
			refuse_later(object, "protocol", later, LATH_ARRAY_SIZE(later),
					"needs a proxy, which comes with a later release; \"TCP\" "
					"and \"UDP\" "
					"are accepted") != 0 ||
			lath_config_read_word(object, "protocol", protocols,
					LATH_CONFIG_PROTOCOL_COUNT, &protocol) != 0)
		return lath_err(EINVAL);
	*out = (enum lath_config_protocol)protocol;
	return 0;
}

static int
read_type(const struct lath_config_node *node)
{
	static const char *const types[] = {"IP"};
	static const char *const later[] = {"INSTANCE", "LAMBDA", "ALB"};
	unsigned type = 0;

	if (refuse_later(node, "type", later, LATH_ARRAY_SIZE(later),
			    "exists in a cloud only; register the addresses with type \"IP\"") != 0)
		return lath_err(EINVAL);
	return lath_config_read_word(node, "type", types, LATH_ARRAY_SIZE(types), &type);
}

static int
read_family(const struct lath_config_node *config, struct lath_config_group *group)
{
	static const char *const families[] = {"IPV4", "IPV6"};
	unsigned family = 0;

	if (lath_config_read_word(config, "ipAddressType", families, LATH_ARRAY_SIZE(families),
			    &family) != 0)
		return lath_err(EINVAL);
	group->family = family == 0 ? LATH_FAMILY_IPV4 : LATH_FAMILY_IPV6;
	return 0;
}

static int
read_config(const struct lath_config_node *node, struct lath_config_group *group)
{
	static const char *const keys[] = {
			"port", "protocol", "vpcIdentifier", "ipAddressType", "healthCheck"};
	struct lath_config_node config;
	struct lath_config_node member;

	if (lath_config_need(node, "config", &config) != 0 ||
			lath_config_read_keys(&config, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_need(&config, "port", &member) != 0 ||
			lath_config_read_u16(&config, "port", 1, UINT16_MAX, &group->port) != 0 ||
			lath_config_read_protocol(&config, &group->protocol) != 0 ||
			lath_config_refer(&config, "vpcIdentifier", LATH_CONFIG_KIND_VPC,
					group->identity.account, &group->vpc) != 0 ||
			read_family(&config, group) != 0)
		return lath_err(EINVAL);
	return lath_config_read_health(&config, group);
}

static int
read_target(const struct lath_config_node *node, const struct lath_config_group *group,
		struct lath_config_target *target)
{
	static const char *const keys[] = {"id", "port", "weight"};
	struct lath_config_at at = lath_config_at_node(node);
	struct lath_config_node id;

	target->port = group->port;
	target->weight = 1;
	snprintf(target->pointer, sizeof(target->pointer), "%.127s", at.pointer);
	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_need(node, "id", &id) != 0 ||
			lath_config_read_host(&id, &target->ip) != 0 ||
			lath_config_read_u16(node, "port", 1, UINT16_MAX, &target->port) != 0)
		return lath_err(EINVAL);
	if (target->ip.family != group->family)
		return lath_config_fail(&id,
				"\"%s\" is not of the group's ipAddressType, which is \"%s\"",
				json_string_value(id.json),
				group->family == LATH_FAMILY_IPV4 ? "IPV4" : "IPV6");
	return lath_config_read_u32(node, "weight", 0, TARGET_WEIGHT_MAX, &target->weight);
}

static int
enter_target(const struct lath_config_node *node, json_t *seen, size_t index,
		const struct lath_config_target *target)
{
	char text[LATH_IP_TEXT_MAX];
	char key[LATH_IP_TEXT_MAX + 8];
	json_t *old;

	snprintf(key, sizeof(key), "%s:%u", lath_ip_format(&target->ip, text), target->port);
	old = json_object_get(seen, key);
	if (old != NULL)
		return lath_config_fail(node, "%s is already target %lld of this group", key,
				(long long)json_integer_value(old));
	return json_object_set_new(seen, key, json_integer((json_int_t)index)) == 0
			? 0
			: lath_config_no_memory(node->loader);
}

static int
read_target_list(const struct lath_config_node *list, struct lath_config_group *group, json_t *seen)
{
	size_t size = json_array_size(list->json);

	for (size_t i = 0; i < size; i++) {
		struct lath_config_node element = lath_config_element(list, i);
		struct lath_config_target *target = &group->targets[i];
		int rc = read_target(&element, group, target);

		if (rc == 0)
			rc = enter_target(&element, seen, i, target);
		if (rc != 0)
			return rc;
		group->target_count++;
	}
	return 0;
}

static int
read_targets(const struct lath_config_node *node, struct lath_config_group *group)
{
	struct lath_config_loader *loader = node->loader;
	uint32_t max = loader->cfg->system.max_targets;
	struct lath_config_node list;
	json_t *seen;
	int rc = lath_config_read_list(node, "targets", 0, UINT32_MAX, &list);
	size_t size = json_array_size(list.json);

	if (rc != 0 || size == 0)
		return rc;
	if (size > max - loader->target_count)
		return lath_config_fail(&list,
				"more targets in all than system/memory/maxTargets, %u", max);
	loader->target_count += (uint32_t)size;
	group->targets = calloc(size, sizeof(*group->targets));
	seen = json_object();
	if (group->targets == NULL || seen == NULL)
		rc = lath_config_no_memory(loader);
	else
		rc = read_target_list(&list, group, seen);
	json_decref(seen);
	return rc;
}

static int
read_group(const struct lath_config_node *node, uint32_t index)
{
	static const char *const keys[] = {"name", "account", "id", "type", "config", "targets",
			"deregistrationDelaySeconds", "connectionTermination"};
	static const struct lath_config_naming naming = {.kind = LATH_CONFIG_KIND_GROUP};
	struct lath_config_group *group = &node->loader->cfg->groups[index];

	group->deregistration_delay_s = 60;
	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_identify(node, &naming, index, &group->identity) != 0 ||
			read_type(node) != 0 || read_config(node, group) != 0 ||
			read_targets(node, group) != 0 ||
			lath_config_read_u32(node, "deregistrationDelaySeconds", 0, DELAY_MAX_S,
					&group->deregistration_delay_s) != 0)
		return lath_err(EINVAL);
	return lath_config_read_bool(node, "connectionTermination", &group->connection_termination);
}

int
lath_config_read_groups(struct lath_config_loader *loader)
{
	const enum lath_config_list list = LATH_CONFIG_LIST_GROUPS;
	struct lath_config *cfg = loader->cfg;
	uint32_t count = loader->counts[list];

	if (count > cfg->system.max_groups) {
		struct lath_config_at at = lath_config_at_list(loader, list, cfg->system.max_groups,
				"%s", "");

		return lath_config_fail_at(loader, &at,
				"more target groups than system/memory/maxTargetGroups, %u",
				cfg->system.max_groups);
	}
	cfg->groups = calloc(count + 1, sizeof(*cfg->groups));
	if (cfg->groups == NULL)
		return lath_config_no_memory(loader);
	cfg->group_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct lath_config_node node = lath_config_list_node(loader, list, i);

		if (read_group(&node, i) != 0)
			return lath_err(EINVAL);
	}
	return 0;
}
