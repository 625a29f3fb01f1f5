/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "config_private.h"

const char *const lath_config_list_keys[LATH_CONFIG_LIST_COUNT] = {
		[LATH_CONFIG_LIST_SERVICE_CIDRS] = "serviceCidrs",
		[LATH_CONFIG_LIST_UNDERLAYS] = "underlays",
		[LATH_CONFIG_LIST_VPCS] = "vpcs",
		[LATH_CONFIG_LIST_SECURITY_GROUPS] = "securityGroups",
		[LATH_CONFIG_LIST_ACLS] = "networkAcls",
		[LATH_CONFIG_LIST_NETWORKS] = "serviceNetworks",
		[LATH_CONFIG_LIST_VPC_ASSOCIATIONS] = "vpcAssociations",
		[LATH_CONFIG_LIST_SERVICE_ASSOCIATIONS] = "serviceAssociations",
		[LATH_CONFIG_LIST_SERVICES] = "services",
		[LATH_CONFIG_LIST_GROUPS] = "targetGroups",
};

const char *const lath_config_section_keys[LATH_CONFIG_SECTION_COUNT] = {
		[LATH_CONFIG_SECTION_SYSTEM] = "system",
		[LATH_CONFIG_SECTION_GATEWAY] = "gateway",
		[LATH_CONFIG_SECTION_TIMEOUTS] = "timeouts",
		[LATH_CONFIG_SECTION_LIMITS] = "limits",
};

static const char *const top_keys[] = {
		"formatVersion",
		"include",
		"system",
		"gateway",
		"timeouts",
		"limits",
		"serviceCidrs",
		"underlays",
		"vpcs",
		"securityGroups",
		"networkAcls",
		"serviceNetworks",
		"vpcAssociations",
		"serviceAssociations",
		"services",
		"targetGroups",
};

/* Required in the first file; the others may repeat it. */
static int
check_version(const struct lath_config_node *root)
{
	struct lath_config_node member;
	uint32_t version = 1;

	if (root->file == 0 && lath_config_need(root, "formatVersion", &member) != 0)
		return lath_err(EINVAL);
	return lath_config_read_u32(root, "formatVersion", 1, 1, &version);
}

static int
join_sections(const struct lath_config_node *root)
{
	struct lath_config_loader *loader = root->loader;

	for (int i = 0; i < LATH_CONFIG_SECTION_COUNT; i++) {
		struct lath_config_at first = {.file = loader->sections[i]};
		struct lath_config_node member;
		char place[LATH_CONFIG_PLACE_MAX];

		if (!lath_config_member(root, lath_config_section_keys[i], &member))
			continue;
		if (first.file != LATH_CONFIG_NONE) {
			snprintf(first.pointer, sizeof(first.pointer), "/%s", member.key);
			return lath_config_fail(&member,
					"\"%s\" is written twice; the first is at %s", member.key,
					lath_config_place_text(loader, &first, place));
		}
		loader->sections[i] = root->file;
	}
	return 0;
}

static int
join_list(const struct lath_config_node *root, enum lath_config_list list)
{
	struct lath_config_loader *loader = root->loader;
	struct lath_config_node member;
	struct lath_config_place *places;
	int rc = lath_config_read_list(root, lath_config_list_keys[list], 0, UINT32_MAX, &member);
	size_t size = json_array_size(member.json);

	if (rc != 0 || member.json == NULL)
		return rc;
	loader->present[list] = true;
	if (size == 0)
		return 0;
	places = realloc(loader->places[list], (loader->counts[list] + size) * sizeof(*places));
	if (places == NULL)
		return lath_config_no_memory(loader);
	loader->places[list] = places;
	for (uint32_t i = 0; i < size; i++)
		places[loader->counts[list]++] = (struct lath_config_place){root->file, i};
	return 0;
}

int
lath_config_join(struct lath_config_loader *loader)
{
	for (int i = 0; i < LATH_CONFIG_SECTION_COUNT; i++)
		loader->sections[i] = LATH_CONFIG_NONE;
	for (uint32_t i = 0; i < loader->file_count; i++) {
		struct lath_config_node root = {
				loader, NULL, NULL, SIZE_MAX, i, loader->files[i].root};
		struct lath_config_node member;
		int rc = lath_config_read_keys(&root, top_keys, LATH_ARRAY_SIZE(top_keys));

		if (rc == 0 && i > 0 && lath_config_member(&root, "include", &member))
			rc = lath_config_fail(&member, "an included file cannot include others");
		if (rc == 0)
			rc = check_version(&root);
		if (rc == 0)
			rc = join_sections(&root);
		for (int j = 0; rc == 0 && j < LATH_CONFIG_LIST_COUNT; j++)
			rc = join_list(&root, (enum lath_config_list)j);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Comments are no configuration. Every key is known by now, so the depth is bounded. */
static void
strip_remarks(json_t *json)
{
	const char *key;
	json_t *value;
	size_t index;

	json_object_del(json, "$schema"); /* Fails when absent or no object: nothing to do then. */
	json_object_del(json, "$comment");
	json_object_foreach(json, key, value)
		strip_remarks(value);
	json_array_foreach(json, index, value)
		strip_remarks(value);
}

static json_t *
joined_root(const struct lath_config_loader *loader)
{
	json_t *joined = json_object();
	int rc = json_object_set_new(joined, "formatVersion", json_integer(1));

	for (int i = 0; i < LATH_CONFIG_SECTION_COUNT; i++) {
		const char *key = lath_config_section_keys[i];
		uint32_t file = loader->sections[i];

		if (file != LATH_CONFIG_NONE)
			rc |= json_object_set(joined, key,
					json_object_get(loader->files[file].root, key));
	}
	for (int i = 0; i < LATH_CONFIG_LIST_COUNT; i++) {
		const char *key = lath_config_list_keys[i];
		json_t *list = loader->present[i] ? json_array() : NULL;

		for (uint32_t j = 0; list != NULL && j < loader->file_count; j++) {
			json_t *part = json_object_get(loader->files[j].root, key);

			if (part != NULL)
				rc |= json_array_extend(list, part);
		}
		if (loader->present[i])
			rc |= json_object_set_new(joined, key, list);
	}
	if (rc == 0)
		return joined;
	json_decref(joined);
	return lath_null(ENOMEM);
}

int
lath_config_canonical(struct lath_config_loader *loader)
{
	const size_t flags = JSON_COMPACT | JSON_SORT_KEYS;
	struct lath_config *cfg = loader->cfg;
	json_t *joined = joined_root(loader);
	json_t *system;
	char *text;

	if (joined == NULL)
		return lath_config_no_memory(loader);
	strip_remarks(joined);
	system = json_object_get(joined, "system");
	text = system == NULL ? strdup("{}") : json_dumps(system, flags);
	cfg->json = json_dumps(joined, flags);
	json_decref(joined);
	if (text != NULL)
		lath_config_sha256(text, strlen(text), cfg->system_sha256);
	if (cfg->json != NULL)
		lath_config_sha256(cfg->json, strlen(cfg->json), cfg->sha256);
	free(text);
	return text == NULL || cfg->json == NULL ? lath_config_no_memory(loader) : 0;
}
