/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Reads a line {"policy": ..., "requests": [...]} at a time and prints a list of
 * [effect, statement] for each, or {"pointer": ..., "text": ...} when the policy is refused.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lath_policy.h>

static struct lath_policy_text
member(const json_t *request, const char *key)
{
	const json_t *value = json_object_get(request, key);

	return (struct lath_policy_text){json_string_value(value), json_string_length(value)};
}

static json_t *
answer_one(const struct lath_policy *policy, const json_t *json)
{
	static const char *const effects[] = {"none", "Allow", "Deny"};
	const char *ip = json_string_value(json_object_get(json, "ip"));
	struct lath_policy_request request = {
			.source_vpc = member(json, "vpc"),
			.source_account = member(json, "account"),
			.service_arn = member(json, "service"),
			.network_arn = member(json, "network"),
			.port = (uint32_t)json_integer_value(json_object_get(json, "port")),
	};
	uint32_t statement;
	enum lath_policy_effect effect;

	if (ip != NULL && lath_ip_parse(ip, &request.source_ip) != 0)
		exit(2);
	effect = lath_policy_evaluate(policy, &request, &statement);
	return json_pack("[s, I]", effects[effect],
			statement == LATH_POLICY_NONE ? (json_int_t)-1 : (json_int_t)statement);
}

static json_t *
answer(const json_t *line)
{
	struct lath_policy_complaint why = {.text = ""};
	struct lath_policy *policy = lath_policy_compile(json_object_get(line, "policy"), &why);
	json_t *list = json_array();
	const json_t *request;
	size_t i;

	if (policy == NULL) {
		json_decref(list);
		return json_pack("{s:s, s:s}", "pointer", why.pointer, "text", why.text);
	}
	json_array_foreach(json_object_get(line, "requests"), i, request)
		json_array_append_new(list, answer_one(policy, request));
	free(policy);
	return list;
}

int
main(void)
{
	char *text = NULL;
	size_t room = 0;

	while (getline(&text, &room, stdin) > 0) {
		json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
		json_t *out;

		if (line == NULL)
			return 2;
		out = answer(line);
		if (json_dumpf(out, stdout, JSON_COMPACT) != 0)
			return 2;
		putchar('\n');
		json_decref(out);
		json_decref(line);
	}
	free(text);
	return 0;
}
