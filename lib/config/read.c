/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "config_private.h"

const char *
lath_config_value(const json_t *json, char out[LATH_CONFIG_VALUE_MAX])
{
	char *text;

	if (json_is_object(json) || json_is_array(json)) {
		snprintf(out, LATH_CONFIG_VALUE_MAX, "%s",
				json_is_object(json) ? "an object" : "a list");
		return out;
	}
	text = json_dumps(json, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	if (text == NULL || strlen(text) < LATH_CONFIG_VALUE_MAX)
		snprintf(out, LATH_CONFIG_VALUE_MAX, "%s", text == NULL ? "the value" : text);
	else
		snprintf(out, LATH_CONFIG_VALUE_MAX, "%.90s...\"", text);
	free(text);
	return out;
}

static int
wrong(const struct lath_config_node *node, const char *wanted)
{
	char value[LATH_CONFIG_VALUE_MAX];

	return lath_config_fail(node, "%s is not %s", lath_config_value(node->json, value), wanted);
}

static bool
is_remark(const char *key)
{
	return strcmp(key, "$schema") == 0 || strcmp(key, "$comment") == 0;
}

static int
unknown_key(const struct lath_config_node *member, const char *const *keys, size_t key_count)
{
	struct lath_config_near near = {.word = member->key};
	char known[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < key_count; i++) {
		lath_config_near_offer(&near, keys[i]);
		if (used < sizeof(known))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					i == 0 ? "" : ", ", keys[i]);
	}
	if (lath_config_near_sure(&near))
		return lath_config_fail(member, "unknown key \"%.64s\"; did you mean \"%s\"?",
				member->key, near.names[0]);
	return lath_config_fail(member, "unknown key \"%.64s\"; known here: %s", member->key,
			known);
}

static bool
is_known(const char *key, const char *const *keys, size_t key_count)
{
	for (size_t i = 0; i < key_count; i++) {
		if (strcmp(key, keys[i]) == 0)
			return true;
	}
	return false;
}

int
lath_config_read_keys(const struct lath_config_node *node, const char *const *keys,
		size_t key_count)
{
	const char *key;
	json_t *value;

	if (!json_is_object(node->json))
		return wrong(node, "an object");
	json_object_foreach(node->json, key, value) {
		struct lath_config_node member = {
				node->loader, node, key, SIZE_MAX, node->file, value};

		if (is_remark(key) && !json_is_string(value))
			return wrong(&member, "a string");
		if (!is_remark(key) && !is_known(key, keys, key_count))
			return unknown_key(&member, keys, key_count);
	}
	return 0;
}

bool
lath_config_member(const struct lath_config_node *object, const char *key,
		struct lath_config_node *member)
{
	json_t *json = json_object_get(object->json, key);

	*member = (struct lath_config_node){
			object->loader, object, key, SIZE_MAX, object->file, json};
	return json != NULL;
}

int
lath_config_need(const struct lath_config_node *object, const char *key,
		struct lath_config_node *member)
{
	if (!lath_config_member(object, key, member))
		return lath_config_fail(object, "\"%s\" is missing", key);
	return 0;
}

struct lath_config_node
lath_config_element(const struct lath_config_node *list, size_t index)
{
	return (struct lath_config_node){list->loader, list, NULL, index, list->file,
			json_array_get(list->json, index)};
}

struct lath_config_node
lath_config_list_node(struct lath_config_loader *loader, enum lath_config_list list, uint32_t index)
{
	struct lath_config_place place = loader->places[list][index];
	const char *key = lath_config_list_keys[list];
	json_t *all = json_object_get(loader->files[place.file].root, key);

	return (struct lath_config_node){loader, NULL, key, place.index, place.file,
			json_array_get(all, place.index)};
}

bool
lath_config_section_node(struct lath_config_loader *loader, enum lath_config_section section,
		struct lath_config_node *node)
{
	uint32_t file = loader->sections[section];
	const char *key = lath_config_section_keys[section];

	if (file == LATH_CONFIG_NONE)
		return false;
	*node = (struct lath_config_node){loader, NULL, key, SIZE_MAX, file,
			json_object_get(loader->files[file].root, key)};
	return true;
}

int
lath_config_read_u64(const struct lath_config_node *object, const char *key, uint64_t min,
		uint64_t max, uint64_t *out)
{
	struct lath_config_node node;
	char value[LATH_CONFIG_VALUE_MAX];
	json_int_t number;

	if (!lath_config_member(object, key, &node))
		return 0;
	if (!json_is_integer(node.json))
		return wrong(&node, "an integer");
	number = json_integer_value(node.json);
	if (number < 0 || (uint64_t)number < min || (uint64_t)number > max)
		return lath_config_fail(&node, "%s is not in %llu..%llu",
				lath_config_value(node.json, value), (unsigned long long)min,
				(unsigned long long)max);
	*out = (uint64_t)number;
	return 0;
}

int
lath_config_read_u32(const struct lath_config_node *object, const char *key, uint32_t min,
		uint32_t max, uint32_t *out)
{
	uint64_t number = *out;
	int rc = lath_config_read_u64(object, key, min, max, &number);

	if (rc == 0)
		*out = (uint32_t)number;
	return rc;
}

int
lath_config_read_u16(const struct lath_config_node *object, const char *key, uint16_t min,
		uint16_t max, uint16_t *out)
{
	uint64_t number = *out;
	int rc = lath_config_read_u64(object, key, min, max, &number);

	if (rc == 0)
		*out = (uint16_t)number;
	return rc;
}

int
lath_config_read_bool(const struct lath_config_node *object, const char *key, bool *out)
{
	struct lath_config_node node;

	if (!lath_config_member(object, key, &node))
		return 0;
	if (!json_is_boolean(node.json))
		return wrong(&node, "true or false");
	*out = json_is_true(node.json);
	return 0;
}

int
lath_config_read_text(const struct lath_config_node *object, const char *key, size_t min,
		size_t max, char *out)
{
	struct lath_config_node node;
	const char *text;
	size_t len;

	if (!lath_config_member(object, key, &node))
		return 0;
	if (!json_is_string(node.json))
		return wrong(&node, "a string");
	text = json_string_value(node.json);
	len = json_string_length(node.json);
	if (len < min || len > max)
		return lath_config_fail(&node, "a text of %zu characters is not of %zu..%zu", len,
				min, max);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] > 0x7e)
			return wrong(&node, "printable ASCII text");
	}
	memcpy(out, text, len + 1);
	return 0;
}

int
lath_config_read_path(const struct lath_config_node *object, const char *key, size_t max, char *out)
{
	struct lath_config_node node;
	int rc = lath_config_read_text(object, key, 1, max, out);

	if (rc == 0 && lath_config_member(object, key, &node) && out[0] != '/')
		return wrong(&node, "an absolute path");
	return rc;
}

int
lath_config_read_word(const struct lath_config_node *object, const char *key,
		const char *const *words, size_t word_count, unsigned *out)
{
	struct lath_config_node node;
	char known[200] = "";
	char wanted[216];
	size_t used = 0;

	if (!lath_config_member(object, key, &node))
		return 0;
	for (size_t i = 0; i < word_count; i++) {
		if (json_is_string(node.json) &&
				strcmp(json_string_value(node.json), words[i]) == 0) {
			*out = (unsigned)i;
			return 0;
		}
		if (used < sizeof(known))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s\"%s\"",
					i == 0 ? "" : ", ", words[i]);
	}
	snprintf(wanted, sizeof(wanted), "%s%s", word_count > 1 ? "one of " : "", known);
	return wrong(&node, wanted);
}

int
lath_config_read_list(const struct lath_config_node *object, const char *key, size_t min,
		size_t max, struct lath_config_node *list)
{
	size_t size;

	if (!lath_config_member(object, key, list))
		return 0;
	if (!json_is_array(list->json))
		return wrong(list, "a list");
	size = json_array_size(list->json);
	if (size < min || size > max)
		return lath_config_fail(list, "a list of %zu elements is not of %zu..%zu", size,
				min, max);
	return 0;
}

bool
lath_config_is_word(const char *text, const char *others)
{
	size_t len = strlen(text);

	if (len == 0 || strchr(others, text[0]) != NULL || strchr(others, text[len - 1]) != NULL)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && !(c >= '0' && c <= '9') && strchr(others, c) == NULL)
			return false;
	}
	return true;
}
