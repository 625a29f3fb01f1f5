/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Who a statement speaks of. Callers are anonymous; an account stands for every caller in a VPC
 * that it owns. "*" is everybody.
 */

#include "policy_private.h"

#define ACCOUNT_DIGITS 12

static bool
read_account(const char *text, size_t len, int64_t *account)
{
	int64_t number = 0;

	if (len != ACCOUNT_DIGITS)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (text[i] - '0');
	}
	*account = number;
	return true;
}

/* "arn:PARTITION:iam::ACCOUNT:root". */
static bool
read_root(const char *text, int64_t *account)
{
	static const char tail[] = ":root";
	const char *partition = text + 4;
	const char *middle;

	if (strncmp(text, "arn:", 4) != 0)
		return false;
	middle = strchr(partition, ':');
	if (middle == NULL || middle == partition || strncmp(middle, ":iam::", 6) != 0)
		return false;
	text = middle + 6;
	return strlen(text) == ACCOUNT_DIGITS + sizeof(tail) - 1 &&
			strcmp(text + ACCOUNT_DIGITS, tail) == 0 &&
			read_account(text, ACCOUNT_DIGITS, account);
}

static int
read_one(struct compile *c, const struct place *place, struct statement *out)
{
	const char *text = json_string_value(place->json);
	struct item item = {.number = 0};
	char value[80];

	if (text != NULL && strcmp(text, "*") == 0) {
		out->any_principal = true;
		return 0;
	}
	if (text == NULL ||
			(!read_account(text, strlen(text), &item.number) &&
					!read_root(text, &item.number)))
		return lath_policy_refuse(c, place,
				"%s is no principal that can be known at layer 4, where callers "
				"are "
				"anonymous; accepted: \"*\", an account of 12 digits or "
				"\"arn:aws:iam::ACCOUNT:root\", which stand for the account that "
				"owns the caller's VPC",
				lath_policy_value(place, value));
	return lath_policy_add_item(c, &item);
}

static int
read_map(struct compile *c, const struct place *place, struct statement *out)
{
	struct place aws = member_of(place, "AWS");
	const char *key;
	json_t *member;
	char value[80];
	size_t count;

	if (!json_is_object(place->json) || json_object_size(place->json) == 0)
		return lath_policy_refuse(c, place, "%s is neither \"*\" nor {\"AWS\": ...}",
				lath_policy_value(place, value));
	json_object_foreach((json_t *)(uintptr_t)place->json, key, member) {
		struct place other = {place, key, 0, member};

		if (strcmp(key, "AWS") != 0)
			return lath_policy_refuse(c, &other,
					"\"%.40s\" is no kind of principal that can be known at "
					"layer 4; accepted: \"AWS\"",
					key);
	}
	count = one_or_more(&aws);
	if (count == 0)
		return lath_policy_refuse(c, &aws, "[] names nobody; accepted: 1 or more");
	for (size_t i = 0; i < count; i++) {
		struct place one = element_of(&aws, i);
		int rc = read_one(c, &one, out);

		if (rc != 0)
			return rc;
	}
	return 0;
}

int
lath_policy_read_principal(struct compile *c, const struct place *statement, struct statement *out)
{
	struct place is = member_of(statement, "Principal");
	struct place is_not = member_of(statement, "NotPrincipal");
	const struct place *place = is.json != NULL ? &is : &is_not;
	const char *text = json_string_value(place->json);
	int rc = 0;

	if ((is.json == NULL) == (is_not.json == NULL))
		return lath_policy_refuse(c, statement,
				"a statement has one of \"Principal\" and \"NotPrincipal\"");
	out->not_principal = is.json == NULL;
	out->accounts.first = c->items.count;
	if (text != NULL && strcmp(text, "*") == 0)
		out->any_principal = true;
	else
		rc = read_map(c, place, out);
	out->accounts.count = c->items.count - out->accounts.first;
	return rc;
}
