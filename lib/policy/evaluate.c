/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Statements that deny come first in the block, so the first that matches decides: "an explicit
 * deny in any policy overrides any allows" (IAM User Guide, "Policy evaluation logic"). In a
 * statement the cheapest part is asked first: accounts are numbers, resources may be patterns.
 */

#include "policy_private.h"

/* What a request says of a key. */
struct fact {
	bool present;
	struct lath_policy_text text;
	int64_t number;
	const struct lath_ip *ip;
};

static struct fact
fact_of(const struct lath_policy_request *request, enum key key)
{
	static const struct lath_policy_text anonymous = {"Anonymous", sizeof("Anonymous") - 1};
	struct fact fact = {.present = true};

	switch (key) {
	case KEY_SOURCE_VPC:
		fact.text = request->source_vpc;
		break;
	case KEY_SOURCE_ACCOUNT:
		fact.text = request->source_account;
		break;
	case KEY_SERVICE_ARN:
		fact.text = request->service_arn;
		break;
	case KEY_NETWORK_ARN:
		fact.text = request->network_arn;
		break;
	case KEY_PRINCIPAL_TYPE:
		fact.text = anonymous;
		break;
	case KEY_PORT:
		fact.number = request->port;
		fact.present = request->port != 0;
		return fact;
	case KEY_SOURCE_IP:
		fact.ip = &request->source_ip;
		fact.present = request->source_ip.family != LATH_FAMILY_NONE;
		return fact;
	case KEY_IS_AWS_SERVICE:
		return fact; /* number 0: never */
	case KEY_COUNT:
		break;
	}
	fact.present = fact.text.at != NULL;
	return fact;
}

static struct lath_policy_text
text_at(const struct lath_policy *policy, struct range range)
{
	return (struct lath_policy_text){POLICY_AT(policy, char, text) + range.first, range.count};
}

static bool
value_holds(const struct lath_policy *policy, enum relation relation, const struct item *item,
		const struct fact *fact)
{
	switch (relation) {
	case RELATION_EQUAL:
		return lath_policy_equal(text_at(policy, item->text), fact->text, false);
	case RELATION_EQUAL_CASELESS:
		return lath_policy_equal(text_at(policy, item->text), fact->text, true);
	case RELATION_LIKE:
		return lath_policy_like(text_at(policy, item->text), fact->text);
	case RELATION_ARN_LIKE:
		return lath_policy_arn_like(text_at(policy, item->text), fact->text);
	case RELATION_NUMBER_EQUAL:
	case RELATION_BOOL:
		return fact->number == item->number;
	case RELATION_LESS:
		return fact->number < item->number;
	case RELATION_LESS_EQUAL:
		return fact->number <= item->number;
	case RELATION_GREATER:
		return fact->number > item->number;
	case RELATION_GREATER_EQUAL:
		return fact->number >= item->number;
	case RELATION_IN_PREFIX:
		return lath_prefix_contains(&item->prefix, fact->ip);
	case RELATION_NULL:
		return fact->present == (item->number == 0);
	}
	return false;
}

static bool
test_holds(const struct lath_policy *policy, const struct test *test,
		const struct lath_policy_request *request)
{
	const struct item *values = POLICY_AT(policy, struct item, items) + test->values.first;
	struct fact fact = fact_of(request, (enum key)test->key);

	/* What an absent key means: IAM User Guide, "IfExists" and "Multivalued context keys". */
	if (!fact.present && test->relation != RELATION_NULL) {
		if (test->if_exists || test->set == SET_ALL)
			return true;
		return test->set == SET_NONE && test->negated;
	}
	/* Every key has one value at most, so ForAnyValue and ForAllValues ask of that one. */
	for (uint32_t i = 0; i < test->values.count; i++) {
		if (value_holds(policy, (enum relation)test->relation, &values[i], &fact))
			return !test->negated;
	}
	return test->negated;
}

/* 12 digits; -1 when the caller's account is not known. */
static int64_t
account_of(const struct lath_policy_request *request)
{
	int64_t account = 0;

	if (request->source_account.at == NULL)
		return -1;
	for (size_t i = 0; i < request->source_account.len; i++)
		account = account * 10 + (request->source_account.at[i] - '0');
	return account;
}

static bool
principal_matches(const struct lath_policy *policy, const struct statement *statement,
		int64_t account)
{
	const struct item *accounts = POLICY_AT(policy, struct item, items) +
			statement->accounts.first;
	bool found = statement->any_principal;

	for (uint32_t i = 0; !found && i < statement->accounts.count; i++)
		found = accounts[i].number == account;
	return found != statement->not_principal;
}

static bool
resource_matches(const struct lath_policy *policy, const struct statement *statement,
		struct lath_policy_text arn)
{
	const struct item *patterns = POLICY_AT(policy, struct item, items) +
			statement->resources.first;
	bool found = false;

	for (uint32_t i = 0; !found && i < statement->resources.count; i++)
		found = lath_policy_like(text_at(policy, patterns[i].text), arn);
	return found != statement->not_resource;
}

static bool
statement_matches(const struct lath_policy *policy, const struct statement *statement,
		const struct lath_policy_request *request, int64_t account)
{
	const struct test *tests = POLICY_AT(policy, struct test, tests) + statement->tests.first;

	if (!principal_matches(policy, statement, account))
		return false;
	for (uint32_t i = 0; i < statement->tests.count; i++) {
		if (!test_holds(policy, &tests[i], request))
			return false;
	}
	return resource_matches(policy, statement, request->service_arn);
}

enum lath_policy_effect
lath_policy_evaluate(const struct lath_policy *policy, const struct lath_policy_request *request,
		uint32_t *statement)
{
	const struct statement *all = POLICY_AT(policy, struct statement, statements);
	int64_t account = account_of(request);

	for (uint32_t i = 0; i < policy->statement_count; i++) {
		if (!statement_matches(policy, &all[i], request, account))
			continue;
		if (statement != NULL)
			*statement = all[i].number;
		return all[i].denies ? LATH_POLICY_DENY : LATH_POLICY_ALLOW;
	}
	if (statement != NULL)
		*statement = LATH_POLICY_NONE;
	return LATH_POLICY_NO_MATCH;
}

const char *
lath_policy_sid(const struct lath_policy *policy, uint32_t statement)
{
	if (statement >= policy->document_count)
		return "";
	return POLICY_AT(policy, char, text) + POLICY_AT(policy, uint32_t, sids)[statement];
}
