/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Names, ids and ARNs. An id that is not given is the kind's prefix and the first 17 hex digits
 * (68 bits) of SHA-256 over "account\nkind\nparent\nname": every gateway with the same files
 * derives the same ids, and no state is needed for it.
 *
 * Three indexes per kind answer everything: ids, names by scope (an account, or the parent of a
 * listener or rule) and plain names for references from another account. The first two keep where
 * the object was written, because "the same thing twice" names both places.
 */

#include <openssl/sha.h>

#include "config_private.h"

#define ID_TAIL 17u /* service model 1.0 */

struct kind {
	const char *noun;
	const char *word; /* in ids and ARNs */
	const char *prefix;
	uint8_t name_min; /* service model 1.1 to 1.5 */
	uint8_t name_max;
	const char *reserved; /* a name may not begin with it; NULL: no rule */
};

static const struct kind kinds[LATH_CONFIG_KIND_COUNT] = {
		[LATH_CONFIG_KIND_VPC] = {"VPC", "vpc", "vpc-", 1, 63, NULL},
		[LATH_CONFIG_KIND_NETWORK] = {"service network", "servicenetwork", "sn-", 3, 63,
				NULL},
		[LATH_CONFIG_KIND_VPC_ASSOCIATION] = {"VPC association",
				"servicenetworkvpcassociation", "snva-", 3, 128, NULL},
		[LATH_CONFIG_KIND_SERVICE_ASSOCIATION] = {"service association",
				"servicenetworkserviceassociation", "snsa-", 3, 128, NULL},
		[LATH_CONFIG_KIND_SERVICE] = {"service", "service", "svc-", 3, 40, "svc-"},
		[LATH_CONFIG_KIND_LISTENER] = {"listener", "listener", "listener-", 3, 63,
				"listener-"},
		[LATH_CONFIG_KIND_RULE] = {"rule", "rule", "rule-", 3, 63, "rule-"},
		[LATH_CONFIG_KIND_GROUP] = {"target group", "targetgroup", "tg-", 3, 128, "tg-"},
		[LATH_CONFIG_KIND_SECURITY_GROUP] = {"security group", "security-group", "sg-", 1,
				128, "sg-"},
		[LATH_CONFIG_KIND_ACL] = {"network ACL", "network-acl", "acl-", 1, 128, "acl-"},
};

void
lath_config_sha256(const char *text, size_t len, char hex[65])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)text, len, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static bool
is_id(const struct kind *kind, const char *text)
{
	size_t prefix = strlen(kind->prefix);
	bool vpc = kind == &kinds[LATH_CONFIG_KIND_VPC];
	const char *letters = vpc ? "0123456789abcdef" : "0123456789abcdefghijklmnopqrstuvwxyz";

	if (strncmp(text, kind->prefix, prefix) != 0)
		return false;
	text += prefix;
	/* VPCs from before 2018 have 8 digits. */
	return (strlen(text) == ID_TAIL || (vpc && strlen(text) == 8)) &&
			strspn(text, letters) == strlen(text);
}

static uint64_t
id_key(const char *id)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	uint64_t key = 0;

	SHA256((const unsigned char *)id, strlen(id), digest);
	for (unsigned i = 0; i < sizeof(key); i++)
		key = key << 8 | digest[i];
	return key;
}

static void
derive_id(const struct lath_config_naming *naming, struct lath_config_identity *identity)
{
	const struct kind *kind = &kinds[naming->kind];
	const char *parent = naming->parent != NULL ? naming->parent->id : naming->scope;
	char text[16 + 64 + 2 * LATH_CONFIG_ID_MAX + LATH_CONFIG_NAME_MAX];
	char hex[65];

	snprintf(text, sizeof(text), "%s\n%s\n%s\n%s", identity->account, kind->word,
			parent == NULL ? "" : parent, identity->name);
	lath_config_sha256(text, strlen(text), hex);
	snprintf(identity->id, sizeof(identity->id), "%s%.*s", kind->prefix, (int)ID_TAIL, hex);
}

static bool
is_ec2(enum lath_config_kind kind)
{
	return kind == LATH_CONFIG_KIND_VPC || kind == LATH_CONFIG_KIND_SECURITY_GROUP ||
			kind == LATH_CONFIG_KIND_ACL;
}

/* ARN and hashing key from all the rest. */
static void
complete(const struct lath_config *cfg, const struct lath_config_naming *naming,
		struct lath_config_identity *identity)
{
	const struct lath_config_gateway *gateway = &cfg->gateway;
	const struct kind *kind = &kinds[naming->kind];

	identity->key = id_key(identity->id);
	if (naming->parent != NULL)
		snprintf(identity->arn, sizeof(identity->arn), "%.190s/%s/%s", naming->parent->arn,
				kind->word, identity->id);
	else
		snprintf(identity->arn, sizeof(identity->arn), "arn:%s:%s:%s:%s:%s/%s",
				gateway->partition, is_ec2(naming->kind) ? "ec2" : "vpc-lattice",
				gateway->region, identity->account, kind->word, identity->id);
}

void
lath_config_derive(const struct lath_config *cfg, const struct lath_config_naming *naming,
		struct lath_config_identity *identity)
{
	snprintf(identity->name, sizeof(identity->name), "%s", naming->name);
	snprintf(identity->account, sizeof(identity->account), "%s", naming->parent->account);
	derive_id(naming, identity);
	complete(cfg, naming, identity);
}

int
lath_config_read_account(const struct lath_config_node *node, char account[16])
{
	struct lath_config_node member;
	char value[LATH_CONFIG_VALUE_MAX];
	const char *text;

	if (!lath_config_member(node, "account", &member)) {
		memcpy(account, node->loader->cfg->gateway.account, 16);
		return 0;
	}
	text = json_string_value(member.json);
	if (text == NULL || strlen(text) != 12 || strspn(text, "0123456789") != 12)
		return lath_config_fail(&member, "%s is not an account of 12 digits",
				lath_config_value(member.json, value));
	memcpy(account, text, 13);
	return 0;
}

/* Small letters, digits and single hyphens inside (service model 1.1). */
static bool
is_name(const char *text)
{
	size_t len = strlen(text);

	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && len > 0 &&
			text[0] != '-' && text[len - 1] != '-' && strstr(text, "--") == NULL;
}

static int
read_name(const struct lath_config_node *node, const struct lath_config_naming *naming, char *name)
{
	const struct kind *kind = &kinds[naming->kind];
	struct lath_config_node member;

	if (!lath_config_member(node, "name", &member) && naming->name != NULL) {
		snprintf(name, LATH_CONFIG_NAME_MAX, "%s", naming->name);
		return 0;
	}
	if (lath_config_need(node, "name", &member) != 0 ||
			lath_config_read_text(node, "name", kind->name_min, kind->name_max, name) !=
					0)
		return lath_err(EINVAL);
	if (!is_name(name))
		return lath_config_fail(&member,
				"\"%s\" is not a name of a-z, 0-9 and single hyphens inside", name);
	if (kind->reserved != NULL && strncmp(name, kind->reserved, strlen(kind->reserved)) == 0)
		return lath_config_fail(&member,
				"\"%s\": the name of a %s cannot begin with \"%s\"", name,
				kind->noun, kind->reserved);
	if (is_id(kind, name))
		return lath_config_fail(&member, "\"%s\" looks like an id and cannot be a name",
				name);
	return 0;
}

static int
read_id(const struct lath_config_node *node, const struct lath_config_naming *naming,
		struct lath_config_identity *identity)
{
	const struct kind *kind = &kinds[naming->kind];
	struct lath_config_node member;
	char value[LATH_CONFIG_VALUE_MAX];
	const char *text;

	if (!lath_config_member(node, "id", &member)) {
		derive_id(naming, identity);
		return 0;
	}
	text = json_string_value(member.json);
	if (text == NULL || !is_id(kind, text))
		return lath_config_fail(&member, "%s is not \"%s\" and 17 %s",
				lath_config_value(member.json, value), kind->prefix,
				naming->kind == LATH_CONFIG_KIND_VPC ? "hex digits"
								     : "characters of 0-9 and a-z");
	snprintf(identity->id, sizeof(identity->id), "%s", text);
	return 0;
}

/* Enters `key` into an index; refuses it when it is there, naming both places. */
static int
enter(const struct lath_config_node *node, json_t *map, const char *key, uint32_t index,
		const char *what)
{
	struct lath_config_loader *loader = node->loader;
	struct lath_config_at at = lath_config_at_node(node);
	const char *old = json_string_value(json_object_get(map, key));
	char place[LATH_CONFIG_PLACE_MAX];
	unsigned first_index;

	if (old == NULL) {
		json_t *entry = json_sprintf("%u %u %s", index, at.file, at.pointer);

		return json_object_set_new(map, key, entry) == 0 ? 0
								 : lath_config_no_memory(loader);
	}
	if (sscanf(old, "%u %u %255s", &first_index, &at.file, at.pointer) != 3)
		at.pointer[0] = '\0';
	return lath_config_fail(node, "%s is used twice; the first is at %s", what,
			lath_config_place_text(loader, &at, place));
}

static int
enter_plain(struct lath_config_loader *loader, enum lath_config_kind kind, const char *name,
		uint32_t index)
{
	bool other = json_object_get(loader->plain[kind], name) != NULL;

	if (json_object_set_new(loader->plain[kind], name,
			    json_integer(other ? -1 : (json_int_t)index)) != 0)
		return lath_config_no_memory(loader);
	return 0;
}

static int
enter_all(const struct lath_config_node *node, const struct lath_config_naming *naming,
		uint32_t index, const struct lath_config_identity *identity)
{
	struct lath_config_loader *loader = node->loader;
	const char *noun = kinds[naming->kind].noun;
	char key[LATH_CONFIG_ID_MAX + LATH_CONFIG_NAME_MAX + 1];
	char what[LATH_CONFIG_NAME_MAX + 64];
	int rc = 0;

	snprintf(key, sizeof(key), "%s/%s",
			naming->parent != NULL ? naming->parent->id : identity->account,
			identity->name);
	snprintf(what, sizeof(what), "%s name \"%s\"", noun, identity->name);
	/* Associations are known by what they join: names made up for them may be equal. */
	if (naming->scope == NULL || json_object_get(node->json, "name") != NULL)
		rc = enter(node, loader->names[naming->kind], key, index, what);
	snprintf(what, sizeof(what), "%s id \"%s\"", noun, identity->id);
	if (rc == 0)
		rc = enter(node, loader->ids[naming->kind], identity->id, index, what);
	if (rc == 0 && naming->parent == NULL)
		rc = enter_plain(loader, naming->kind, identity->name, index);
	return rc;
}

int
lath_config_identify(const struct lath_config_node *node, const struct lath_config_naming *naming,
		uint32_t index, struct lath_config_identity *identity)
{
	int rc = read_name(node, naming, identity->name);

	if (rc == 0 && naming->parent != NULL)
		memcpy(identity->account, naming->parent->account, sizeof(identity->account));
	else if (rc == 0)
		rc = lath_config_read_account(node, identity->account);
	if (rc == 0)
		rc = read_id(node, naming, identity);
	if (rc != 0)
		return rc;
	complete(node->loader->cfg, naming, identity);
	return enter_all(node, naming, index, identity);
}
