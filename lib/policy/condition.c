/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Condition: {operator: {key: value or values}}. All must hold; of several values one suffices. */

#include "policy_private.h"

static bool
goes_with(const struct operator_word *word, enum key key)
{
	uint8_t type = lath_policy_keys[key].type;

	return word->type == TYPE_COUNT || word->type == type ||
			(type == TYPE_ARN && word->type == TYPE_TEXT);
}

static int
read_bool(struct compile *c, const struct place *place, struct item *item)
{
	const char *text = json_string_value(place->json);
	char value[80];

	if (json_is_boolean(place->json))
		item->number = json_is_true(place->json);
	else if (text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
		item->number = text[0] == 't';
	else
		return lath_policy_refuse(c, place,
				"%s is no truth value; accepted: \"true\", \"false\"",
				lath_policy_value(place, value));
	return 0;
}

/* An integer, as a number or as text; ports need no more. */
static int
read_number(struct compile *c, const struct place *place, struct item *item)
{
	const char *text = json_string_value(place->json);
	char value[80];
	char *end = NULL;

	if (json_is_integer(place->json)) {
		item->number = json_integer_value(place->json);
		return 0;
	}
	if (text != NULL && strlen(text) <= 18 && (text[0] == '-' ? text[1] : text[0]) >= '0' &&
			(text[0] == '-' ? text[1] : text[0]) <= '9')
		item->number = strtoll(text, &end, 10);
	if (end == NULL || *end != '\0')
		return lath_policy_refuse(c, place, "%s is no whole number",
				lath_policy_value(place, value));
	return 0;
}

static int
read_prefix(struct compile *c, const struct place *place, struct item *item)
{
	const char *text = json_string_value(place->json);
	struct lath_prefix prefix = {.bits = 0};
	char value[80];

	if (text != NULL && lath_ip_parse(text, &prefix.ip) == 0)
		prefix.bits = lath_ip_is_v4(&prefix.ip) ? 32 : 128;
	else if (text == NULL || lath_prefix_parse_host(text, &prefix) != 0)
		return lath_policy_refuse(c, place,
				"%s is neither an address nor a prefix such as \"10.0.0.0/16\"",
				lath_policy_value(place, value));
	item->prefix = lath_prefix_network(&prefix);
	return 0;
}

/* A pattern of fewer parts would match no ARN, without a word. */
static int
read_arn(struct compile *c, const struct place *place, struct item *item)
{
	const char *text = json_string_value(place->json);
	unsigned colons = 0;
	char value[80];

	for (const char *at = text; at != NULL && *at != '\0'; at++)
		colons += *at == ':';
	if (text == NULL || strncmp(text, "arn:", 4) != 0 || colons < 5)
		return lath_policy_refuse(c, place,
				"%s is no ARN or pattern of one: six parts between colons, the "
				"first "
				"is \"arn\"",
				lath_policy_value(place, value));
	return lath_policy_add_text(c, place, &item->text);
}

static int
read_value(struct compile *c, const struct place *place, const struct test *test)
{
	struct item item = {.number = 0};
	int rc = 0;

	switch ((enum relation)test->relation) {
	case RELATION_EQUAL:
	case RELATION_EQUAL_CASELESS:
	case RELATION_LIKE:
		rc = lath_policy_add_text(c, place, &item.text);
		break;
	case RELATION_ARN_LIKE:
		rc = read_arn(c, place, &item);
		break;
	case RELATION_NUMBER_EQUAL:
	case RELATION_LESS:
	case RELATION_LESS_EQUAL:
	case RELATION_GREATER:
	case RELATION_GREATER_EQUAL:
		rc = read_number(c, place, &item);
		break;
	case RELATION_IN_PREFIX:
		rc = read_prefix(c, place, &item);
		break;
	case RELATION_BOOL:
	case RELATION_NULL:
		rc = read_bool(c, place, &item);
		break;
	}
	return rc != 0 ? rc : lath_policy_add_item(c, &item);
}

static int
read_test(struct compile *c, const struct place *place, const struct operator_word *word,
		struct test test)
{
	enum key key = lath_policy_key_find(place->key);
	size_t count = one_or_more(place);
	struct test *added;
	char names[400];

	if (key == KEY_COUNT) {
		lath_policy_keys_list(names, sizeof(names));
		return lath_policy_refuse(c, place,
				"\"%.60s\" is no condition key known at layer 4; accepted: %s",
				place->key, names);
	}
	if (!goes_with(word, key)) {
		lath_policy_operators_list((enum type)lath_policy_keys[key].type, names,
				sizeof(names));
		return lath_policy_refuse(c, place, "\"%s\" does not go with \"%s\"; accepted: %s",
				word->name, place->key, names);
	}
	if (count == 0)
		return lath_policy_refuse(c, place, "[] holds for nothing; accepted: 1 or more");
	test.key = (uint8_t)key;
	test.values = (struct range){c->items.count, (uint32_t)count};
	for (size_t i = 0; i < count; i++) {
		struct place one = element_of(place, i);
		int rc = read_value(c, &one, &test);

		if (rc != 0)
			return rc;
	}
	added = lath_policy_grow(&c->tests, sizeof(*added), 1);
	if (added == NULL)
		return lath_err(ENOMEM);
	*added = test;
	return 0;
}

static int
read_operator(struct compile *c, const struct place *place)
{
	struct test test = {.set = SET_NONE};
	const struct operator_word *word = lath_policy_operator_find(place->key, &test);
	const char *key;
	json_t *member;
	char names[400];
	char near[80];

	if (word == NULL) {
		lath_policy_operators_list(TYPE_COUNT, names, sizeof(names));
		return lath_policy_refuse(c, place, "\"%.40s\" is no operator%s; accepted: %s",
				place->key, lath_policy_operator_near(place->key, near), names);
	}
	if (!json_is_object(place->json) || json_object_size(place->json) == 0)
		return lath_policy_refuse(c, place,
				"%s is no object of condition keys with their values",
				lath_policy_value(place, near));
	json_object_foreach((json_t *)(uintptr_t)place->json, key, member) {
		struct place one = {place, key, 0, member};
		int rc = read_test(c, &one, word, test);

		if (rc != 0)
			return rc;
	}
	return 0;
}

int
lath_policy_read_conditions(struct compile *c, const struct place *statement, struct statement *out)
{
	struct place place = member_of(statement, "Condition");
	const char *key;
	json_t *member;
	char value[80];

	out->tests.first = c->tests.count;
	if (place.json != NULL && !json_is_object(place.json))
		return lath_policy_refuse(c, &place, "%s is no object of operators",
				lath_policy_value(&place, value));
	json_object_foreach((json_t *)(uintptr_t)place.json, key, member) {
		struct place one = {&place, key, 0, member};
		int rc = read_operator(c, &one);

		if (rc != 0)
			return rc;
	}
	out->tests.count = c->tests.count - out->tests.first;
	return 0;
}
