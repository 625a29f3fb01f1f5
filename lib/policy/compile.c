/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* A document becomes statements, and these one block. */

#include "policy_private.h"

static const char connect_action[] = "vpc-lattice-svcs:Connect";
static const char invoke_action[] = "vpc-lattice-svcs:Invoke";

static struct lath_policy_text
text_of(const char *text)
{
	return (struct lath_policy_text){text, strlen(text)};
}

static int
check_keys(struct compile *c, const struct place *place, const char *const *keys, size_t count)
{
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)(uintptr_t)place->json, key, member) {
		struct place one = {place, key, 0, member};
		char names[160];
		size_t used = 0;
		size_t i = 0;

		while (i < count && strcmp(keys[i], key) != 0)
			i++;
		if (i < count)
			continue;
		for (i = 0; i < count; i++)
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					i == 0 ? "" : ", ", keys[i]);
		return lath_policy_refuse(c, &one, "\"%.60s\" is not known here; accepted: %s", key,
				names);
	}
	return 0;
}

/* Actions are compared without regard to case (IAM User Guide, "Action"). */
static bool
action_covers(const char *pattern, const char *action)
{
	char lower[2][LATH_POLICY_VALUE_MAX + 1];
	const char *from[2] = {pattern, action};

	for (unsigned i = 0; i < 2; i++) {
		size_t j = 0;

		for (; from[i][j] != '\0' && j < LATH_POLICY_VALUE_MAX; j++)
			lower[i][j] = from[i][j] >= 'A' && from[i][j] <= 'Z'
					? (char)(from[i][j] - 'A' + 'a')
					: from[i][j];
		lower[i][j] = '\0';
	}
	return lath_policy_like(text_of(lower[0]), text_of(lower[1]));
}

/* Whether the statement speaks of Connect at all. */
static int
read_action(struct compile *c, const struct place *statement, bool *applies)
{
	struct place is = member_of(statement, "Action");
	struct place is_not = member_of(statement, "NotAction");
	const struct place *place = is.json != NULL ? &is : &is_not;
	size_t count;
	bool covers = false;

	if ((is.json == NULL) == (is_not.json == NULL))
		return lath_policy_refuse(c, statement,
				"a statement has one of \"Action\" and \"NotAction\"");
	count = one_or_more(place);
	if (count == 0)
		return lath_policy_refuse(c, place, "[] names no action; accepted: 1 or more");
	for (size_t i = 0; i < count; i++) {
		struct place one = element_of(place, i);
		const char *text = json_string_value(one.json);
		bool known = text != NULL && strlen(text) <= LATH_POLICY_VALUE_MAX &&
				(action_covers(text, connect_action) ||
						(is.json == NULL &&
								action_covers(text,
										invoke_action)));
		char value[80];

		/* A denied Invoke would be let through as a Connect: so it is refused here. */
		if (!known)
			return lath_policy_refuse(c, &one,
					"%s covers no action of layer 4; accepted: \"%s\", "
					"\"vpc-lattice-svcs:*\", \"*\"",
					lath_policy_value(&one, value), connect_action);
		covers |= action_covers(text, connect_action);
	}
	*applies = covers == (is.json != NULL);
	return 0;
}

static int
read_resource(struct compile *c, const struct place *statement, struct statement *out)
{
	struct place is = member_of(statement, "Resource");
	struct place is_not = member_of(statement, "NotResource");
	const struct place *place = is.json != NULL ? &is : &is_not;
	size_t count;

	if ((is.json == NULL) == (is_not.json == NULL))
		return lath_policy_refuse(c, statement,
				"a statement has one of \"Resource\" and \"NotResource\"");
	out->not_resource = is.json == NULL;
	out->resources.first = c->items.count;
	count = one_or_more(place);
	if (count == 0)
		return lath_policy_refuse(c, place, "[] names no resource; accepted: 1 or more");
	for (size_t i = 0; i < count; i++) {
		struct place one = element_of(place, i);
		const char *text = json_string_value(one.json);
		struct item item = {.number = 0};
		char value[80];
		int rc;

		if (text == NULL ||
				(text[0] != '*' && text[0] != '?' && strncmp(text, "arn:", 4) != 0))
			return lath_policy_refuse(c, &one,
					"%s is no resource; accepted: a service's ARN, in which * "
					"and ? stand for anything, or \"*\"",
					lath_policy_value(&one, value));
		rc = lath_policy_add_text(c, &one, &item.text);
		if (rc == 0)
			rc = lath_policy_add_item(c, &item);
		if (rc != 0)
			return rc;
	}
	out->resources.count = (uint32_t)count;
	return 0;
}

static int
read_effect(struct compile *c, const struct place *statement, struct statement *out)
{
	struct place place = member_of(statement, "Effect");
	const char *text = json_string_value(place.json);
	char value[80];

	if (place.json == NULL)
		return lath_policy_refuse(c, statement, "\"Effect\" is missing");
	out->denies = text != NULL && strcmp(text, "Deny") == 0;
	if (text == NULL || (!out->denies && strcmp(text, "Allow") != 0))
		return lath_policy_refuse(c, &place, "%s is no effect; accepted: Allow, Deny",
				lath_policy_value(&place, value));
	return 0;
}

static bool
is_sid(const char *text, size_t len)
{
	if (text == NULL || len == 0 || len > LATH_POLICY_SID_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
				strchr(" -_", c) == NULL)
			return false;
	}
	return true;
}

/* The Sid with a terminator in the text; without one there is just that terminator. */
static int
read_sid(struct compile *c, const struct place *statement)
{
	struct place place = member_of(statement, "Sid");
	const char *text = json_string_value(place.json);
	size_t len = json_string_length(place.json);
	const uint32_t *sids = c->sids.at;
	char value[80];
	uint32_t *sid;
	char *copy;

	if (place.json != NULL && !is_sid(text, len))
		return lath_policy_refuse(c, &place,
				"%s is no Sid; accepted: 1 to %u letters, digits, spaces, - and _",
				lath_policy_value(&place, value), LATH_POLICY_SID_MAX);
	for (uint32_t i = 0; len > 0 && i < c->sids.count; i++) {
		if (strcmp((const char *)c->text.at + sids[i], text) == 0)
			return lath_policy_refuse(c, &place,
					"\"%s\" is the Sid of statement %u as well", text, i);
	}
	sid = lath_policy_grow(&c->sids, sizeof(*sid), 1);
	if (sid == NULL)
		return lath_err(ENOMEM);
	*sid = c->text.count;
	copy = lath_policy_grow(&c->text, 1, (uint32_t)len + 1);
	if (copy == NULL)
		return lath_err(ENOMEM);
	if (len > 0)
		memcpy(copy, text, len);
	return 0;
}

static int
read_statement(struct compile *c, const struct place *place)
{
	static const char *const keys[] = {"Sid", "Effect", "Principal", "NotPrincipal", "Action",
			"NotAction", "Resource", "NotResource", "Condition"};
	struct statement statement = {.number = c->document_count++};
	struct statement *added;
	bool applies = false;
	char value[80];
	int rc;

	if (!json_is_object(place->json))
		return lath_policy_refuse(c, place, "%s is no statement: an object",
				lath_policy_value(place, value));
	rc = check_keys(c, place, keys, LATH_ARRAY_SIZE(keys));
	if (rc == 0)
		rc = read_sid(c, place);
	if (rc == 0)
		rc = read_effect(c, place, &statement);
	if (rc == 0)
		rc = lath_policy_read_principal(c, place, &statement);
	if (rc == 0)
		rc = read_action(c, place, &applies);
	if (rc == 0)
		rc = read_resource(c, place, &statement);
	if (rc == 0)
		rc = lath_policy_read_conditions(c, place, &statement);
	if (rc != 0 || !applies)
		return rc;
	added = lath_policy_grow(&c->statements, sizeof(*added), 1);
	if (added == NULL)
		return lath_err(ENOMEM);
	*added = statement;
	return 0;
}

static int
read_head(struct compile *c, const struct place *root)
{
	static const char *const keys[] = {"Version", "Id", "Statement"};
	struct place version = member_of(root, "Version");
	struct place id = member_of(root, "Id");
	const char *text = json_string_value(version.json);
	char value[80];
	int rc;

	if (!json_is_object(root->json))
		return lath_policy_refuse(c, root, "%s is no policy: an object",
				lath_policy_value(root, value));
	rc = check_keys(c, root, keys, LATH_ARRAY_SIZE(keys));
	if (rc != 0)
		return rc;
	if (version.json != NULL &&
			(text == NULL ||
					(strcmp(text, "2012-10-17") != 0 &&
							strcmp(text, "2008-10-17") != 0)))
		return lath_policy_refuse(c, &version,
				"%s is no version of the language; accepted: 2012-10-17, "
				"2008-10-17",
				lath_policy_value(&version, value));
	if (id.json != NULL && !json_is_string(id.json))
		return lath_policy_refuse(c, &id, "%s is not text", lath_policy_value(&id, value));
	return 0;
}

static int
read_document(struct compile *c, const struct place *root)
{
	struct place list;
	size_t count;
	size_t bytes;
	int rc = read_head(c, root);

	if (rc != 0)
		return rc;
	bytes = json_dumpb(root->json, NULL, 0, JSON_COMPACT);
	if (bytes == 0 || bytes > LATH_POLICY_BYTES_MAX)
		return lath_policy_refuse(c, root,
				"the policy has %zu bytes as compact JSON; accepted: at most %u",
				bytes, LATH_POLICY_BYTES_MAX);
	list = member_of(root, "Statement");
	if (list.json == NULL)
		return lath_policy_refuse(c, root, "\"Statement\" is missing");
	count = one_or_more(&list);
	if (count == 0)
		return lath_policy_refuse(c, &list, "[] holds no statement; accepted: 1 or more");
	for (size_t i = 0; i < count && rc == 0; i++) {
		struct place one = element_of(&list, i);

		rc = read_statement(c, &one);
	}
	return rc;
}

/* ---- the block --------------------------------------------------------------------------- */

static size_t
round_up(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

static uint32_t
lay(char *block, size_t *used, const struct grown *grown, size_t size)
{
	size_t at = *used;

	if (block != NULL && grown->count > 0)
		memcpy(block + at, grown->at, grown->count * size);
	*used = round_up(at + grown->count * size);
	return (uint32_t)at;
}

static size_t
lay_all(const struct compile *c, char *block, struct lath_policy *head)
{
	size_t used = round_up(sizeof(*head));

	head->statements = lay(block, &used, &c->statements, sizeof(struct statement));
	head->tests = lay(block, &used, &c->tests, sizeof(struct test));
	head->items = lay(block, &used, &c->items, sizeof(struct item));
	head->sids = lay(block, &used, &c->sids, sizeof(uint32_t));
	head->text = lay(block, &used, &c->text, 1);
	head->size = (uint32_t)used;
	return used;
}

static int
compare_statements(const void *a, const void *b)
{
	const struct statement *one = a;
	const struct statement *two = b;

	if (one->denies != two->denies)
		return one->denies ? -1 : 1;
	return one->number < two->number ? -1 : 1;
}

static struct lath_policy *
make_block(struct compile *c)
{
	struct lath_policy head = {
			.statement_count = c->statements.count,
			.document_count = c->document_count,
	};
	char *block = calloc(1, lay_all(c, NULL, &head));

	if (block == NULL)
		return lath_null(ENOMEM);
	if (c->statements.count > 1)
		qsort(c->statements.at, c->statements.count, sizeof(struct statement),
				compare_statements);
	lay_all(c, block, &head);
	memcpy(block, &head, sizeof(head));
	return (struct lath_policy *)(void *)block;
}

struct lath_policy *
lath_policy_compile(const json_t *document, struct lath_policy_complaint *why)
{
	struct compile c = {.why = why};
	struct place root = {NULL, NULL, 0, document};
	struct lath_policy *policy = NULL;
	int rc = read_document(&c, &root);

	if (rc == 0)
		policy = make_block(&c);
	else
		errno = -rc;
	free(c.statements.at);
	free(c.tests.at);
	free(c.items.at);
	free(c.sids.at);
	free(c.text.at);
	return policy;
}

size_t
lath_policy_size(const struct lath_policy *policy)
{
	return policy->size;
}
