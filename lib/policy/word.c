/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The words of the language that are understood: condition keys and operators. */

#include "policy_private.h"

#define NEAR_MAX 4 /* edits */

const struct key_word lath_policy_keys[KEY_COUNT] = {
		[KEY_SOURCE_VPC] = {"vpc-lattice-svcs:SourceVpc", TYPE_TEXT},
		[KEY_SOURCE_ACCOUNT] = {"vpc-lattice-svcs:SourceVpcOwnerAccount", TYPE_TEXT},
		[KEY_PORT] = {"vpc-lattice-svcs:Port", TYPE_NUMBER},
		[KEY_SERVICE_ARN] = {"vpc-lattice-svcs:ServiceArn", TYPE_ARN},
		[KEY_NETWORK_ARN] = {"vpc-lattice-svcs:ServiceNetworkArn", TYPE_ARN},
		[KEY_SOURCE_IP] = {"aws:SourceIp", TYPE_IP},
		[KEY_PRINCIPAL_TYPE] = {"aws:PrincipalType", TYPE_TEXT},
		[KEY_IS_AWS_SERVICE] = {"aws:PrincipalIsAWSService", TYPE_BOOL},
};

static const struct operator_word operators[] = {
		{"StringEquals", TYPE_TEXT, RELATION_EQUAL, false},
		{"StringNotEquals", TYPE_TEXT, RELATION_EQUAL, true},
		{"StringEqualsIgnoreCase", TYPE_TEXT, RELATION_EQUAL_CASELESS, false},
		{"StringNotEqualsIgnoreCase", TYPE_TEXT, RELATION_EQUAL_CASELESS, true},
		{"StringLike", TYPE_TEXT, RELATION_LIKE, false},
		{"StringNotLike", TYPE_TEXT, RELATION_LIKE, true},
		{"NumericEquals", TYPE_NUMBER, RELATION_NUMBER_EQUAL, false},
		{"NumericNotEquals", TYPE_NUMBER, RELATION_NUMBER_EQUAL, true},
		{"NumericLessThan", TYPE_NUMBER, RELATION_LESS, false},
		{"NumericLessThanEquals", TYPE_NUMBER, RELATION_LESS_EQUAL, false},
		{"NumericGreaterThan", TYPE_NUMBER, RELATION_GREATER, false},
		{"NumericGreaterThanEquals", TYPE_NUMBER, RELATION_GREATER_EQUAL, false},
		{"IpAddress", TYPE_IP, RELATION_IN_PREFIX, false},
		{"NotIpAddress", TYPE_IP, RELATION_IN_PREFIX, true},
		/* ArnEquals and ArnLike behave identically (IAM User Guide, "ARN condition
		 * operators").
		 */
		{"ArnEquals", TYPE_ARN, RELATION_ARN_LIKE, false},
		{"ArnLike", TYPE_ARN, RELATION_ARN_LIKE, false},
		{"ArnNotEquals", TYPE_ARN, RELATION_ARN_LIKE, true},
		{"ArnNotLike", TYPE_ARN, RELATION_ARN_LIKE, true},
		{"Bool", TYPE_BOOL, RELATION_BOOL, false},
		{"Null", TYPE_COUNT, RELATION_NULL, false},
};

enum key
lath_policy_key_find(const char *name)
{
	unsigned key = 0;

	while (key < KEY_COUNT && strcmp(lath_policy_keys[key].name, name) != 0)
		key++;
	return (enum key)key;
}

const struct operator_word *
lath_policy_operator_find(const char *name, struct test *test)
{
	static const char any[] = "ForAnyValue:";
	static const char all[] = "ForAllValues:";
	static const char suffix[] = "IfExists";
	size_t len;

	if (strncmp(name, any, sizeof(any) - 1) == 0) {
		test->set = SET_ANY;
		name += sizeof(any) - 1;
	} else if (strncmp(name, all, sizeof(all) - 1) == 0) {
		test->set = SET_ALL;
		name += sizeof(all) - 1;
	}
	len = strlen(name);
	if (len > sizeof(suffix) - 1 && strcmp(name + len - (sizeof(suffix) - 1), suffix) == 0) {
		test->if_exists = true;
		len -= sizeof(suffix) - 1;
	}
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(operators); i++) {
		const struct operator_word *word = &operators[i];

		if (strlen(word->name) != len || memcmp(word->name, name, len) != 0)
			continue;
		/* "Null" asks for presence itself: there is nothing for the others to say. */
		if (word->relation == RELATION_NULL && (test->if_exists || test->set != SET_NONE))
			return NULL;
		test->relation = word->relation;
		test->negated = word->negated;
		return word;
	}
	return NULL;
}

static size_t
append(char *out, size_t len, size_t used, const char *name)
{
	if (used < len)
		used += (size_t)snprintf(out + used, len - used, "%s%s", used == 0 ? "" : ", ",
				name);
	return used;
}

void
lath_policy_operators_list(enum type type, char *out, size_t len)
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(operators); i++) {
		uint8_t takes = operators[i].type;

		if (type == TYPE_COUNT || takes == type || takes == TYPE_COUNT ||
				(type == TYPE_ARN && takes == TYPE_TEXT))
			used = append(out, len, used, operators[i].name);
	}
}

void
lath_policy_keys_list(char *out, size_t len)
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < KEY_COUNT; i++)
		used = append(out, len, used, lath_policy_keys[i].name);
}

const char *
lath_policy_operator_near(const char *name, char out[64])
{
	unsigned nearest = NEAR_MAX + 1;

	out[0] = '\0';
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(operators); i++) {
		unsigned distance = lath_word_distance(name, operators[i].name);

		if (distance >= nearest)
			continue;
		nearest = distance;
		snprintf(out, 64, "; near: \"%s\"", operators[i].name);
	}
	return out;
}
