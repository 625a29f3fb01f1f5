/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Service networks and their associations with VPCs and services. */

#include "config_private.h"

#define NETWORKS_MAX 65535u
#define ASSOCIATIONS_MAX 1048576u

static int
check_count(struct lath_config_loader *loader, enum lath_config_list list, uint32_t max)
{
	struct lath_config_at at;

	if (loader->counts[list] <= max)
		return 0;
	at = lath_config_at_list(loader, list, max, "%s", "");
	return lath_config_fail_at(loader, &at, "\"%s\" has more than %u elements",
			lath_config_list_keys[list], max);
}

int
lath_config_read_networks(struct lath_config_loader *loader)
{
	static const char *const keys[] = {"name", "account", "id", "authType", "authPolicy"};
	static const struct lath_config_naming naming = {.kind = LATH_CONFIG_KIND_NETWORK};
	const enum lath_config_list list = LATH_CONFIG_LIST_NETWORKS;
	struct lath_config *cfg = loader->cfg;
	uint32_t count = loader->counts[list];

	if (check_count(loader, list, NETWORKS_MAX) != 0)
		return lath_err(EINVAL);
	cfg->networks = calloc(count + 1, sizeof(*cfg->networks));
	if (cfg->networks == NULL)
		return lath_config_no_memory(loader);
	cfg->network_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct lath_config_node node = lath_config_list_node(loader, list, i);

		if (lath_config_read_keys(&node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
				lath_config_identify(&node, &naming, i,
						&cfg->networks[i].identity) != 0 ||
				lath_config_read_auth(&node, &cfg->networks[i].auth) != 0)
			return lath_err(EINVAL);
	}
	return 0;
}

/* Both kinds of association: a network and one more thing. */
struct pair {
	enum lath_config_kind kind;
	enum lath_config_kind other_kind;
	const char *other_key;
	uint32_t network;
	uint32_t other;
	struct lath_config_identity identity;
};

static const struct lath_config_identity *
other_identity(const struct lath_config *cfg, const struct pair *pair)
{
	return pair->other_kind == LATH_CONFIG_KIND_VPC ? &cfg->vpcs[pair->other].identity
							: &cfg->services[pair->other].identity;
}

/* The same two things joined twice, in whatever words. */
static int
check_pair(const struct lath_config_node *node, json_t *seen, const struct pair *pair)
{
	struct lath_config_at at = lath_config_at_node(node);
	char place[LATH_CONFIG_PLACE_MAX];
	char key[32];
	const char *old;
	json_t *entry;

	snprintf(key, sizeof(key), "%u/%u", pair->network, pair->other);
	old = json_string_value(json_object_get(seen, key));
	if (old != NULL) {
		if (sscanf(old, "%u %255s", &at.file, at.pointer) != 2)
			at.pointer[0] = '\0';
		return lath_config_fail(node,
				"this association is written twice; the first is at %s",
				lath_config_place_text(node->loader, &at, place));
	}
	entry = json_sprintf("%u %s", at.file, at.pointer);
	return json_object_set_new(seen, key, entry) == 0 ? 0 : lath_config_no_memory(node->loader);
}

static int
read_pair(const struct lath_config_node *node, uint32_t index, json_t *seen, struct pair *pair)
{
	const char *const keys[] = {"name", "account", "id", "serviceNetworkIdentifier",
			pair->other_key, "securityGroupIds", "priority"};
	/* Only a VPC's association says who may call by it, and in which order. */
	const size_t key_count = pair->other_kind == LATH_CONFIG_KIND_VPC ? 7 : 5;
	const struct lath_config *cfg = node->loader->cfg;
	const struct lath_config_identity *network;
	const struct lath_config_identity *other;
	char name[2 * LATH_CONFIG_NAME_MAX];
	char scope[2 * LATH_CONFIG_ID_MAX];
	struct lath_config_naming naming = {.kind = pair->kind, .name = name, .scope = scope};
	char account[16];

	if (lath_config_read_keys(node, keys, key_count) != 0 ||
			lath_config_read_account(node, account) != 0 ||
			lath_config_refer(node, keys[3], LATH_CONFIG_KIND_NETWORK, account,
					&pair->network) != 0 ||
			lath_config_refer(node, pair->other_key, pair->other_kind, account,
					&pair->other) != 0 ||
			check_pair(node, seen, pair) != 0)
		return lath_err(EINVAL);
	network = &cfg->networks[pair->network].identity;
	other = other_identity(cfg, pair);
	snprintf(name, sizeof(name), "%s-%s", network->name, other->name);
	snprintf(scope, sizeof(scope), "%s/%s", network->id, other->id);
	return lath_config_identify(node, &naming, index, &pair->identity);
}

static int
read_vpc_associations(struct lath_config_loader *loader, json_t *seen)
{
	const enum lath_config_list list = LATH_CONFIG_LIST_VPC_ASSOCIATIONS;
	struct lath_config *cfg = loader->cfg;
	uint32_t count = loader->counts[list];

	cfg->vpc_associations = calloc(count + 1, sizeof(*cfg->vpc_associations));
	if (cfg->vpc_associations == NULL)
		return lath_config_no_memory(loader);
	for (uint32_t i = 0; i < count; i++) {
		struct lath_config_node node = lath_config_list_node(loader, list, i);
		struct pair pair = {.kind = LATH_CONFIG_KIND_VPC_ASSOCIATION,
				.other_kind = LATH_CONFIG_KIND_VPC,
				.other_key = "vpcIdentifier"};
		int rc = read_pair(&node, i, seen, &pair);

		if (rc != 0)
			return rc;
		cfg->vpc_associations[i] = (struct lath_config_vpc_association){
				.identity = pair.identity,
				.network = pair.network,
				.vpc = pair.other,
		};
		rc = lath_config_read_gate(&node, &cfg->vpc_associations[i]);
		if (rc != 0)
			return rc;
	}
	cfg->vpc_association_count = count;
	return 0;
}

static int
read_service_associations(struct lath_config_loader *loader, json_t *seen)
{
	const enum lath_config_list list = LATH_CONFIG_LIST_SERVICE_ASSOCIATIONS;
	struct lath_config *cfg = loader->cfg;
	uint32_t count = loader->counts[list];

	cfg->service_associations = calloc(count + 1, sizeof(*cfg->service_associations));
	if (cfg->service_associations == NULL)
		return lath_config_no_memory(loader);
	for (uint32_t i = 0; i < count; i++) {
		struct lath_config_node node = lath_config_list_node(loader, list, i);
		struct pair pair = {.kind = LATH_CONFIG_KIND_SERVICE_ASSOCIATION,
				.other_kind = LATH_CONFIG_KIND_SERVICE,
				.other_key = "serviceIdentifier"};
		int rc = read_pair(&node, i, seen, &pair);

		if (rc != 0)
			return rc;
		cfg->service_associations[i] = (struct lath_config_service_association){
				pair.identity, pair.network, pair.other};
	}
	cfg->service_association_count = count;
	return 0;
}

int
lath_config_read_associations(struct lath_config_loader *loader)
{
	json_t *vpcs = json_object();
	json_t *services = json_object();
	int rc = 0;

	if (vpcs == NULL || services == NULL)
		rc = lath_config_no_memory(loader);
	if (rc == 0)
		rc = check_count(loader, LATH_CONFIG_LIST_VPC_ASSOCIATIONS, ASSOCIATIONS_MAX);
	if (rc == 0)
		rc = check_count(loader, LATH_CONFIG_LIST_SERVICE_ASSOCIATIONS, ASSOCIATIONS_MAX);
	if (rc == 0)
		rc = read_vpc_associations(loader, vpcs);
	if (rc == 0)
		rc = read_service_associations(loader, services);
	json_decref(vpcs);
	json_decref(services);
	return rc;
}
