/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* References: by id, by ARN, or by name, where the referring object's own account goes first and
 * any other account's name serves when only one has it.
 */

#include "config_private.h"

static const char *const nouns[LATH_CONFIG_KIND_COUNT] = {
		[LATH_CONFIG_KIND_VPC] = "VPC",
		[LATH_CONFIG_KIND_NETWORK] = "service network",
		[LATH_CONFIG_KIND_VPC_ASSOCIATION] = "VPC association",
		[LATH_CONFIG_KIND_SERVICE_ASSOCIATION] = "service association",
		[LATH_CONFIG_KIND_SERVICE] = "service",
		[LATH_CONFIG_KIND_LISTENER] = "listener",
		[LATH_CONFIG_KIND_RULE] = "rule",
		[LATH_CONFIG_KIND_GROUP] = "target group",
		[LATH_CONFIG_KIND_SECURITY_GROUP] = "security group",
		[LATH_CONFIG_KIND_ACL] = "network ACL",
};

/* Objects that something refers to; NULL for the other kinds. */
static const struct lath_config_identity *
identity_of(const struct lath_config *cfg, enum lath_config_kind kind, uint32_t index)
{
	switch (kind) {
	case LATH_CONFIG_KIND_VPC:
		return &cfg->vpcs[index].identity;
	case LATH_CONFIG_KIND_NETWORK:
		return &cfg->networks[index].identity;
	case LATH_CONFIG_KIND_SERVICE:
		return &cfg->services[index].identity;
	case LATH_CONFIG_KIND_GROUP:
		return &cfg->groups[index].identity;
	case LATH_CONFIG_KIND_SECURITY_GROUP:
		return &cfg->security_groups[index].identity;
	case LATH_CONFIG_KIND_ACL:
		return &cfg->acls[index].identity;
	case LATH_CONFIG_KIND_VPC_ASSOCIATION:
	case LATH_CONFIG_KIND_SERVICE_ASSOCIATION:
	case LATH_CONFIG_KIND_LISTENER:
	case LATH_CONFIG_KIND_RULE:
	case LATH_CONFIG_KIND_COUNT:
		break;
	}
	return NULL;
}

/* The index at the head of an entry of ids or names; false when there is none. */
static bool
find_entry(json_t *map, const char *key, uint32_t *index)
{
	const char *entry = json_string_value(json_object_get(map, key));

	if (entry == NULL)
		return false;
	*index = (uint32_t)strtoul(entry, NULL, 10);
	return true;
}

/* An ARN names the object by its last part; all of it must be right. */
static bool
find_arn(const struct lath_config_loader *loader, enum lath_config_kind kind, const char *arn,
		uint32_t *index)
{
	const char *slash = strrchr(arn, '/');
	uint32_t found;

	if (slash == NULL || !find_entry(loader->ids[kind], slash + 1, &found) ||
			strcmp(identity_of(loader->cfg, kind, found)->arn, arn) != 0)
		return false;
	*index = found;
	return true;
}

static int
fail_unknown(const struct lath_config_node *member, enum lath_config_kind kind)
{
	struct lath_config_near near = {.word = json_string_value(member->json)};
	char near_text[LATH_CONFIG_NEAR_TEXT_MAX];
	const char *name;
	json_t *value;

	json_object_foreach(member->loader->plain[kind], name, value)
		lath_config_near_offer(&near, name);
	return lath_config_fail(member, "no %s is named \"%.128s\" or has it as id or ARN%s",
			nouns[kind], near.word, lath_config_near_text(&near, near_text));
}

int
lath_config_refer_to(const struct lath_config_node *member, enum lath_config_kind kind,
		const char *account, uint32_t *out)
{
	const struct lath_config_loader *loader = member->loader;
	char scoped[16 + LATH_CONFIG_NAME_MAX + 1];
	const char *text;
	char value[LATH_CONFIG_VALUE_MAX];
	json_t *plain;

	text = json_string_value(member->json);
	if (text == NULL)
		return lath_config_fail(member, "%s is not a name, id or ARN of a %s",
				lath_config_value(member->json, value), nouns[kind]);
	if (find_entry(loader->ids[kind], text, out) || find_arn(loader, kind, text, out))
		return 0;
	if (strlen(text) < LATH_CONFIG_NAME_MAX) {
		snprintf(scoped, sizeof(scoped), "%s/%s", account, text);
		if (find_entry(loader->names[kind], scoped, out))
			return 0;
	}
	plain = json_object_get(loader->plain[kind], text);
	if (plain == NULL)
		return fail_unknown(member, kind);
	if (json_integer_value(plain) < 0)
		return lath_config_fail(member,
				"more than one other account has a %s named \"%.128s\"; give its "
				"id or ARN",
				nouns[kind], text);
	*out = (uint32_t)json_integer_value(plain);
	return 0;
}

int
lath_config_refer(const struct lath_config_node *object, const char *key,
		enum lath_config_kind kind, const char *account, uint32_t *out)
{
	struct lath_config_node member;

	if (lath_config_need(object, key, &member) != 0)
		return lath_err(EINVAL);
	return lath_config_refer_to(&member, kind, account, out);
}
